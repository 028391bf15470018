-- What each worker has in each figure that gets an interval: all that resampling of workers needs. A figure is the sum
-- of its parts, in hours or counted, over the sum of `per`, or over person-weeks where no part of it says so. Parts with a
-- pair are matches before weighing: the certainty of the pair times the part counts. A working view: ids stay binary.
-- Weeks and groups have re-entry weighed already: their certainties are held.
--
-- grain: a figure, a worker and, for re-entry, a pair of fields
-- inputs: worker_time, worker_re_entries, categories, time_cube, observed_weeks, weeks_worked, task_instances, task_effort, re_entry_times, main_system
-- columns:
--   view_name: view that shows the figure
--   measure: measure of `headline`, kind of `fixes`, what a claim of `claims` is about; else null
--   cause: category of lost time; null for `headline`, and for all causes of a system or task together
--   system: the system
--   task: the task
--   screen: the screen
--   field: the field
--   from_system: system where the value was held
--   from_screen: screen where the value was held
--   from_field: field where the value was held
--   week: Monday of the week of `time_lost_by_week`, ISO
--   organisation: organisation of a group of `time_lost_by_group`
--   role: role of such a group
--   worker: keyed hash of the person
--   pair: number of the pair of fields; null for time that does not depend on certainty
--   microseconds: time; 0 where something else is counted
--   counted: fields or systems, where the figure counts these; null for time
--   per: hours, person-weeks of a week or group, or instances of tasks that the figure is a share of; null where it is per person-week of all
WITH lost AS (
    SELECT *
    FROM worker_time
    WHERE category_group = 'lost' AND category <> 're_entry'
),
active AS (
    SELECT
        worker, sum(microseconds) AS microseconds, sum(whole_week_microseconds) AS whole_week_microseconds
    FROM worker_time
    WHERE category_group <> 'outside'
    GROUP BY worker
),
again AS (
    SELECT
        *, CASE scope WHEN 'cross_system' THEN 'integrate' ELSE 'simplify' END AS kind,
        (SELECT max(category_group) FROM categories WHERE category = 're_entry') = 'lost' AS is_lost
    FROM worker_re_entries
),
fixable AS (
    SELECT
        CASE
            WHEN category = 'wait' THEN 'speed_up'
            WHEN category = 'unavailable' THEN 'repair'
            WHEN category = 'repeat_sign_in' THEN 'single_sign_on'
            WHEN category = 'rework' AND rework_cause = 'lost_work' THEN 'save_work'
            WHEN category = 'rework' AND rework_cause = 'correction' THEN 'repair'
            ELSE 'simplify'
        END AS kind,
        category, system,
        CASE WHEN category IN ('wait', 'rework') THEN screen END AS screen,
        CASE WHEN category = 'rework' AND rework_cause IS DISTINCT FROM 'lost_work' THEN field END AS field,
        worker, whole_week_microseconds
    FROM worker_time
    WHERE category IN ('wait', 'unavailable', 'repeat_sign_in', 'rework') AND system IS NOT NULL
),
parts AS (
    -- The key figures.
    SELECT
        'headline' AS view_name, concat(category, '_hours_per_person_week') AS measure, NULL AS cause, NULL AS system,
        NULL AS task, NULL AS screen, NULL AS field, NULL AS from_system, NULL AS from_screen, NULL AS from_field,
        worker, NULL AS pair, sum(whole_week_microseconds) AS microseconds, NULL AS per
    FROM lost GROUP BY worker, category
    UNION ALL
    SELECT
        'headline', 'lost_hours_per_person_week', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
        worker, NULL, sum(whole_week_microseconds), NULL
    FROM lost GROUP BY worker
    UNION ALL
    SELECT
        'headline', 'active_hours_per_person_week', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
        worker, NULL, whole_week_microseconds, NULL
    FROM active
    UNION ALL
    SELECT
        'headline', 'share_lost', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, worker, NULL, sum(microseconds), NULL
    FROM lost GROUP BY worker
    UNION ALL
    SELECT
        'headline', 'share_lost', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
        worker, NULL, 0, microseconds / 3600000000.0
    FROM active
    UNION ALL
    SELECT
        'headline', 're_entry_hours_per_person_week', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
        worker, pair, sum(whole_week_microseconds), NULL
    FROM again GROUP BY worker, pair
    UNION ALL
    SELECT
        'headline', 'lost_hours_per_person_week', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
        worker, pair, sum(whole_week_microseconds), NULL
    FROM again WHERE is_lost GROUP BY worker, pair
    UNION ALL
    SELECT
        'headline', 'share_lost', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, worker, pair, sum(microseconds), NULL
    FROM again WHERE is_lost GROUP BY worker, pair
    -- The claims that no other figure answers.
    UNION ALL
    SELECT
        'claims', 're_entry_across_systems', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
        worker, pair, sum(whole_week_microseconds), NULL
    FROM again WHERE scope = 'cross_system' GROUP BY worker, pair
    UNION ALL
    SELECT
        'claims', 'lost_work_and_unavailable', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
        worker, NULL, sum(whole_week_microseconds), NULL
    FROM worker_time WHERE category = 'unavailable' OR rework_cause = 'lost_work' GROUP BY worker
    -- By system, by task.
    UNION ALL
    SELECT
        'time_lost_by_system', NULL, category, coalesce(system, 'unknown'), NULL, NULL, NULL, NULL, NULL, NULL,
        worker, NULL, sum(whole_week_microseconds), NULL
    FROM lost GROUP BY worker, category, coalesce(system, 'unknown')
    UNION ALL
    SELECT
        'time_lost_by_system', NULL, 're_entry', to_system, NULL, NULL, NULL, NULL, NULL, NULL,
        worker, pair, sum(whole_week_microseconds), NULL
    FROM again WHERE is_lost GROUP BY worker, pair, to_system
    UNION ALL
    SELECT
        'time_lost_by_task', NULL, category, NULL, task, NULL, NULL, NULL, NULL, NULL,
        worker, NULL, sum(whole_week_microseconds), NULL
    FROM lost GROUP BY worker, category, task
    UNION ALL
    SELECT
        'time_lost_by_task', NULL, 're_entry', NULL, task, NULL, NULL, NULL, NULL, NULL,
        worker, pair, sum(whole_week_microseconds), NULL
    FROM again WHERE is_lost GROUP BY worker, pair, task
    UNION ALL
    SELECT
        'time_lost_by_system', NULL, NULL, coalesce(system, 'unknown'), NULL, NULL, NULL, NULL, NULL, NULL,
        worker, NULL, sum(whole_week_microseconds), NULL
    FROM lost GROUP BY worker, coalesce(system, 'unknown')
    UNION ALL
    SELECT
        'time_lost_by_system', NULL, NULL, to_system, NULL, NULL, NULL, NULL, NULL, NULL,
        worker, pair, sum(whole_week_microseconds), NULL
    FROM again WHERE is_lost GROUP BY worker, pair, to_system
    UNION ALL
    SELECT
        'time_lost_by_task', NULL, NULL, NULL, task, NULL, NULL, NULL, NULL, NULL,
        worker, NULL, sum(whole_week_microseconds), NULL
    FROM lost GROUP BY worker, task
    UNION ALL
    SELECT
        'time_lost_by_task', NULL, NULL, NULL, task, NULL, NULL, NULL, NULL, NULL,
        worker, pair, sum(whole_week_microseconds), NULL
    FROM again WHERE is_lost GROUP BY worker, pair, task
    -- Field by field, and what to fix.
    UNION ALL
    SELECT
        're_entry_hotspots', NULL, 're_entry', to_system, NULL, to_screen, to_field, from_system, from_screen, from_field,
        worker, pair, sum(whole_week_microseconds), NULL
    FROM again GROUP BY worker, pair, to_system, to_screen, to_field, from_system, from_screen, from_field
    UNION ALL
    SELECT
        'fixes', kind, 're_entry', to_system, NULL, to_screen, to_field, from_system, from_screen, from_field,
        worker, pair, sum(whole_week_microseconds), NULL
    FROM again GROUP BY worker, pair, kind, to_system, to_screen, to_field, from_system, from_screen, from_field
    UNION ALL
    SELECT
        'fixes', kind, category, system, NULL, screen, field, NULL, NULL, NULL,
        worker, NULL, sum(whole_week_microseconds), NULL
    FROM fixable GROUP BY worker, kind, category, system, screen, field
),
weekly AS (
    SELECT worker, week, category AS cause, sum(microseconds) AS microseconds
    FROM time_cube
    WHERE whole_week AND category_group = 'lost' AND microseconds > 0
    GROUP BY worker, week, category
),
grouped AS (
    SELECT
        worker, coalesce(organisation, 'unknown') AS organisation, coalesce(role, 'unknown') AS role,
        category AS cause, sum(microseconds) AS microseconds
    FROM time_cube
    WHERE whole_week AND category_group = 'lost' AND microseconds > 0
    GROUP BY worker, coalesce(organisation, 'unknown'), coalesce(role, 'unknown'), category
),
members AS (
    SELECT
        worker, coalesce(organisation, 'unknown') AS organisation, coalesce(role, 'unknown') AS role,
        count(DISTINCT week) AS person_weeks
    FROM weeks_worked
    WHERE whole_week
    GROUP BY worker, coalesce(organisation, 'unknown'), coalesce(role, 'unknown')
),
-- What claims say of tasks and of a system: what is counted, and over how many instances or hours.
instances AS (
    SELECT
        i.worker, i.task, sum(i.systems) AS systems, count(*) AS instances, e.main_system
    FROM (SELECT worker, systems, coalesce(task, 'unnamed') AS task FROM task_instances WHERE worker IS NOT NULL) i
    JOIN task_effort e ON e.task = i.task
    GROUP BY i.worker, i.task, e.main_system
),
claimed AS (
    SELECT
        'fields_again_per_task' AS measure, worker, pair, 0 AS microseconds, CAST(sum(targets) AS DOUBLE) AS counted,
        NULL AS per
    FROM re_entry_times
    WHERE task IN (SELECT task FROM task_effort WHERE main_system IN ('oasys', 'rsr', 'cas'))
    GROUP BY worker, pair
    UNION ALL
    SELECT 'fields_again_per_task', worker, NULL, 0, 0.0, CAST(sum(instances) AS DOUBLE)
    FROM instances WHERE main_system IN ('oasys', 'rsr', 'cas') GROUP BY worker
    UNION ALL
    SELECT
        'systems_per_task', worker, NULL, 0, CAST(sum(systems) AS DOUBLE), CAST(sum(instances) AS DOUBLE)
    FROM instances WHERE task <> 'unnamed' GROUP BY worker
    UNION ALL
    SELECT
        'share_of_management_functions', c.worker, NULL,
        sum(CASE WHEN c.function IN ('performance_management', 'contract_management') THEN c.microseconds ELSE 0 END),
        NULL, sum(c.microseconds) / 3600000000.0
    FROM time_cube c
    JOIN main_system m ON m.system = c.system
    WHERE c.category_group IS DISTINCT FROM 'outside'
    GROUP BY c.worker
),
-- Time, and for each figure the person-weeks that it is a share of.
placed AS (
    SELECT
        'time_lost_by_week' AS view_name, cause, CAST(week AS VARCHAR) AS week, NULL AS organisation, NULL AS role,
        worker, microseconds, NULL AS per
    FROM weekly
    UNION ALL
    SELECT 'time_lost_by_week', w.cause, CAST(w.week AS VARCHAR), NULL, NULL, o.worker, 0, 1.0
    FROM (SELECT DISTINCT week, cause FROM weekly) w
    JOIN observed_weeks o ON o.week = w.week
    UNION ALL
    SELECT 'time_lost_by_group', cause, NULL, organisation, role, worker, microseconds, NULL
    FROM grouped
    UNION ALL
    SELECT 'time_lost_by_group', g.cause, NULL, g.organisation, g.role, m.worker, 0, CAST(m.person_weeks AS DOUBLE)
    FROM (SELECT DISTINCT organisation, role, cause FROM grouped) g
    JOIN members m ON m.organisation = g.organisation AND m.role = g.role
)
SELECT
    view_name, measure, cause, system, task, screen, field, from_system, from_screen, from_field,
    NULL AS week, NULL AS organisation, NULL AS role, worker, pair, microseconds, NULL AS counted, per
FROM parts
WHERE microseconds > 0 OR per > 0
UNION ALL
SELECT
    'claims', measure, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    worker, pair, microseconds, counted, per
FROM claimed
UNION ALL
SELECT
    view_name, NULL, cause, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    week, organisation, role, worker, NULL, microseconds, NULL, per
FROM placed
