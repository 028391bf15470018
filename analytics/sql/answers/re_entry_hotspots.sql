-- The fields that are keyed again, by hours; at most 200.
--
-- grain: a source field and a target field
-- inputs: re_entry_hotspots
-- columns like: re_entry_hotspots
-- columns:
--   rows: how many there are in all
SELECT
    rank, from_system, from_screen, from_field, to_system, to_screen, to_field, scope, n, m, expected, re_entries, hours,
    hours_per_person_week, low, high, rank_low, rank_high, cases, people, count(*) OVER () AS rows
FROM re_entry_hotspots
WHERE verdict = 'established'
ORDER BY rank
LIMIT 200
