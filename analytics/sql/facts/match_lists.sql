-- Sources of targets as lists: what is on each, in order of preference.
--
-- grain: a list of sources and a place in it
-- inputs: matches
-- columns like: match_lists
SELECT DISTINCT
    list, place, from_system, from_screen, from_field, to_system, to_screen, to_field, scope, "match",
    CAST(CASE
        WHEN latest_from_at >= at - INTERVAL '1 day' THEN 1
        WHEN latest_from_at >= at - INTERVAL '7 days' THEN 7
        WHEN latest_from_at >= at - INTERVAL '28 days' THEN 28
        WHEN latest_from_at >= at - INTERVAL '90 days' THEN 90
    END AS BIGINT) AS within_days
FROM matches
