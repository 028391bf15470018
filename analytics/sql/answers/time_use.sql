-- How a working week divides.
--
-- grain: an activity
-- inputs: time_use
-- columns like: time_use
SELECT activity, hours_per_person_week, share, grade, note
FROM time_use
ORDER BY activity
