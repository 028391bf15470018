-- What workers did, span by span: ids as hex text, times clock-corrected, case numbers linked to cases.
--
-- grain: a span with a kind
-- inputs: spans, clock_shifts, case_links
-- columns like: spans
-- columns:
--   started_at: start, clock-corrected
--   ended_at: end, clock-corrected
--   case_id: the case, as linked; null without a case number, or before the next refresh
--   clock_shift_us: microseconds added to the times as sent
SELECT
    hex(s.trace_id) AS trace_id, hex(s.span_id) AS span_id, hex(s.parent_span_id) AS parent_span_id, s.name, s.kind,
    s."trigger",
    arrow_cast(CAST(s.started_at AS BIGINT) + coalesce(c.shift_us, 0), 'Timestamp(Microsecond, Some("UTC"))') AS started_at,
    arrow_cast(CAST(s.ended_at AS BIGINT) + coalesce(c.shift_us, 0), 'Timestamp(Microsecond, Some("UTC"))') AS ended_at,
    s.sent_at, s.received_at, s.system, s."release", hex(s.worker) AS worker, s.organisation, s.team, s.role,
    hex(s.session) AS session, s.screen, s.field, hex(s.case_refs) AS case_refs, hex(s.record) AS record, s.task,
    hex(s.task_instance) AS task_instance, s.function, s.origin, s.keystrokes, s.corrections,
    hex(s.continues) AS continues, s.value_kind, s.value_digest, s.value_parts, s.outcome, s.attributes, s.day,
    hex(l.case_id) AS case_id,
    coalesce(c.shift_us, 0) AS clock_shift_us
FROM spans s
LEFT JOIN clock_shifts c ON c.worker = s.worker AND c.session = s.session AND c.day = s.day
LEFT JOIN case_links l ON l.case_ref = s.case_refs[1]
WHERE s.kind IS NOT NULL
