-- Hours lost by task and cause, the costliest task first.
--
-- grain: a task and a cause
-- inputs: time_lost_by_task
-- columns like: time_lost_by_task
SELECT task, cause, hours, share, instances, minutes_per_instance
FROM time_lost_by_task
ORDER BY sum(hours) OVER (PARTITION BY task) DESC, task, hours DESC, cause
