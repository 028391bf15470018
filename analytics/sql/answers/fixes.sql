-- What to fix first; at most 200.
--
-- grain: a thing to fix
-- inputs: fixes
-- columns like: fixes
-- columns:
--   rows: how many there are in all
SELECT
    rank, kind, cause, system, screen, field, from_system, from_screen, from_field, hours, hours_per_week, low, high,
    cost_per_year, people, rank_low, rank_high, why, count(*) OVER () AS rows
FROM fixes
ORDER BY rank
LIMIT 200
