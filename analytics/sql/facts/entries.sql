-- Entries and choices made by people: what chains and rework are judged from.
--
-- grain: an activity that is an entry or choice, typed, pasted or selected
-- inputs: corrected_spans
-- columns like: corrected_spans
SELECT
    trace_id, span_id, worker, started_us, system, screen, field, case_id, task_instance, record, continues, value_digest
FROM corrected_spans
WHERE kind IN ('entry', 'choice')
    AND "trigger" = 'user'
    AND origin IN ('typed', 'pasted', 'selected')
    AND ended_us - started_us <= $activity_max_us
