-- How much was observed in whole weeks: the denominators of all rates, in one row.
--
-- grain: one row
-- inputs: observed_weeks
-- columns:
--   people: workers seen in whole weeks
--   weeks: whole ISO weeks seen
--   person_weeks: pairs of both with at least one activity
SELECT
    count(DISTINCT worker) AS people,
    count(DISTINCT week) AS weeks,
    count(*) AS person_weeks
FROM observed_weeks
