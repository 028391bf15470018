-- Traces whose root names a task: such a trace is an instance of the task. The root is the earliest span without a
-- parent that names one: a trace should have one root, and where senders leave parents out it has many.
--
-- grain: a trace whose root names a task
-- inputs: spans
-- columns:
--   trace_id: the trace
--   task: the task that its root names
SELECT trace_id, first_value(task ORDER BY started_at, span_id, task) AS task
FROM spans
WHERE parent_span_id IS NULL AND task IS NOT NULL
GROUP BY trace_id
