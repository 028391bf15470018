-- The case numbers that each span names together: what the linking of cases reads.
--
-- grain: a span with a case number
-- inputs: spans
-- columns like: spans
SELECT case_refs FROM spans WHERE case_refs IS NOT NULL
