-- Hours lost by system and cause, the costliest system first.
--
-- grain: a system and a cause
-- inputs: time_lost_by_system
-- columns like: time_lost_by_system
SELECT system, cause, hours, hours_per_person_week, share, people
FROM time_lost_by_system
ORDER BY sum(hours) OVER (PARTITION BY system) DESC, system, hours DESC, cause
