-- The ledger after weighing: a matched stretch whose source is established gives a re-entry row of certainty times its
-- time and a first-entry row of the rest; any other matched stretch is first entry, whole. In microseconds, so that the
-- parts add up exactly. A working view: ids stay binary.
--
-- grain: a stretch of one worker's time, weighed
-- inputs: ledger, list_sources
-- columns like: ledger
-- columns:
--   category: final category, of the fourteen of `categories`
--   microseconds: length in microseconds
WITH matched AS (
    SELECT
        l.*,
        CAST(round(l.seconds * 1000000) AS BIGINT) AS whole_microseconds,
        CAST(round(s.certainty * round(l.seconds * 1000000)) AS BIGINT) AS again_microseconds
    FROM ledger l
    LEFT JOIN (SELECT list, certainty FROM list_sources WHERE verdict = 'established') s ON s.list = l.match_list
    WHERE l.category = 'matched'
)
SELECT
    worker, started_at, ended_at, category, system, next_system, screen, field, task, task_instance, delimiter, case_id,
    function, organisation, team, role, "release", span_id, trace_id, target_span_id, rework_cause, day, week,
    CAST(round(seconds * 1000000) AS BIGINT) AS microseconds
FROM ledger
WHERE category <> 'matched'
UNION ALL
SELECT
    worker, started_at, ended_at, part.category, system, next_system, screen, field, task, task_instance, delimiter,
    case_id, function, organisation, team, role, "release", span_id, trace_id, target_span_id, rework_cause, day, week,
    CASE part.category WHEN 're_entry' THEN again_microseconds
        ELSE whole_microseconds - coalesce(again_microseconds, 0) END AS microseconds
FROM matched
CROSS JOIN (VALUES ('re_entry'), ('first_entry')) AS part (category)
WHERE part.category = 'first_entry' OR again_microseconds IS NOT NULL
