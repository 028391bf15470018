-- Time of targets whose source is established, with that source: what re-entry is added up from. A working view: ids
-- stay binary.
--
-- grain: a target with an established source, and the day, task, function, organisation and role of its time
-- inputs: matched_times, list_sources, observed_weeks
-- columns like: matched_times
-- columns:
--   task: the task's name; `unnamed` for a run of work on one case, `unattributed` where there is neither case nor task
--   whole_week: whether the week is whole, so that it counts for rates
--   microseconds: time of the target's chain, before weighing
--   re_entry_microseconds: the part of it that is re-entry: certainty times the time
--   from_system: system where the value was held
--   from_screen: screen where the value was held
--   from_field: field where the value was held; for join, the one that gave most parts
--   scope: cross_system or within_system
--   match: whole, split or join
--   pair: number of the pair of fields
--   certainty: of the pair of fields
--   within_days: 1, 7, 28 or 90: the fewest of these days within which the source field held the value last; null beyond
SELECT
    m.worker, m.span_id, m.case_id, m.system, m.screen, m.field, m.function,
    coalesce(m.task, CASE WHEN m.attributed THEN 'unnamed' ELSE 'unattributed' END) AS task,
    m.organisation, m.role, m.targets, m.microseconds,
    CAST(round(s.certainty * m.microseconds) AS BIGINT) AS re_entry_microseconds,
    m.trace_id, m.day, m.week, w.week IS NOT NULL AS whole_week,
    s.from_system, s.from_screen, s.from_field, s.scope, s."match", s.pair, s.certainty, s.within_days
FROM matched_times m
JOIN (SELECT * FROM list_sources WHERE verdict = 'established') s ON s.list = m.list
LEFT JOIN (SELECT DISTINCT week FROM observed_weeks) w ON w.week = m.week
