-- What keying again from one system into another cost each organisation and role in each whole week: what an interface
-- between the two could have saved.
--
-- grain: source system, target system, organisation, role and whole ISO week with re-entry
-- inputs: re_entry_times, placed_weeks
-- columns:
--   from_system: system that held the value
--   to_system: system into which it was keyed again
--   organisation: organisation of who keyed it again
--   role: their role
--   week: Monday of the ISO week
--   hours: hours of re-entry
SELECT
    t.from_system, t.system AS to_system, p.organisation, p.role, t.week,
    sum(t.re_entry_microseconds) / 3600000000.0 AS hours
FROM re_entry_times t
JOIN placed_weeks p ON p.worker = t.worker AND p.week = t.week
WHERE t.scope = 'cross_system'
GROUP BY t.from_system, t.system, p.organisation, p.role, t.week
