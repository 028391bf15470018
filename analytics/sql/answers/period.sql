-- The local days that the answers are about.
--
-- grain: one row
-- inputs: ledger
-- columns:
--   from_day: first local day with activity
--   to_day: last local day with activity
SELECT CAST(min(day) AS VARCHAR) AS from_day, CAST(max(day) AS VARCHAR) AS to_day
FROM ledger
