-- Hours lost by system and cause, the costliest system first.
--
-- grain: a system and a cause
-- inputs: time_lost_by_system, intervals
-- columns like: time_lost_by_system
-- columns:
--   all_low: lower end of the 95 % interval of hours per person-week of all causes of the system
--   all_high: its upper end
SELECT
    l.system, l.cause, l.hours, l.hours_per_person_week, l.low, l.high, l.share, l.people, i.low AS all_low,
    i.high AS all_high
FROM time_lost_by_system l
LEFT JOIN intervals i ON i.view_name = 'time_lost_by_system' AND i.cause IS NULL AND i.system = l.system
ORDER BY sum(l.hours) OVER (PARTITION BY l.system) DESC, l.system, l.hours DESC, l.cause
