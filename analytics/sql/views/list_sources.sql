-- What the verdicts choose of each list of sources: established before constant before chance, then the order of the
-- list. All targets with this list have this source.
--
-- grain: a list of sources
-- inputs: match_lists, re_entry_pairs, established_pairs
-- columns like: match_lists
-- columns:
--   certainty: of the pair of fields
--   verdict: of the pair of fields
--   pair: number of the pair; null unless established
WITH judged AS (
    SELECT
        p.*, e.pair, coalesce(p.from_field, '') AS from_key,
        CASE p.verdict WHEN 'established' THEN 0 WHEN 'constant' THEN 1 ELSE 2 END AS standing
    FROM re_entry_pairs p
    LEFT JOIN established_pairs e
        ON e.from_system = p.from_system AND e.from_screen = p.from_screen
        AND coalesce(e.from_field, '') = coalesce(p.from_field, '')
        AND e.to_system = p.to_system AND e.to_screen = p.to_screen AND e.to_field = p.to_field
        AND e.scope = p.scope AND e."match" = p."match"
),
ordered AS (
    SELECT
        l.*, coalesce(j.certainty, 0.0) AS certainty, coalesce(j.verdict, 'chance') AS verdict, j.pair,
        row_number() OVER (PARTITION BY l.list ORDER BY coalesce(j.standing, 2), l.place) AS choice
    FROM match_lists l
    LEFT JOIN judged j
        ON l.from_system = j.from_system AND l.from_screen = j.from_screen
        AND CASE l."match" WHEN 'join' THEN '' ELSE l.from_field END = j.from_key
        AND l.to_system = j.to_system AND l.to_screen = j.to_screen AND l.to_field = j.to_field
        AND l.scope = j.scope AND l."match" = j."match"
)
SELECT
    list, place, from_system, from_screen, from_field, to_system, to_screen, to_field, scope, "match", within_days,
    certainty, verdict, pair
FROM ordered
WHERE choice = 1
