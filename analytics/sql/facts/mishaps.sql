-- Interactions that went wrong: what makes the next entry of the same field lost work or a correction.
--
-- grain: an interaction whose outcome is lost, failed or rejected
-- inputs: corrected_spans
-- columns like: corrected_spans
SELECT trace_id, span_id, worker, system, started_us, outcome
FROM corrected_spans
WHERE outcome IN ('lost', 'failed', 'rejected') AND worker IS NOT NULL
