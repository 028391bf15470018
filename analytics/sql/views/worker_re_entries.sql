-- The time of established matches before weighing, by worker and pair of fields, added up over the weeks: certainty
-- times it is re-entry. A working view: ids stay binary.
--
-- grain: worker, task, source field, target field and kind of match
-- inputs: re_entry_times
-- columns like: re_entry_times
-- columns:
--   to_system: system of the target
--   to_screen: screen of the target
--   to_field: field of the target
--   pair: number of the pair of fields
--   microseconds: time of the matched targets, before weighing, over everything in scope
--   whole_week_microseconds: the part of it in whole weeks
SELECT
    worker, task, from_system, from_screen, from_field, system AS to_system, screen AS to_screen, field AS to_field, scope,
    "match", pair,
    sum(microseconds) AS microseconds,
    sum(CASE WHEN whole_week THEN microseconds ELSE 0 END) AS whole_week_microseconds
FROM re_entry_times
WHERE microseconds > 0
GROUP BY worker, task, from_system, from_screen, from_field, system, screen, field, scope, "match", pair
