-- Re-entry from system to system: how often, and how long it took.
--
-- grain: a source system and a target system
-- inputs: re_entry_times, observed
-- columns:
--   from_system: system where the estate held the value first
--   to_system: system where it was keyed again; the same for re-entry within a system
--   re_entries: expected number of re-entries, certainties added up
--   hours: hours of re-entry
--   hours_per_person_week: hours of re-entry in whole weeks per person-week
--   cases: cases touched
WITH cells AS (
    SELECT
        from_system, system AS to_system,
        sum(certainty * targets) AS re_entries,
        sum(re_entry_microseconds) / 3600000000.0 AS hours,
        sum(CASE WHEN whole_week THEN re_entry_microseconds ELSE 0 END) / 3600000000.0 AS whole_week_hours,
        count(DISTINCT case_id) AS cases
    FROM re_entry_times
    GROUP BY from_system, system
)
SELECT
    c.from_system, c.to_system, c.re_entries, c.hours,
    CASE WHEN o.person_weeks > 0 THEN c.whole_week_hours / o.person_weeks END AS hours_per_person_week,
    c.cases
FROM cells c
CROSS JOIN observed o
