-- Hours lost in each organisation and role, by cause. Each group's rate has the person-weeks of that group: a person
-- who changed role within a week counts in both groups, so that person-weeks of groups may add up to more than all.
--
-- grain: an organisation, a role and a cause
-- inputs: time_cube, weeks_worked, intervals
-- columns:
--   organisation: organisation of the worker; `unknown` where nothing says
--   role: role of the worker; `unknown` where nothing says
--   cause: the category of lost time
--   hours: hours lost
--   hours_per_person_week: hours lost in whole weeks per person-week of the group
--   low: lower end of the 95 % interval; null under ten people and where there is nothing to judge by
--   high: upper end of the 95 % interval; null under ten people and where there is nothing to judge by
--   share: share of all lost hours, 0 to 1
--   people: people who lost time so
--   person_weeks: person-weeks of the group
WITH cells AS (
    SELECT
        coalesce(organisation, 'unknown') AS organisation, coalesce(role, 'unknown') AS role, category AS cause,
        sum(microseconds) AS microseconds,
        sum(CASE WHEN whole_week THEN microseconds ELSE 0 END) AS whole_week_microseconds,
        count(DISTINCT worker) AS people
    FROM time_cube
    WHERE category_group = 'lost' AND microseconds > 0
    GROUP BY coalesce(organisation, 'unknown'), coalesce(role, 'unknown'), category
),
members AS (
    SELECT DISTINCT
        coalesce(organisation, 'unknown') AS organisation, coalesce(role, 'unknown') AS role, worker, week
    FROM weeks_worked
    WHERE whole_week
),
groups AS (
    SELECT organisation, role, count(*) AS person_weeks FROM members GROUP BY organisation, role
)
SELECT
    c.organisation, c.role, c.cause, c.microseconds / 3600000000.0 AS hours,
    c.whole_week_microseconds / 3600000000.0 / g.person_weeks AS hours_per_person_week,
    i.low, i.high,
    c.microseconds / CAST(sum(c.microseconds) OVER () AS DOUBLE) AS share,
    c.people,
    coalesce(g.person_weeks, 0) AS person_weeks
FROM cells c
LEFT JOIN groups g ON g.organisation = c.organisation AND g.role = c.role
LEFT JOIN intervals i
    ON i.view_name = 'time_lost_by_group' AND i.organisation = c.organisation AND i.role = c.role AND i.cause = c.cause
