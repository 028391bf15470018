-- The ten claims that were made in public about the case systems of probation, each with what the data say of it: one
-- figure and the query that gives it, runnable as it stands; a verdict with its reason; or plainly why there is none.
-- The figure of a claim is the one by which it stands or falls; the verdict names what stands beside it.
--
-- grain: a claim
-- inputs: headline, observed, re_entry_matrix, re_entry_pairs, main_system, time_lost_by_system, task_effort, attributed_hours, cost_of_delay, go_lives, time_use, time_by_function, releases, release_effects, time_cube, intervals
-- columns:
--   number: its number
--   claim: what is claimed
--   figure: what was found; null when not available
--   low: lower end of the 95 % interval; null where there is none
--   high: upper end of the 95 % interval; null where there is none
--   unit: unit of the figure
--   grade: evidence grade: measured, estimated, reported or assumed
--   verdict: supported, not supported or not available, and why
--   query: the SQL that gives the figure
WITH again AS (
    SELECT
        coalesce(sum(m.hours_per_person_week), CASE WHEN max(o.person_weeks) > 0 THEN 0.0 END) AS figure,
        coalesce(sum(m.re_entries), 0.0) AS re_entries
    FROM observed o
    LEFT JOIN re_entry_matrix m ON m.from_system <> m.to_system
),
main AS (
    SELECT sum(t.hours_per_person_week) AS figure, max(m.system) AS system
    FROM main_system m
    LEFT JOIN time_lost_by_system t ON t.system = m.system
),
tools AS (
    SELECT
        sum(re_entered_fields * instances) / sum(instances) AS figure,
        sum(minutes * instances) / sum(instances) AS minutes,
        sum(screens * instances) / sum(instances) AS screens,
        sum(switches * instances) / sum(instances) AS switches
    FROM task_effort
    WHERE main_system IN ('oasys', 'rsr', 'cas')
),
said AS (
    SELECT
        sum(difference * answers) / sum(answers) AS figure,
        sum(attributed_hours * answers) / sum(answers) AS attributed,
        sum(measured_hours * answers) / sum(answers) AS measured
    FROM attributed_hours
    WHERE difference IS NOT NULL
),
delay AS (
    SELECT sum(cost) AS figure, sum(hours) AS hours, count(*) AS late, max(note) AS note
    FROM cost_of_delay
    WHERE weeks_late > 0
),
adoption AS (
    SELECT count(*) AS planned, count(went_live_on) AS live FROM go_lives
),
days AS (
    SELECT
        max(CASE WHEN activity = 'contact' THEN share END) AS figure,
        max(CASE WHEN activity = 'instrumented systems' THEN share END) AS systems,
        max(CASE WHEN activity = 'other' THEN share END) AS other,
        max(CASE WHEN activity = 'contact' THEN note END) AS note
    FROM time_use
),
fragments AS (
    SELECT
        sum(systems * instances) / sum(instances) AS figure,
        sum(switches * instances) / sum(instances) AS switches
    FROM task_effort
    WHERE task <> 'unnamed'
),
functions AS (
    SELECT
        CASE WHEN count(*) FILTER (WHERE f.function <> 'unknown') > 0 THEN
            sum(CASE WHEN f.function IN ('performance_management', 'contract_management') THEN f.share ELSE 0.0 END)
        END AS figure
    FROM time_by_function f
    JOIN main_system m ON m.system = f.system
),
changes AS (
    SELECT count(*) AS changes, count(DISTINCT system) AS systems FROM releases WHERE changed
),
effects AS (
    SELECT
        avg(CASE WHEN estimable THEN difference END) AS figure,
        count(*) FILTER (WHERE estimable) AS estimable,
        count(*) FILTER (WHERE estimable AND low > 0) AS worse,
        count(*) FILTER (WHERE estimable AND high < 0) AS better
    FROM release_effects
),
failures AS (
    SELECT
        CASE WHEN max(o.person_weeks) > 0 THEN
            coalesce(sum(c.microseconds), 0) / 3600000000.0 / max(o.person_weeks)
        END AS figure,
        CASE WHEN max(o.person_weeks) > 0 THEN
            sum(CASE WHEN c.category = 'unavailable' THEN c.microseconds ELSE 0 END) / 3600000000.0 / max(o.person_weeks)
        END AS unavailable
    FROM observed o
    LEFT JOIN time_cube c ON c.whole_week AND (c.category = 'unavailable' OR c.rework_cause = 'lost_work')
),
disagreement AS (
    SELECT sum(disagreement_rate * n) / sum(CASE WHEN disagreement_rate IS NOT NULL THEN n END) AS rate
    FROM re_entry_pairs
),
shown AS (
    SELECT max(value) AS switching FROM headline WHERE measure = 'switching_hours_per_person_week'
),
ends AS (
    SELECT
        max(CASE WHEN i.measure = 're_entry_across_systems' THEN i.low END) AS again_low,
        max(CASE WHEN i.measure = 're_entry_across_systems' THEN i.high END) AS again_high,
        max(CASE WHEN i.measure = 'lost_work_and_unavailable' THEN i.low END) AS failed_low,
        max(CASE WHEN i.measure = 'lost_work_and_unavailable' THEN i.high END) AS failed_high,
        max(CASE WHEN i.measure = 'fields_again_per_task' THEN i.low END) AS tools_low,
        max(CASE WHEN i.measure = 'fields_again_per_task' THEN i.high END) AS tools_high,
        max(CASE WHEN i.measure = 'systems_per_task' THEN i.low END) AS fragments_low,
        max(CASE WHEN i.measure = 'systems_per_task' THEN i.high END) AS fragments_high,
        max(CASE WHEN i.measure = 'share_of_management_functions' THEN i.low END) AS functions_low,
        max(CASE WHEN i.measure = 'share_of_management_functions' THEN i.high END) AS functions_high,
        max(CASE WHEN i.view_name = 'time_lost_by_system' THEN i.low END) AS main_low,
        max(CASE WHEN i.view_name = 'time_lost_by_system' THEN i.high END) AS main_high
    FROM intervals i
    LEFT JOIN main_system m ON m.system = i.system
    WHERE i.view_name = 'claims' OR (i.view_name = 'time_lost_by_system' AND i.cause IS NULL AND m.system IS NOT NULL)
)
SELECT
    1 AS number, 'Staff enter the same data again into different applications' AS claim,
    a.figure, s.again_low AS low, s.again_high AS high, 'hours per person-week' AS unit, 'measured' AS grade,
    CASE
        WHEN a.figure IS NULL THEN 'not available, because no whole week was observed'
        WHEN a.figure > 0 THEN concat(
            'supported: ', CAST(round(a.re_entries) AS BIGINT), CASE WHEN round(a.re_entries) = 1 THEN ' value was' ELSE ' values were' END,
            ' keyed again although another system held it, more than chance explains'
        )
        ELSE 'not supported: no value was found keyed again from one system into another beyond chance'
    END AS verdict,
    'SELECT coalesce(sum(m.hours_per_person_week), CASE WHEN max(o.person_weeks) > 0 THEN 0.0 END) AS figure FROM observed o LEFT JOIN re_entry_matrix m ON m.from_system <> m.to_system' AS query
