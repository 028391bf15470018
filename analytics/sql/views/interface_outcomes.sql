-- What each organisation of an interface loses a week to keying again what the interface carries, from one whole week to
-- the next. The first whole week is left out: fewer sources of re-entry are known in it than in those that follow.
--
-- grain: an interface, organisation and whole ISO week
-- inputs: go_lives, placed_weeks, interface_weeks, observed_weeks
-- columns:
--   interface: name of the interface
--   organisation: the organisation
--   week: Monday of the ISO week
--   live_week: Monday of the week in which it went live; null when it never did
--   hours_per_person_week: hours of re-entry from the interface's one system into its other, per person-week of the organisation
--   person_weeks: person-weeks of the organisation
WITH present AS (
    SELECT organisation, week, count(*) AS person_weeks FROM placed_weeks GROUP BY organisation, week
),
again AS (
    SELECT from_system, to_system, organisation, week, sum(hours) AS hours
    FROM interface_weeks
    GROUP BY from_system, to_system, organisation, week
)
SELECT
    g.interface, g.organisation, p.week, CAST(date_trunc('week', g.went_live_on) AS DATE) AS live_week,
    coalesce(a.hours, 0.0) / p.person_weeks AS hours_per_person_week, p.person_weeks
FROM go_lives g
JOIN present p ON p.organisation = g.organisation
LEFT JOIN again a
    ON a.from_system = g.from_system AND a.to_system = g.to_system AND a.organisation = p.organisation
    AND a.week = p.week
WHERE p.week > (SELECT min(week) FROM observed_weeks)
