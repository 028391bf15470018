-- Hours lost in each task, by cause.
--
-- grain: a task and a cause
-- inputs: time_cube, task_instances, observed, intervals
-- columns:
--   task: the task's name; `unnamed` for a run of work on one case, `unattributed` where there is neither case nor task
--   cause: the category of lost time
--   hours: hours lost
--   hours_per_person_week: hours lost in whole weeks per person-week
--   low: lower end of the 95 % interval of hours_per_person_week; null under ten people and where there is nothing to judge by
--   high: upper end of the 95 % interval of hours_per_person_week; null as `low`
--   share: share of all lost hours, 0 to 1
--   people: people who lost time so
--   instances: instances of the task, those that lost no time so included
--   minutes_per_instance: minutes lost per instance; null where there is none
WITH cells AS (
    SELECT
        task, category AS cause,
        sum(microseconds) AS microseconds,
        sum(CASE WHEN whole_week THEN microseconds ELSE 0 END) AS whole_week_microseconds,
        count(DISTINCT worker) AS people
    FROM time_cube
    WHERE category_group = 'lost' AND microseconds > 0
    GROUP BY task, category
),
instances AS (
    SELECT coalesce(task, 'unnamed') AS task, count(*) AS instances
    FROM task_instances
    GROUP BY coalesce(task, 'unnamed')
)
SELECT
    c.task, c.cause, c.microseconds / 3600000000.0 AS hours,
    CASE WHEN o.person_weeks > 0 THEN c.whole_week_microseconds / 3600000000.0 / o.person_weeks END
        AS hours_per_person_week,
    v.low, v.high,
    c.microseconds / CAST(sum(c.microseconds) OVER () AS DOUBLE) AS share,
    c.people,
    coalesce(i.instances, 0) AS instances,
    c.microseconds / 60000000.0 / i.instances AS minutes_per_instance
FROM cells c
LEFT JOIN instances i ON i.task = c.task
CROSS JOIN observed o
LEFT JOIN intervals v ON v.view_name = 'time_lost_by_task' AND v.task = c.task AND v.cause = c.cause
