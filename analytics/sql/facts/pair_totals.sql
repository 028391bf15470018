-- Counts of pairs, added up over all days.
--
-- grain: a field pair and kind of match
-- inputs: pair_counts
-- columns like: pair_totals
SELECT
    from_system, from_screen, from_field, to_system, to_screen, to_field, scope, "match",
    sum(n) AS n, sum(m) AS m, sum(all_hits) AS all_hits, sum(all_trials) AS all_trials, sum(near_hits) AS near_hits,
    sum(near_trials) AS near_trials, sum(disagreements) AS disagreements
FROM pair_counts
GROUP BY from_system, from_screen, from_field, to_system, to_screen, to_field, scope, "match"
