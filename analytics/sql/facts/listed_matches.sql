-- Matches, each with the list of all sources of its target in order of preference (verdicts apart), and its place there;
-- and with the time of the target's chain.
-- Lists are numbered in the order of what is on them (names parted by characters that no name has); the facts name them
-- by a hash of the same instead, which does not change when other lists come.
--
-- grain: a target and a source field that agrees
-- inputs: matches, ledger
-- columns like: matches
WITH placed AS (
    SELECT
        *,
        CASE
            WHEN latest_from_at >= at - INTERVAL '1 day' THEN 1
            WHEN latest_from_at >= at - INTERVAL '7 days' THEN 7
            WHEN latest_from_at >= at - INTERVAL '28 days' THEN 28
            WHEN latest_from_at >= at - INTERVAL '90 days' THEN 90
        END AS within_days,
        row_number() OVER (
            PARTITION BY worker, span_id
            ORDER BY
                CASE scope WHEN 'cross_system' THEN 0 ELSE 1 END,
                CASE "match" WHEN 'whole' THEN 0 WHEN 'split' THEN 1 ELSE 2 END,
                from_at, from_span_id, from_system, from_screen, from_field
        ) AS target_place
    FROM matches
),
lists AS (
    SELECT
        worker, span_id,
        string_agg(
            concat_ws(
                chr(31), from_system, from_screen, from_field, to_system, to_screen, to_field, "match",
                CAST(within_days AS VARCHAR)
            ),
            chr(30) ORDER BY target_place
        ) AS sources
    FROM placed
    GROUP BY worker, span_id
),
numbered AS (
    SELECT worker, span_id, CAST(dense_rank() OVER (ORDER BY sources) AS BIGINT) AS number FROM lists
),
times AS (
    SELECT worker, target_span_id, sum(CAST(round(seconds * 1000000) AS BIGINT)) AS microseconds
    FROM ledger
    WHERE category = 'matched'
    GROUP BY worker, target_span_id
)
SELECT
    p.span_id, p.at, p.worker, p.case_id, p.scope, p."match", p.origin, p.from_span_id, p.from_at, p.latest_from_at,
    p.from_worker, p.from_system, p.from_screen, p.from_field, p.to_system, p.to_screen, p.to_field,
    n.number AS list, CAST(p.target_place AS BIGINT) AS place,
    coalesce(t.microseconds, 0) AS microseconds, p.day
FROM placed p
JOIN numbered n ON n.worker = p.worker AND n.span_id = p.span_id
LEFT JOIN times t ON t.worker = p.worker AND t.target_span_id = p.span_id
