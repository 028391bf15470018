-- The one source of each target: established before constant before chance, cross before within, whole before split
-- before join, then the earliest span. A working view: ids stay binary, because others join on them.
--
-- grain: a target that matched
-- inputs: matches, re_entry_pairs, ledger
-- columns like: matches
-- columns:
--   certainty: of the pair of fields
--   verdict: of the pair of fields
--   week: Monday of the ISO week of the target
--   microseconds: time of the whole chain of the target
--   re_entry_microseconds: the part of it that is re-entry: certainty times the time when established, else none
--   example_trace: a trace that the target's time lies in
--   task: the task of the target's time, named as in `time_cube`; the first in the alphabet where a chain has several
WITH judged AS (
    SELECT
        *,
        coalesce(from_field, '') AS from_key,
        CASE verdict WHEN 'established' THEN 0 WHEN 'constant' THEN 1 ELSE 2 END AS standing
    FROM re_entry_pairs
),
ordered AS (
    SELECT
        m.span_id, m.at, m.worker, m.case_id, m.scope, m."match", m.origin, m.from_span_id, m.from_at, m.latest_from_at, m.from_worker,
        m.from_system, m.from_screen, m.from_field, m.to_system, m.to_screen, m.to_field, m.day,
        coalesce(j.certainty, 0.0) AS certainty,
        coalesce(j.verdict, 'chance') AS verdict,
        row_number() OVER (
            PARTITION BY m.worker, m.span_id
            ORDER BY
                coalesce(j.standing, 2),
                CASE m.scope WHEN 'cross_system' THEN 0 ELSE 1 END,
                CASE m."match" WHEN 'whole' THEN 0 WHEN 'split' THEN 1 ELSE 2 END,
                m.from_at, m.from_span_id, m.from_system, m.from_screen, m.from_field
        ) AS place
    FROM matches m
    LEFT JOIN judged j
        ON m.from_system = j.from_system AND m.from_screen = j.from_screen
        AND CASE m."match" WHEN 'join' THEN '' ELSE m.from_field END = j.from_key
        AND m.to_system = j.to_system AND m.to_screen = j.to_screen AND m.to_field = j.to_field
        AND m.scope = j.scope AND m."match" = j."match"
),
entered AS (
    SELECT
        worker, target_span_id,
        sum(CAST(round(seconds * 1000000) AS BIGINT)) AS microseconds,
        min(trace_id) AS example_trace,
        min(coalesce(task, CASE WHEN delimiter IS NULL THEN 'unattributed' ELSE 'unnamed' END)) AS task
    FROM ledger
    WHERE category = 'matched'
    GROUP BY worker, target_span_id
)
SELECT
    o.span_id, o.at, o.worker, o.case_id, o.scope, o."match", o.origin, o.from_span_id, o.from_at, o.latest_from_at, o.from_worker,
    o.from_system, o.from_screen, o.from_field, o.to_system, o.to_screen, o.to_field, o.day,
    o.certainty, o.verdict,
    CAST(date_trunc('week', o.day) AS DATE) AS week,
    coalesce(e.microseconds, 0) AS microseconds,
    CASE WHEN o.verdict = 'established'
        THEN CAST(round(o.certainty * coalesce(e.microseconds, 0)) AS BIGINT) ELSE 0 END AS re_entry_microseconds,
    e.example_trace,
    e.task
FROM ordered o
LEFT JOIN entered e ON e.worker = o.worker AND e.target_span_id = o.span_id
WHERE o.place = 1
