-- The one source of each target: established before constant before chance, cross before within, whole before split
-- before join, then the earliest span. A working view: ids stay binary, because others join on them.
--
-- grain: a target that matched
-- inputs: matches, list_sources
-- columns like: matches
-- columns:
--   certainty: of the pair of fields
--   verdict: of the pair of fields
--   week: Monday of the ISO week of the target
--   microseconds: time of the whole chain of the target, whatever part of it is in scope
--   re_entry_microseconds: the part of it that is re-entry: certainty times the time when established, else none
SELECT
    m.span_id, m.at, m.worker, m.case_id, m.scope, m."match", m.origin, m.from_span_id, m.from_at, m.latest_from_at,
    m.from_worker, m.from_system, m.from_screen, m.from_field, m.to_system, m.to_screen, m.to_field, m.day,
    s.certainty, s.verdict,
    CAST(date_trunc('week', m.day) AS DATE) AS week,
    m.microseconds,
    CASE WHEN s.verdict = 'established' THEN CAST(round(s.certainty * m.microseconds) AS BIGINT) ELSE 0 END
        AS re_entry_microseconds
FROM matches m
JOIN list_sources s ON s.list = m.list AND s.place = m.place
