-- What was claimed in public, and what the data say of it.
--
-- grain: a claim
-- inputs: claims
-- columns like: claims
SELECT number, claim, figure, low, high, unit, grade, verdict, query
FROM claims
ORDER BY number
