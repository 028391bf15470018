-- Traces whose root names a task: such a trace is an instance of the task. The root is the earliest span without a
-- parent.
--
-- grain: a trace whose root names a task
-- inputs: spans
-- columns:
--   trace_id: the trace
--   task: the task that its root names
WITH roots AS (
    SELECT trace_id, first_value(task ORDER BY started_at, span_id) AS task
    FROM spans
    WHERE parent_span_id IS NULL
    GROUP BY trace_id
)
SELECT trace_id, task FROM roots WHERE task IS NOT NULL
