-- What each worker lost in each system and task in each whole week. A working view: ids stay binary.
--
-- grain: a worker, whole ISO week, system and task with lost time
-- inputs: time_cube
-- columns like: time_cube
-- columns:
--   minutes: minutes lost
SELECT worker, week, system, task, sum(microseconds) / 60000000.0 AS minutes
FROM time_cube
WHERE whole_week AND category_group = 'lost' AND system IS NOT NULL
GROUP BY worker, week, system, task
