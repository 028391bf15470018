-- What each worker's time consisted of, added up over the weeks. A working view: ids stay binary.
--
-- grain: worker, system, task and category; for lost time also screen, field of entries and cause of rework
-- inputs: time_cube
-- columns like: time_cube
-- columns:
--   microseconds: time, over everything in scope
--   whole_week_microseconds: the part of it in whole weeks
SELECT
    worker, system, task, category, category_group, rework_cause, screen, field,
    sum(microseconds) AS microseconds,
    sum(CASE WHEN whole_week THEN microseconds ELSE 0 END) AS whole_week_microseconds
FROM time_cube
GROUP BY worker, system, task, category, category_group, rework_cause, screen, field
