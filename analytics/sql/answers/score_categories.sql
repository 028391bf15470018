-- Measured seconds of each category, over everything in scope.
--
-- grain: a category
-- inputs: time_cube
-- columns like: time_cube
-- columns:
--   seconds: seconds measured
SELECT category, sum(microseconds) / 1000000.0 AS seconds
FROM time_cube
GROUP BY category
ORDER BY category