FROM again a
CROSS JOIN ends s
UNION ALL
SELECT
    2, 'Staff lose several hours per person and week to the main case system (nDelius)',
    m.figure, s.main_low, s.main_high, 'hours per person-week', 'measured',
    CASE
        WHEN m.figure IS NULL THEN 'not available, because no time lost in whole weeks was observed'
        WHEN coalesce(s.main_low, m.figure) >= 2 THEN concat(
            'supported: two hours or more are lost in ', m.system, ', the system in use longest'
        )
        WHEN m.figure >= 2 THEN concat(
            'supported, but not beyond doubt: two hours or more are lost in ', m.system, ', and the interval reaches below'
        )
        ELSE concat('not supported: fewer than two hours are lost in ', m.system, ', the system in use longest')
    END,
    'SELECT sum(t.hours_per_person_week) AS figure FROM main_system m LEFT JOIN time_lost_by_system t ON t.system = m.system'
FROM main m
CROSS JOIN ends s
UNION ALL
SELECT
    3, 'The newer tools for assessing (OASys, RSR) and allocating (CAS) are cumbersome and need repeated re-entry',
    t.figure, s.tools_low, s.tools_high, 'fields keyed again per task', 'measured',
    CASE
        WHEN t.figure IS NULL THEN 'not available, because no task was seen that is done mainly in oasys, rsr or cas'
        ELSE concat(
            CASE WHEN coalesce(s.tools_low, t.figure) >= 1 THEN 'supported: a field or more is keyed again each time; '
                WHEN t.figure >= 1
                    THEN 'supported, but not beyond doubt: a field or more is keyed again each time, and the interval reaches below; '
                ELSE 'not supported: less than a field is keyed again each time; ' END,
            'such a task takes ', round(t.minutes, 1), ' minutes, ', round(t.screens, 1), ' screens and ',
            round(t.switches, 1), ' changes of system'
        )
    END,
    'SELECT sum(re_entered_fields * instances) / sum(instances) AS figure FROM task_effort WHERE main_system IN (''oasys'', ''rsr'', ''cas'')'
