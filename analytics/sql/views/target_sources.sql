-- The one source of each target: established before constant before chance, cross before within, whole before split
-- before join, then the earliest span. A working view: ids stay binary, because others join on them.
--
-- grain: a target that matched
-- inputs: matches, list_sources, matched_times
-- columns like: matches
-- columns:
--   certainty: of the pair of fields
--   verdict: of the pair of fields
--   week: Monday of the ISO week of the target
--   microseconds: time of the whole chain of the target
--   re_entry_microseconds: the part of it that is re-entry: certainty times the time when established, else none
--   example_trace: a trace that the target's time lies in
--   task: the task of the target's time, named as in `time_cube`; the first in the alphabet where a chain has several
WITH entered AS (
    SELECT
        m.worker, m.span_id,
        sum(m.microseconds) AS microseconds,
        sum(CASE WHEN s.verdict = 'established' THEN CAST(round(s.certainty * m.microseconds) AS BIGINT) ELSE 0 END)
            AS re_entry_microseconds,
        min(m.trace_id) AS example_trace,
        min(CASE WHEN m.trace_id IS NOT NULL
            THEN coalesce(m.task, CASE WHEN m.attributed THEN 'unnamed' ELSE 'unattributed' END) END) AS task
    FROM matched_times m
    JOIN list_sources s ON s.list = m.list
    GROUP BY m.worker, m.span_id
)
SELECT
    m.span_id, m.at, m.worker, m.case_id, m.scope, m."match", m.origin, m.from_span_id, m.from_at, m.latest_from_at,
    m.from_worker, m.from_system, m.from_screen, m.from_field, m.to_system, m.to_screen, m.to_field, m.day,
    s.certainty, s.verdict,
    CAST(date_trunc('week', m.day) AS DATE) AS week,
    coalesce(e.microseconds, 0) AS microseconds,
    coalesce(e.re_entry_microseconds, 0) AS re_entry_microseconds,
    e.example_trace,
    e.task
FROM matches m
JOIN list_sources s ON s.list = m.list AND s.place = m.place
LEFT JOIN entered e ON e.worker = m.worker AND e.span_id = m.span_id
