-- How often each worker did each task in each whole week. A working view: ids stay binary.
--
-- grain: a worker, whole ISO week and task
-- inputs: task_instances, observed_weeks
-- columns:
--   worker: keyed hash of the person
--   week: Monday of the ISO week in which the instances began
--   task: the task's name; `unnamed` for a run of work on one case
--   instances: instances of it
WITH done AS (
    SELECT worker, CAST(date_trunc('week', day) AS DATE) AS week, coalesce(task, 'unnamed') AS task
    FROM task_instances
)
SELECT d.worker, d.week, d.task, count(*) AS instances
FROM done d
JOIN observed_weeks w ON w.worker = d.worker AND w.week = d.week
GROUP BY d.worker, d.week, d.task
