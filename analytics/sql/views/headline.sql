-- The key figures. Rates are hours in whole ISO weeks per person-week (a worker in a whole week with at least one
-- activity); without a whole week they are not available (null). Totals are over everything in scope; they, the
-- quartiles and counts say what was observed and have no interval. What is estimated is so for the workforce of the
-- staffing table, without the places where nobody was observed (see `coverage`); null without that table. Its hours are
-- what the year costs in time, its cost what these hours cost to employ: no saving in cash.
--
-- grain: a measure
-- inputs: time_cube, observed, person_weeks, re_entry_matrix, coverage, intervals
-- columns:
--   measure: its name
--   value: its value; null when not available
--   low: lower end of the 95 % interval of the value; null under ten people and where there is nothing to judge by
--   high: upper end of the 95 % interval of the value; null as `low`
--   unit: its unit
--   people: people behind it
--   person_weeks: person-weeks behind it
--   coverage: people observed in whole weeks over headcount; null without a staffing table
--   grade: evidence grade: measured, estimated, reported or assumed
WITH whole AS (
    SELECT
        sum(CASE WHEN category_group = 'lost' THEN microseconds ELSE 0 END) / 3600000000.0 AS lost,
        sum(CASE WHEN category_group <> 'outside' THEN microseconds ELSE 0 END) / 3600000000.0 AS active,
        sum(CASE WHEN category = 're_entry' THEN microseconds ELSE 0 END) / 3600000000.0 AS re_entry,
        sum(CASE WHEN category = 'rework' THEN microseconds ELSE 0 END) / 3600000000.0 AS rework,
        sum(CASE WHEN category = 'wait' THEN microseconds ELSE 0 END) / 3600000000.0 AS wait,
        sum(CASE WHEN category = 'unavailable' THEN microseconds ELSE 0 END) / 3600000000.0 AS unavailable,
        sum(CASE WHEN category = 'switching' THEN microseconds ELSE 0 END) / 3600000000.0 AS switching,
        sum(CASE WHEN category = 'repeat_sign_in' THEN microseconds ELSE 0 END) / 3600000000.0 AS repeat_sign_in
    FROM time_cube
    WHERE whole_week
),
everything AS (
    SELECT
        sum(CASE WHEN category_group = 'lost' THEN microseconds ELSE 0 END) / 3600000000.0 AS lost,
        sum(CASE WHEN category_group <> 'outside' THEN microseconds ELSE 0 END) / 3600000000.0 AS active,
        count(DISTINCT worker) AS people
    FROM time_cube
),
spread AS (
    SELECT
        percentile_cont(lost_hours, 0.25) AS lower_quartile,
        percentile_cont(lost_hours, 0.5) AS median,
        percentile_cont(lost_hours, 0.75) AS upper_quartile
    FROM person_weeks
),
again AS (
    SELECT coalesce(sum(re_entries), 0.0) AS re_entries FROM re_entry_matrix
),
workforce AS (
    SELECT
        CASE WHEN sum(headcount) > 0 THEN
            sum(CASE WHEN headcount > 0 THEN observed END) / CAST(sum(headcount) AS DOUBLE)
        END AS coverage,
        sum(CASE WHEN estimated THEN observed END) AS people
    FROM coverage
),
measures AS (
    SELECT
        column1 AS measure, column2 AS unit, column3 AS weekly,
        column1 LIKE '%_estimated' OR column1 LIKE 'cost_%' AS estimated
    FROM (VALUES
        ('lost_hours_per_person_week', 'hours per person-week', true),
        ('lost_hours_per_person_week_lower_quartile', 'hours per person-week', true),
        ('lost_hours_per_person_week_median', 'hours per person-week', true),
        ('lost_hours_per_person_week_upper_quartile', 'hours per person-week', true),
        ('re_entry_hours_per_person_week', 'hours per person-week', true),
        ('rework_hours_per_person_week', 'hours per person-week', true),
        ('wait_hours_per_person_week', 'hours per person-week', true),
        ('unavailable_hours_per_person_week', 'hours per person-week', true),
        ('switching_hours_per_person_week', 'hours per person-week', true),
        ('repeat_sign_in_hours_per_person_week', 'hours per person-week', true),
        ('active_hours_per_person_week', 'hours per person-week', true),
        ('share_lost', 'share of active hours', false),
        ('lost_hours_per_person_week_estimated', 'hours per person-week', true),
        ('lost_hours_per_year_estimated', 'hours a year', true),
        ('cost_of_lost_hours_per_year', 'pounds a year', true),
        ('lost_hours', 'hours', false),
        ('active_hours', 'hours', false),
        ('re_entries', 'entries', false),
        ('people', 'people', false),
        ('person_weeks', 'person-weeks', true)
    )
)
SELECT
    m.measure,
    CASE m.measure
        WHEN 'lost_hours_per_person_week_lower_quartile' THEN s.lower_quartile
        WHEN 'lost_hours_per_person_week_median' THEN s.median
        WHEN 'lost_hours_per_person_week_upper_quartile' THEN s.upper_quartile
        WHEN 'share_lost' THEN CASE WHEN e.active > 0 THEN e.lost / e.active END
        WHEN 'lost_hours' THEN coalesce(e.lost, 0.0)
        WHEN 'active_hours' THEN coalesce(e.active, 0.0)
        WHEN 're_entries' THEN a.re_entries
        WHEN 'people' THEN CAST(e.people AS DOUBLE)
        WHEN 'person_weeks' THEN CAST(o.person_weeks AS DOUBLE)
        WHEN 'lost_hours_per_person_week_estimated' THEN i.value
        WHEN 'lost_hours_per_year_estimated' THEN i.value
        WHEN 'cost_of_lost_hours_per_year' THEN i.value
        ELSE CASE WHEN o.person_weeks > 0 THEN
            CASE m.measure
                WHEN 'lost_hours_per_person_week' THEN w.lost
                WHEN 're_entry_hours_per_person_week' THEN w.re_entry
                WHEN 'rework_hours_per_person_week' THEN w.rework
                WHEN 'wait_hours_per_person_week' THEN w.wait
                WHEN 'unavailable_hours_per_person_week' THEN w.unavailable
                WHEN 'switching_hours_per_person_week' THEN w.switching
                WHEN 'repeat_sign_in_hours_per_person_week' THEN w.repeat_sign_in
                WHEN 'active_hours_per_person_week' THEN w.active
            END / o.person_weeks
        END
    END AS value,
    i.low,
    i.high,
    m.unit,
    CASE WHEN m.estimated THEN coalesce(f.people, 0) WHEN m.weekly THEN o.people ELSE e.people END AS people,
    o.person_weeks,
    f.coverage,
    CASE WHEN m.estimated THEN 'estimated' ELSE 'measured' END AS grade
FROM measures m
CROSS JOIN whole w
CROSS JOIN everything e
CROSS JOIN spread s
CROSS JOIN again a
CROSS JOIN observed o
CROSS JOIN workforce f
LEFT JOIN intervals i ON i.view_name = 'headline' AND i.measure = m.measure