FROM tools t
CROSS JOIN ends s
UNION ALL
SELECT
    4, 'Staff attribute to the systems hours that they lose each week',
    d.figure, NULL, NULL, 'hours per person-week attributed beyond those measured', 'reported',
    CASE
        WHEN d.figure IS NULL
            THEN 'not available, because no survey was loaded for systems and people that were measured'
        ELSE concat(
            CASE WHEN d.figure > 0 THEN 'supported only in part: staff say ' ELSE 'supported: staff say ' END,
            round(d.attributed, 2), ' hours, ', round(d.measured, 2), ' were measured'
        )
    END,
    'SELECT sum(difference * answers) / sum(answers) AS figure FROM attributed_hours WHERE difference IS NOT NULL'
FROM said d
UNION ALL
SELECT
    5,
    'The case-data interface to the 21 rehabilitation companies came late (due June 2015, delivered September 2016), and cost them',
    d.figure, NULL, NULL, 'pounds', 'estimated',
    CASE
        WHEN p.planned = 0 THEN 'not available, because no dates of interfaces were loaded'
        WHEN d.late = 0 THEN 'not supported: no interface was late within the data'
        WHEN d.figure IS NULL THEN concat('not available, because of this: ', d.note)
        ELSE concat(
            CASE WHEN d.figure > 0 THEN 'supported, if the organisations would have used it: '
                ELSE 'not supported: ' END,
            round(d.hours, 1), ' hours of keying again fell into the delay; ', p.live, ' of ', p.planned,
            ' organisations had a date of going live'
        )
    END,
    'SELECT sum(cost) AS figure FROM cost_of_delay WHERE weeks_late > 0'
FROM delay d
CROSS JOIN adoption p
UNION ALL
SELECT
    6, 'Three quarters of time is not spent with offenders (survey of 2008: 24 % direct contact, 41 % computer, 35 % other)',
    d.figure, NULL, NULL, 'share of the working week in direct contact', 'reported',
    CASE
        WHEN d.figure IS NULL THEN regexp_replace(d.note, '^.*not available: ', 'not available, because ')
        ELSE concat(
            CASE WHEN d.figure <= 0.25 THEN 'supported: ' ELSE 'not supported: ' END,
            CAST(round(100 * d.figure) AS BIGINT), ' % direct contact, ', CAST(round(100 * d.systems) AS BIGINT), ' % instrumented systems, ',
            CAST(round(100 * d.other) AS BIGINT), ' % other; what is not contact is not all administration'
        )
    END,
    'SELECT share AS figure FROM time_use WHERE activity = ''contact'''
