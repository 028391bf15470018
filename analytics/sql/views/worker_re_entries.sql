-- The time of established matches before weighing, by worker and pair of fields, added up over the weeks: certainty
-- times it is re-entry. A working view: ids stay binary.
--
-- grain: worker, task, source field, target field and kind of match
-- inputs: target_sources, established_pairs, observed_weeks
-- columns like: target_sources
-- columns:
--   pair: number of the pair of fields
--   microseconds: time of the matched targets, before weighing, over everything in scope
--   whole_week_microseconds: the part of it in whole weeks
SELECT
    t.worker, t.task, t.from_system, t.from_screen, t.from_field, t.to_system, t.to_screen, t.to_field, t.scope,
    t."match", e.pair,
    sum(t.microseconds) AS microseconds,
    sum(CASE WHEN w.week IS NOT NULL THEN t.microseconds ELSE 0 END) AS whole_week_microseconds
FROM target_sources t
JOIN established_pairs e
    ON e.from_system = t.from_system AND e.from_screen = t.from_screen
    AND coalesce(e.from_field, '') = CASE t."match" WHEN 'join' THEN '' ELSE t.from_field END
    AND e.to_system = t.to_system AND e.to_screen = t.to_screen AND e.to_field = t.to_field
    AND e.scope = t.scope AND e."match" = t."match"
LEFT JOIN (SELECT DISTINCT week FROM observed_weeks) w ON w.week = t.week
WHERE t.verdict = 'established' AND t.microseconds > 0
GROUP BY
    t.worker, t.task, t.from_system, t.from_screen, t.from_field, t.to_system, t.to_screen, t.to_field, t.scope,
    t."match", e.pair
