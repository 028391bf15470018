-- The established pairs, numbered, with what their certainty is worked out from when workers are resampled.
--
-- grain: an established pair of fields and a kind of match
-- inputs: re_entry_pairs, pair_totals
-- columns like: re_entry_pairs
-- columns:
--   pair: its number
--   trials_per_case: cases with which each of the n is compared, C_f - 1 on average
SELECT
    CAST(row_number() OVER (
        ORDER BY p.from_system, p.from_screen, p.from_field NULLS FIRST, p.to_system, p.to_screen, p.to_field, p.scope,
            p."match"
    ) AS BIGINT) AS pair,
    p.from_system, p.from_screen, p.from_field, p.to_system, p.to_screen, p.to_field, p.scope, p."match", p.certainty,
    t.all_trials / CAST(t.n AS DOUBLE) AS trials_per_case
FROM re_entry_pairs p
JOIN pair_totals t
    ON t.from_system = p.from_system AND t.from_screen = p.from_screen
    AND coalesce(t.from_field, '') = coalesce(p.from_field, '')
    AND t.to_system = p.to_system AND t.to_screen = p.to_screen AND t.to_field = p.to_field
    AND t.scope = p.scope AND t."match" = p."match"
WHERE p.verdict = 'established'