FROM days d
UNION ALL
SELECT
    7, '43 case systems became one',
    f.figure, e.fragments_low, e.fragments_high, 'systems per task', 'measured',
    CASE
        WHEN f.figure IS NULL THEN 'not available, because no task known by name was seen'
        ELSE concat(
            CASE WHEN f.figure < 1.05 AND e.fragments_high >= 1.05
                    THEN 'supported, but not beyond doubt: a task is done in one system, and the interval reaches above; '
                WHEN f.figure < 1.05 THEN 'supported: a task is done in one system; '
                ELSE 'not supported by how work is done: a task still takes more than one system; ' END,
            round(f.switches, 1), ' changes of system a task, ',
            coalesce(CAST(round(s.switching, 2) AS VARCHAR), 'unknown'),
            ' hours per person-week of switching; what it was before is not in the data'
        )
    END,
    'SELECT sum(systems * instances) / sum(instances) AS figure FROM task_effort WHERE task <> ''unnamed'''
FROM fragments f
CROSS JOIN shown s
CROSS JOIN ends e
UNION ALL
SELECT
    8, 'The main system is laden with performance and contract management functions',
    f.figure, CASE WHEN f.figure IS NOT NULL THEN s.functions_low END,
    CASE WHEN f.figure IS NOT NULL THEN s.functions_high END, 'share of active time in the main system', 'measured',
    CASE
        WHEN f.figure IS NULL THEN 'not available, because the main system does not say what its screens are for'
        WHEN f.figure >= 0.1 AND s.functions_low < 0.1
            THEN 'supported, but not beyond doubt: a tenth or more of the active time in the main system goes into them, and the interval reaches below'
        WHEN f.figure >= 0.1 THEN 'supported: a tenth or more of the active time in the main system goes into them'
        ELSE 'not supported: less than a tenth of the active time in the main system goes into them'
    END,
    'SELECT CASE WHEN count(*) FILTER (WHERE f.function <> ''unknown'') > 0 THEN sum(CASE WHEN f.function IN (''performance_management'', ''contract_management'') THEN f.share ELSE 0.0 END) END AS figure FROM time_by_function f JOIN main_system m ON m.system = f.system'
FROM functions f
CROSS JOIN ends s
UNION ALL
SELECT
    9, 'Minor changes are made on an ongoing basis',
    e.figure, NULL, NULL, 'minutes more lost per task after a release', 'measured',
    CASE
        WHEN c.changes = 0 THEN 'not available, because no system changed its release within the data'
        WHEN e.figure IS NULL THEN concat(
            'not available, because none of the ', c.changes,
            ' releases seen has two clean weeks on both sides and systems to compare with'
        )
        ELSE concat(
            'supported: ', c.changes, CASE c.changes WHEN 1 THEN ' release' ELSE ' releases' END, ' of ', c.systems,
            CASE c.systems WHEN 1 THEN ' system' ELSE ' systems' END, '; of ', e.estimable,
            ' effects on a task that could be estimated, ', e.worse, ' are for the worse and ', e.better,
            ' for the better beyond chance'
        )
    END,
    'SELECT avg(difference) AS figure FROM release_effects WHERE estimable'
FROM effects e
CROSS JOIN changes c
UNION ALL
SELECT
    10, 'Work is lost, systems are unavailable, and re-entry raises error rates',
    f.figure, s.failed_low, s.failed_high, 'hours per person-week of lost work and unavailable systems', 'measured',
    CASE
        WHEN f.figure IS NULL THEN 'not available, because no whole week was observed'
        ELSE concat(
            CASE WHEN f.figure > 0 OR d.rate > 0 THEN 'supported: ' ELSE 'not supported: ' END,
            round(f.unavailable, 3), ' hours of it were waits and sign-ins that failed; ',
            CASE WHEN d.rate IS NULL THEN 'no pair of fields tells how often values keyed again disagree'
                ELSE concat('of values keyed again ', round(100 * d.rate, 1), ' % disagree with those held') END
        )
    END,
    'SELECT CASE WHEN max(o.person_weeks) > 0 THEN coalesce(sum(c.microseconds), 0) / 3600000000.0 / max(o.person_weeks) END AS figure FROM observed o LEFT JOIN time_cube c ON c.whole_week AND (c.category = ''unavailable'' OR c.rework_cause = ''lost_work'')'
FROM failures f
CROSS JOIN disagreement d
CROSS JOIN ends s
