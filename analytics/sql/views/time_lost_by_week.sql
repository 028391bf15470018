-- Hours lost in each week, by cause. Re-entry looks back as far as the parameters say, so that early weeks of the data
-- see fewer sources than late ones: a rise of re-entry over the first weeks is no trend.
--
-- grain: an ISO week and a cause
-- inputs: time_cube, observed_weeks, intervals
-- columns:
--   week: Monday of the ISO week
--   cause: the category of lost time
--   whole_week: whether the week is whole in the data and in the scope
--   hours: hours lost
--   hours_per_person_week: hours lost per person-week of that week; null where the week is not whole
--   low: lower end of the 95 % interval; null under ten people and where there is nothing to judge by
--   high: upper end of the 95 % interval; null under ten people and where there is nothing to judge by
--   share: share of all lost hours, 0 to 1
--   people: people who lost time so
WITH cells AS (
    SELECT
        week, category AS cause,
        sum(microseconds) AS microseconds,
        count(DISTINCT worker) AS people
    FROM time_cube
    WHERE category_group = 'lost' AND microseconds > 0
    GROUP BY week, category
),
weeks AS (
    SELECT week, count(*) AS person_weeks FROM observed_weeks GROUP BY week
)
SELECT
    c.week, c.cause, w.week IS NOT NULL AS whole_week, c.microseconds / 3600000000.0 AS hours,
    c.microseconds / 3600000000.0 / w.person_weeks AS hours_per_person_week,
    i.low, i.high,
    c.microseconds / CAST(sum(c.microseconds) OVER () AS DOUBLE) AS share,
    c.people
FROM cells c
LEFT JOIN weeks w ON w.week = c.week
LEFT JOIN intervals i
    ON i.view_name = 'time_lost_by_week' AND i.week = CAST(c.week AS VARCHAR) AND i.cause = c.cause
