-- The system in which staff are active longest: the one that claims about "the main case system" are about.
--
-- grain: one row; none without activity
-- inputs: time_cube
-- columns:
--   system: the system
--   hours: active hours in it
SELECT system, sum(microseconds) / 3600000000.0 AS hours
FROM time_cube
WHERE category_group <> 'outside' AND system IS NOT NULL
GROUP BY system
ORDER BY sum(microseconds) DESC, system
LIMIT 1
