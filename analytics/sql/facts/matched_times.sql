-- Time of targets that agree with a value held already, by target: the `matched` time of the ledger. A target is counted
-- in the row whose time ended last; one that has no time, as all of it was something else's, in a row of its own day.
--
-- grain: a target that agrees, and the day, task, function, organisation and role of its time
-- inputs: ledger, matches
-- columns like: matched_times
WITH targets AS (
    SELECT DISTINCT worker, span_id, case_id, list, to_system, to_screen, to_field, day FROM matches
),
times AS (
    SELECT
        worker, target_span_id, function, task, delimiter IS NOT NULL AS attributed, organisation, role, day,
        sum(CAST(round(seconds * 1000000) AS BIGINT)) AS microseconds,
        max(ended_at) AS ended_at,
        min(trace_id) AS trace_id
    FROM ledger
    WHERE category = 'matched'
    GROUP BY worker, target_span_id, function, task, delimiter IS NOT NULL, organisation, role, day
),
ordered AS (
    SELECT *, row_number() OVER (PARTITION BY worker, target_span_id ORDER BY ended_at DESC) AS place FROM times
)
SELECT
    t.worker, t.span_id, t.case_id, t.list, t.to_system AS system, t.to_screen AS screen, t.to_field AS field,
    o.function, o.task, coalesce(o.attributed, false) AS attributed, o.organisation, o.role,
    CAST(CASE WHEN coalesce(o.place, 1) = 1 THEN 1 ELSE 0 END AS BIGINT) AS targets,
    coalesce(o.microseconds, 0) AS microseconds, o.trace_id,
    coalesce(o.day, t.day) AS day, CAST(date_trunc('week', coalesce(o.day, t.day)) AS DATE) AS week
FROM targets t
LEFT JOIN ordered o ON o.worker = t.worker AND o.target_span_id = t.span_id
