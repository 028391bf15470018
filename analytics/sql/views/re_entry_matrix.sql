-- Re-entry from system to system: how often, and how long it took.
--
-- grain: a source system and a target system
-- inputs: target_sources, observed, observed_weeks
-- columns:
--   from_system: system where the estate held the value first
--   to_system: system where it was keyed again; the same for re-entry within a system
--   re_entries: expected number of re-entries, certainties added up
--   hours: hours of re-entry
--   hours_per_person_week: hours of re-entry in whole weeks per person-week
--   cases: cases touched
WITH cells AS (
    SELECT
        t.from_system, t.to_system,
        sum(t.certainty) AS re_entries,
        sum(t.re_entry_microseconds) / 3600000000.0 AS hours,
        sum(CASE WHEN w.week IS NOT NULL THEN t.re_entry_microseconds ELSE 0 END) / 3600000000.0 AS whole_week_hours,
        count(DISTINCT t.case_id) AS cases
    FROM target_sources t
    LEFT JOIN (SELECT DISTINCT week FROM observed_weeks) w ON w.week = t.week
    WHERE t.verdict = 'established'
    GROUP BY t.from_system, t.to_system
)
SELECT
    c.from_system, c.to_system, c.re_entries, c.hours,
    CASE WHEN o.person_weeks > 0 THEN c.whole_week_hours / o.person_weeks END AS hours_per_person_week,
    c.cases
FROM cells c
CROSS JOIN observed o
