-- The checks on the data, in the order to show.
--
-- grain: a check
-- inputs: data_quality
-- columns like: data_quality
SELECT "check", value, unit, meaning
FROM data_quality
ORDER BY "check"
