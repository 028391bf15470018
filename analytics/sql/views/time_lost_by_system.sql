-- Hours lost in each system, by cause.
--
-- grain: a system and a cause
-- inputs: time_cube, observed, intervals
-- columns:
--   system: the system; for switching, the one switched to
--   cause: the category of lost time
--   hours: hours lost
--   hours_per_person_week: hours lost in whole weeks per person-week
--   low: lower end of the 95 % interval of hours_per_person_week; null under ten people and where there is nothing to judge by
--   high: upper end of the 95 % interval of hours_per_person_week; null as `low`
--   share: share of all lost hours, 0 to 1
--   people: people who lost time so
WITH cells AS (
    SELECT
        coalesce(system, 'unknown') AS system, category AS cause,
        sum(microseconds) AS microseconds,
        sum(CASE WHEN whole_week THEN microseconds ELSE 0 END) AS whole_week_microseconds,
        count(DISTINCT worker) AS people
    FROM time_cube
    WHERE category_group = 'lost' AND microseconds > 0
    GROUP BY coalesce(system, 'unknown'), category
)
SELECT
    c.system, c.cause, c.microseconds / 3600000000.0 AS hours,
    CASE WHEN o.person_weeks > 0 THEN c.whole_week_microseconds / 3600000000.0 / o.person_weeks END
        AS hours_per_person_week,
    i.low, i.high,
    c.microseconds / CAST(sum(c.microseconds) OVER () AS DOUBLE) AS share,
    c.people
FROM cells c
CROSS JOIN observed o
LEFT JOIN intervals i ON i.view_name = 'time_lost_by_system' AND i.system = c.system AND i.cause = c.cause
