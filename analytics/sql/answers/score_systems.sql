-- Seconds of each category in each system.
--
-- grain: a system and a category
-- inputs: time_cube
-- columns like: time_cube
-- columns:
--   seconds: seconds measured
SELECT system, category, sum(microseconds) / 1000000.0 AS seconds
FROM time_cube
GROUP BY system, category
ORDER BY system, category
