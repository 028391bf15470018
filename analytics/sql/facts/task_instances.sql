-- Task instances, added up from what each worker did for them on each screen. The worker, the release and the case are
-- those with most active time (the least id decides where two are equal).
--
-- grain: a task done once
-- inputs: task_parts
-- columns like: task_instances
WITH workers AS (
    SELECT
        task_instance, worker, max(organisation) AS organisation, max(role) AS role,
        row_number() OVER (PARTITION BY task_instance ORDER BY sum(active_us) DESC, worker) AS place
    FROM task_parts
    GROUP BY task_instance, worker
),
screens AS (
    SELECT task_instance, system, screen, sum(active_us) AS active_us
    FROM task_parts
    GROUP BY task_instance, system, screen
),
systems AS (
    SELECT task_instance, system, sum(active_us) AS active_us, count(screen) AS screens
    FROM screens
    GROUP BY task_instance, system
),
breadth AS (
    SELECT task_instance, count(system) AS systems, sum(screens) AS screens FROM systems GROUP BY task_instance
),
main_systems AS (
    SELECT
        task_instance, system,
        row_number() OVER (PARTITION BY task_instance ORDER BY active_us DESC, system) AS place
    FROM systems
),
releases AS (
    SELECT
        p.task_instance, p."release",
        row_number() OVER (PARTITION BY p.task_instance ORDER BY sum(p.active_us) DESC, p."release") AS place
    FROM task_parts p
    JOIN main_systems m
        ON m.task_instance = p.task_instance AND m.place = 1 AND m.system IS NOT DISTINCT FROM p.system
    GROUP BY p.task_instance, p."release"
),
cases AS (
    SELECT
        task_instance, case_id,
        row_number() OVER (PARTITION BY task_instance ORDER BY sum(active_us) DESC, case_id) AS place
    FROM task_parts
    WHERE case_id IS NOT NULL
    GROUP BY task_instance, case_id
),
sums AS (
    SELECT
        task_instance, min(task) AS task, min(delimiter) AS delimiter, min(started_us) AS started_us,
        max(ended_us) AS ended_us, sum(active_us) AS active_us, sum(lost_us) AS lost_us,
        sum(switches) AS switches,
        sum(entries) AS entries, sum(re_entries) AS re_entries, sum(rework) AS rework, sum(waits) AS waits,
        min(day) AS day
    FROM task_parts
    GROUP BY task_instance
)
SELECT
    s.task_instance, s.task, s.delimiter, w.worker, w.organisation, w.role, c.case_id,
    arrow_cast(s.started_us, 'Timestamp(Microsecond, Some("UTC"))') AS started_at,
    arrow_cast(s.ended_us, 'Timestamp(Microsecond, Some("UTC"))') AS ended_at,
    s.active_us / 1e6 AS active_seconds, s.lost_us / 1e6 AS lost_seconds,
    b.systems, s.switches, b.screens, s.entries, s.re_entries, s.rework, s.waits, r."release", s.day
FROM sums s
JOIN breadth b ON b.task_instance = s.task_instance
JOIN workers w ON w.task_instance = s.task_instance AND w.place = 1
LEFT JOIN releases r ON r.task_instance = s.task_instance AND r.place = 1
LEFT JOIN cases c ON c.task_instance = s.task_instance AND c.place = 1
