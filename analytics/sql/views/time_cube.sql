-- Weighed time, added up as far as the other views need it apart: what they share.
-- A working view: ids stay binary.
--
-- grain: worker, week, organisation, role, system, function, task and category; for lost time also screen, field of entries and cause of rework
-- inputs: weekly_times, re_entry_times, categories, observed_weeks
-- columns like: ledger
-- columns:
--   whole_week: whether the week is whole, so that it counts for rates
--   task: the task's name; `unnamed` for a run of work on one case, `unattributed` where there is neither case nor task
--   category: final category
--   category_group: useful, overhead, lost or outside
--   screen: the screen; null where nothing is lost by the method's grouping
--   field: the field; null unless re-entry or rework
--   microseconds: time
--   example_trace: a trace that lost this time; null where nothing is lost
WITH times AS (
    SELECT
        worker, week, organisation, role, system, function,
        coalesce(task, CASE WHEN attributed THEN 'unnamed' ELSE 'unattributed' END) AS task,
        category, rework_cause, screen, field, microseconds, trace_id
    FROM weekly_times
),
again AS (
    SELECT
        worker, week, organisation, role, system, function, task, screen, field,
        sum(re_entry_microseconds) AS microseconds, min(trace_id) AS trace_id
    FROM re_entry_times
    WHERE trace_id IS NOT NULL
    GROUP BY worker, week, organisation, role, system, function, task, screen, field
),
-- What agrees with a value held, less what of it is re-entry, is first entry.
entered AS (
    SELECT worker, week, organisation, role, system, function, task, sum(microseconds) AS microseconds
    FROM (
        SELECT worker, week, organisation, role, system, function, task, microseconds
        FROM times
        WHERE category IN ('first_entry', 'matched')
        UNION ALL
        SELECT worker, week, organisation, role, system, function, task, -microseconds
        FROM again
    )
    GROUP BY worker, week, organisation, role, system, function, task
),
cells AS (
    SELECT
        worker, week, organisation, role, system, function, task, category, rework_cause, screen, field, microseconds,
        trace_id
    FROM times
    WHERE category NOT IN ('first_entry', 'matched')
    UNION ALL
    SELECT
        worker, week, organisation, role, system, function, task, 're_entry', NULL, screen, field, microseconds, trace_id
    FROM again
    UNION ALL
    SELECT
        worker, week, organisation, role, system, function, task, 'first_entry', NULL, NULL, NULL, microseconds, NULL
    FROM entered
)
SELECT
    l.worker, l.week, w.week IS NOT NULL AS whole_week, l.organisation, l.role, l.system, l.function, l.task,
    l.category, c.category_group, l.rework_cause,
    CASE WHEN c.category_group = 'lost' THEN l.screen END AS screen, l.field, l.microseconds,
    CASE WHEN c.category_group = 'lost' THEN l.trace_id END AS example_trace
FROM cells l
LEFT JOIN categories c ON c.category = l.category
LEFT JOIN (SELECT DISTINCT week FROM observed_weeks) w ON w.week = l.week
