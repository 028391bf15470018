-- What doing a task once takes: minutes, screens, systems and changes between them, and fields keyed although the
-- estate held their values.
--
-- grain: a task
-- inputs: task_instances, time_cube, re_entry_times
-- columns:
--   task: the task's name; `unnamed` for a run of work on one case
--   main_system: the system in which the task takes longest
--   instances: instances of the task
--   people: people who did it
--   minutes: active minutes per instance
--   lost_minutes: minutes lost per instance
--   systems: systems per instance
--   switches: changes of system per instance
--   screens: screens per instance
--   entries: entries and choices per instance
--   re_entered_fields: fields per instance keyed again, certainties added up; within and across systems
WITH counts AS (
    SELECT
        coalesce(task, 'unnamed') AS task, count(*) AS instances, count(DISTINCT worker) AS people,
        avg(active_seconds) / 60.0 AS minutes, avg(CAST(systems AS DOUBLE)) AS systems,
        avg(CAST(switches AS DOUBLE)) AS switches, avg(CAST(screens AS DOUBLE)) AS screens,
        avg(CAST(entries AS DOUBLE)) AS entries
    FROM task_instances
    GROUP BY coalesce(task, 'unnamed')
),
times AS (
    SELECT
        task, system, sum(microseconds) AS microseconds,
        sum(CASE WHEN category_group = 'lost' THEN microseconds ELSE 0 END) AS lost_microseconds
    FROM time_cube
    WHERE category_group <> 'outside'
    GROUP BY task, system
),
places AS (
    SELECT
        task, first_value(system ORDER BY microseconds DESC, system) AS main_system,
        sum(lost_microseconds) AS lost_microseconds
    FROM times
    GROUP BY task
),
again AS (
    SELECT task, sum(certainty * targets) AS fields FROM re_entry_times GROUP BY task
)
SELECT
    c.task, p.main_system, c.instances, c.people, c.minutes,
    coalesce(p.lost_microseconds, 0) / 60000000.0 / c.instances AS lost_minutes,
    c.systems, c.switches, c.screens, c.entries,
    coalesce(a.fields, 0.0) / c.instances AS re_entered_fields
FROM counts c
LEFT JOIN places p ON p.task = c.task
LEFT JOIN again a ON a.task = c.task
