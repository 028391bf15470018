-- How often each task was done and what it took, where its sender tells one time from another: by an id, or at the
-- root of a trace.
--
-- grain: a task
-- inputs: task_instances
-- columns like: task_instances
-- columns:
--   instances: how often
--   minutes: active minutes per instance
--   systems: systems per instance
--   screens: screens per instance
--   switches: changes of system per instance
SELECT
    task, count(*) AS instances, sum(active_seconds) / 60.0 / count(*) AS minutes,
    avg(CAST(systems AS DOUBLE)) AS systems, avg(CAST(screens AS DOUBLE)) AS screens,
    avg(CAST(switches AS DOUBLE)) AS switches
FROM task_instances
WHERE task IS NOT NULL AND delimiter IN ('task_id', 'trace')
GROUP BY task
ORDER BY task
