-- Hours lost by task and cause, the costliest task first.
--
-- grain: a task and a cause
-- inputs: time_lost_by_task, intervals
-- columns like: time_lost_by_task
-- columns:
--   all_low: lower end of the 95 % interval of hours per person-week of all causes of the task
--   all_high: its upper end
SELECT
    l.task, l.cause, l.hours, l.hours_per_person_week, l.low, l.high, l.share, l.instances, l.minutes_per_instance,
    i.low AS all_low, i.high AS all_high
FROM time_lost_by_task l
LEFT JOIN intervals i ON i.view_name = 'time_lost_by_task' AND i.cause IS NULL AND i.task = l.task
ORDER BY sum(l.hours) OVER (PARTITION BY l.task) DESC, l.task, l.hours DESC, l.cause
