-- What to fix first: each thing that costs time, who it touches, and one sentence why. Ranked by hours a week.
--
-- grain: a thing to fix
-- inputs: re_entry_hotspots, re_entry_times, time_cube, observed, observed_workers, observed_weeks, staffing, parameters, intervals
-- columns:
--   rank: place by hours a week
--   kind: integrate (hand the value over), speed_up (waits), repair (outages; rejected entries), single_sign_on, save_work (work lost), simplify (within one system)
--   cause: what the time is lost to, as categories of `ledger` name it: two causes may ask for one kind of fix
--   system: the system to change
--   screen: the screen; null for the whole system
--   field: the field; null for the whole screen
--   from_system: system that holds the value already; null unless keyed again
--   from_screen: its screen
--   from_field: its field
--   hours: hours of all of it, weeks that are not whole included
--   hours_per_week: hours a week over everybody observed, in whole weeks; null without a whole week
--   low: lower end of the 95 % interval of hours_per_week; null under ten people and where there is nothing to judge by
--   high: upper end of the 95 % interval of hours_per_week; null as `low`
--   cost_per_year: hours a year at the hourly cost of each role, pounds; null where any of it has no cost; no saving in cash
--   people: people touched
--   rank_low: best place that the data allow, in 95 of 100 resamplings; null as `low`
--   rank_high: worst place that the data allow; null as `low`
--   trend: change of the hours per person-week from the first to the second half of the whole weeks, the first week left out, as a share of those before; values keyed again count if the field held them in the seven days before; null with fewer than two whole weeks on a side, and where nothing was lost in the first half
--   example_trace: hex trace id of an example
--   why: one sentence with the figures behind it
-- The halves of the whole weeks without the first, and of an odd number of weeks without the middle one.
WITH later_weeks AS (
    SELECT week, row_number() OVER (ORDER BY week) AS place, count(*) OVER () AS weeks
    FROM (SELECT DISTINCT week FROM observed_weeks WHERE week > (SELECT min(week) FROM observed_weeks))
),
halves AS (
    SELECT week, CASE WHEN place <= weeks / 2 THEN 1 WHEN place > weeks - weeks / 2 THEN 2 END AS half
    FROM later_weeks
    WHERE weeks >= 4
),
half_person_weeks AS (
    SELECT
        CAST(count(*) FILTER (WHERE h.half = 1) AS DOUBLE) AS first,
        CAST(count(*) FILTER (WHERE h.half = 2) AS DOUBLE) AS second
    FROM observed_weeks o
    JOIN halves h ON h.week = o.week
),
costs AS (
    SELECT w.worker, s.hourly_cost
    FROM observed_workers w
    JOIN staffing s ON s.organisation = w.organisation AND s.role = w.role
    WHERE s.hourly_cost IS NOT NULL
),
examples AS (
    SELECT
        t.from_system, t.from_screen, t.from_field, t.system AS to_system, t.screen AS to_screen, t.field AS to_field,
        hex(min(t.trace_id)) AS example_trace,
        sum(CASE WHEN t.whole_week THEN t.re_entry_microseconds * c.hourly_cost END) / 3600000000.0 AS cost,
        count(*) FILTER (WHERE t.whole_week AND t.re_entry_microseconds > 0 AND c.worker IS NULL) AS without_cost,
        sum(CASE WHEN h.half = 1 AND t.within_days <= 7 THEN t.re_entry_microseconds END) AS first_half,
        sum(CASE WHEN h.half = 2 AND t.within_days <= 7 THEN t.re_entry_microseconds ELSE 0 END) AS second_half
    FROM re_entry_times t
    LEFT JOIN halves h ON h.week = t.week
    LEFT JOIN costs c ON c.worker = t.worker
    GROUP BY t.from_system, t.from_screen, t.from_field, t.system, t.screen, t.field
),
again AS (
    SELECT
        CASE h.scope WHEN 'cross_system' THEN 'integrate' ELSE 'simplify' END AS kind,
        h.to_system AS system, h.to_screen AS screen, h.to_field AS field, h.from_system, h.from_screen, h.from_field,
        h.hours,
        h.hours_per_person_week * o.person_weeks / o.weeks AS hours_per_week, h.people, e.example_trace,
        e.cost, e.without_cost, e.first_half, e.second_half, 're_entry' AS cause,
        concat(
            h.people, CASE h.people WHEN 1 THEN ' person' ELSE ' people' END, ' keyed it again on ', h.cases,
            CASE h.cases WHEN 1 THEN ' case' ELSE ' cases' END, ' although ',
            CASE h.scope WHEN 'cross_system' THEN concat(h.from_system, ' ') ELSE concat('the screen ', h.from_screen, ' ')
            END,
            'held it already; the values agree on ', h.m, ' of ', h.n, ' cases, where chance would give ',
            round(h.expected, 1)
        ) AS why
    FROM re_entry_hotspots h
    JOIN examples e
        ON e.from_system = h.from_system AND e.from_screen = h.from_screen AND e.from_field = h.from_field
        AND e.to_system = h.to_system AND e.to_screen = h.to_screen AND e.to_field = h.to_field
    CROSS JOIN observed o
    WHERE h.verdict = 'established' AND h.hours > 0
),
-- The kind of a fix, and how far down its place is named.
sorted AS (
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
        worker, week, whole_week, microseconds, example_trace
    FROM time_cube
    WHERE category IN ('wait', 'unavailable', 'repeat_sign_in', 'rework') AND microseconds > 0 AND system IS NOT NULL
),
sums AS (
    SELECT
        kind, category, system, screen, field,
        sum(microseconds) / 3600000000.0 AS hours,
        sum(CASE WHEN whole_week THEN microseconds ELSE 0 END) / 3600000000.0 AS whole_week_hours,
        sum(CASE WHEN whole_week THEN microseconds * c.hourly_cost END) / 3600000000.0 AS cost,
        count(*) FILTER (WHERE whole_week AND c.worker IS NULL) AS without_cost,
        count(DISTINCT s.worker) AS people,
        min(example_trace) AS example_trace,
        sum(CASE WHEN h.half = 1 THEN microseconds END) AS first_half,
        sum(CASE WHEN h.half = 2 THEN microseconds ELSE 0 END) AS second_half
    FROM sorted s
    LEFT JOIN halves h ON h.week = s.week
    LEFT JOIN costs c ON c.worker = s.worker
    GROUP BY kind, category, system, screen, field
),
elsewise AS (
    SELECT
        s.kind, s.system, s.screen, s.field,
        CAST(NULL AS VARCHAR) AS from_system, CAST(NULL AS VARCHAR) AS from_screen, CAST(NULL AS VARCHAR) AS from_field,
        s.hours, CASE WHEN o.weeks > 0 THEN s.whole_week_hours / o.weeks END AS hours_per_week, s.people,
        hex(s.example_trace) AS example_trace, s.cost, s.without_cost, s.first_half, s.second_half, s.category AS cause,
        concat(
            s.people, CASE s.people WHEN 1 THEN ' person' ELSE ' people' END,
            CASE
                WHEN s.kind = 'speed_up' THEN ' waited for this screen beyond the tolerated time, '
                WHEN s.kind = 'single_sign_on' THEN ' signed in again on a day when they had signed in already, '
                WHEN s.kind = 'save_work' THEN ' entered again what the system had lost, '
                WHEN s.kind = 'repair' AND s.category = 'unavailable' THEN ' waited for a system that then failed, '
                WHEN s.kind = 'repair' THEN ' entered this field again after it was rejected, '
                ELSE ' entered this field again in the same task, '
            END,
            -- Of what takes seconds, 0.0 hours would say nothing.
            CASE
                WHEN s.hours >= 1.0 THEN concat(round(s.hours, 1), ' hours')
                WHEN s.hours * 60.0 >= 1.0 THEN concat(round(s.hours * 60.0, 1), ' minutes')
                ELSE concat(round(s.hours * 3600.0, 1), ' seconds')
            END,
            ' in all'
        ) AS why
    FROM sums s
    CROSS JOIN observed o
),
ranked AS (
    SELECT
        *,
        CAST(row_number() OVER (
            ORDER BY hours_per_week DESC NULLS LAST, hours DESC, kind, system, screen, field,
                from_system, from_screen, from_field
        ) AS BIGINT) AS rank
    FROM (
        SELECT kind, cause, system, screen, field, from_system, from_screen, from_field, hours, hours_per_week, cost,
            without_cost, first_half, second_half, people, example_trace, why
        FROM again
        UNION ALL
        SELECT kind, cause, system, screen, field, from_system, from_screen, from_field, hours, hours_per_week, cost,
            without_cost, first_half, second_half, people, example_trace, why
        FROM elsewise
    )
)
SELECT
    r.rank, r.kind, r.cause, r.system, r.screen, r.field, r.from_system, r.from_screen, r.from_field, r.hours,
    r.hours_per_week,
    i.low * o.person_weeks / o.weeks AS low, i.high * o.person_weeks / o.weeks AS high,
    CASE WHEN r.without_cost = 0 THEN
        r.cost / o.weeks * (SELECT value FROM parameters WHERE name = 'working_weeks')
    END AS cost_per_year,
    r.people, i.rank_low, i.rank_high,
    CASE WHEN r.first_half > 0 THEN (r.second_half / p.second) / (r.first_half / p.first) - 1 END AS trend,
    r.example_trace, r.why
FROM ranked r
CROSS JOIN observed o
CROSS JOIN half_person_weeks p
LEFT JOIN intervals i
    ON i.view_name = 'fixes' AND i.measure = r.kind AND i.cause = r.cause AND i.system = r.system
    AND (i.screen IS NOT DISTINCT FROM r.screen) AND (i.field IS NOT DISTINCT FROM r.field)
    AND (i.from_system IS NOT DISTINCT FROM r.from_system) AND (i.from_screen IS NOT DISTINCT FROM r.from_screen)
    AND (i.from_field IS NOT DISTINCT FROM r.from_field)
