-- How often each task was done, where its sender tells one time from another: by an id, or at the root of a trace.
--
-- grain: a task
-- inputs: task_instances
-- columns like: task_instances
-- columns:
--   instances: how often
SELECT task, count(*) AS instances
FROM task_instances
WHERE task IS NOT NULL AND delimiter IN ('task_id', 'trace')
GROUP BY task
ORDER BY task
