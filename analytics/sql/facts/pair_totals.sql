-- Counts of pairs over all days. Hits are known by worker and not by day: what other cases hold changes later.
--
-- grain: a field pair and kind of match
-- inputs: pair_counts, pair_workers, holdings
-- columns like: pair_totals
WITH counts AS (
    SELECT
        from_system, from_screen, from_field, to_system, to_screen, to_field, scope, "match",
        sum(n) AS n, sum(m) AS m, sum(near_trials) AS near_trials, sum(disagreements) AS disagreements
    FROM pair_counts
    GROUP BY from_system, from_screen, from_field, to_system, to_screen, to_field, scope, "match"
),
hits AS (
    SELECT
        from_system, from_screen, from_field, to_system, to_screen, to_field, scope, "match",
        sum(all_hits) AS all_hits, sum(near_hits) AS near_hits
    FROM pair_workers
    GROUP BY from_system, from_screen, from_field, to_system, to_screen, to_field, scope, "match"
),
-- How many cases have each field, and any field of each screen: the source of a join is a screen.
sources AS (
    SELECT system, screen, field, count(DISTINCT case_id) AS cases FROM holdings GROUP BY system, screen, field
    UNION ALL
    SELECT system, screen, NULL AS field, count(DISTINCT case_id) AS cases FROM holdings GROUP BY system, screen
)
-- A pair that was tried has trials of some worker, and a source that at least one case has.
SELECT
    c.from_system, c.from_screen, c.from_field, c.to_system, c.to_screen, c.to_field, c.scope, c."match",
    c.n, c.m, h.all_hits, c.n * (s.cases - 1) AS all_trials, h.near_hits, c.near_trials, c.disagreements
FROM counts c
JOIN hits h
    ON h.from_system = c.from_system AND h.from_screen = c.from_screen
    AND coalesce(h.from_field, '') = coalesce(c.from_field, '')
    AND h.to_system = c.to_system AND h.to_screen = c.to_screen AND h.to_field = c.to_field
    AND h.scope = c.scope AND h."match" = c."match"
JOIN sources s
    ON s.system = c.from_system AND s.screen = c.from_screen AND coalesce(s.field, '') = coalesce(c.from_field, '')
