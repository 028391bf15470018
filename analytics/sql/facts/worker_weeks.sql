-- How long each worker worked on what, week by week. A week is whole when none of its working days, Monday to Friday without holidays, is
-- before the first day of the data or after the last: data which end on a Friday evening have all of their last week.
--
-- grain: worker, week, system, task and category
-- inputs: weekly_times, holidays
-- columns like: worker_weeks
WITH period AS (
    SELECT min(first_day) AS first_day, max(last_day) AS last_day FROM weekly_times
),
cube AS (
    SELECT
        worker, week, max(organisation) AS organisation, max(role) AS role, system, task, category,
        sum(microseconds) / 1e6 AS seconds
    FROM weekly_times
    GROUP BY worker, week, system, task, category
),
working_days AS (
    SELECT w.week, w.week + d.days AS day
    FROM (SELECT DISTINCT week FROM cube) w
    CROSS JOIN (VALUES
        (INTERVAL '0 days'), (INTERVAL '1 days'), (INTERVAL '2 days'), (INTERVAL '3 days'), (INTERVAL '4 days')
    ) AS d (days)
),
part_weeks AS (
    SELECT DISTINCT w.week
    FROM working_days w
    CROSS JOIN period p
    LEFT JOIN holidays h ON h.day = w.day
    WHERE h.day IS NULL AND (w.day < p.first_day OR w.day > p.last_day)
)
SELECT
    c.worker, c.week, c.organisation, c.role, c.system, c.task, c.category, c.seconds, p.week IS NULL AS whole_week
FROM cube c
LEFT JOIN part_weeks p ON p.week = c.week
