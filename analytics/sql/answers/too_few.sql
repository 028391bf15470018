-- The fields that agree on cases too few to tell re-entry from chance (fewer than ten have both), by how far beyond chance;
-- at most 200.
--
-- grain: an ordered pair of fields and a kind of match
-- inputs: re_entry_pairs
-- columns like: re_entry_pairs
-- columns:
--   expected: agreements expected by chance, n p
--   rows: how many there are in all
SELECT
    from_system, from_screen, from_field, to_system, to_screen, to_field, "match", n, m, n * p AS expected,
    count(*) OVER () AS rows
FROM re_entry_pairs
WHERE n < 10 AND m > 0
ORDER BY m - n * p DESC, to_system, to_screen, to_field, from_system, from_screen, from_field, "match"
LIMIT 200
