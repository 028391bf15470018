-- Values that a field of a case was seen to hold, whoever or whatever filled it: the sources of re-entry, and among
-- them its targets.
--
-- grain: an entry, choice or view of a field, on a case, that carries a value
-- inputs: corrected_spans
-- columns like: corrected_spans
-- columns:
--   from_us: when it counts from: its end; its start where the field was shown or filled by the system
SELECT
    case_id, trace_id, span_id, worker, started_us,
    CASE WHEN kind = 'view' OR origin IN ('prefilled', 'autofilled') THEN started_us ELSE ended_us END AS from_us,
    system, screen, field, origin, value_kind, value_digest, value_parts
FROM corrected_spans
WHERE kind IN ('entry', 'choice', 'view')
    AND case_id IS NOT NULL
    AND value_digest IS NOT NULL
    AND system IS NOT NULL
    AND screen IS NOT NULL
    AND field IS NOT NULL
