-- Weighed time, added up as far as the other views need it apart: the one pass over the ledger that they share.
-- A working view: ids stay binary.
--
-- grain: worker, week, system, task and category; for lost time also screen, field of entries and cause of rework
-- inputs: weighed_ledger, categories, observed_weeks
-- columns like: ledger
-- columns:
--   whole_week: whether the week is whole, so that it counts for rates
--   task: the task's name; `unnamed` for a run of work on one case, `unattributed` where there is neither case nor task
--   category: final category
--   category_group: useful, overhead, lost or outside
--   screen: the screen; null where nothing is lost
--   field: the field; null unless re-entry or rework
--   microseconds: time
--   example_trace: a trace that lost this time; null where nothing is lost
WITH cells AS (
    SELECT
        l.worker, l.week, l.organisation, l.role, l.system,
        coalesce(l.task, CASE WHEN l.delimiter IS NULL THEN 'unattributed' ELSE 'unnamed' END) AS task,
        l.category, c.category_group, l.rework_cause,
        CASE WHEN c.category_group = 'lost' THEN l.screen END AS screen,
        CASE WHEN l.category IN ('re_entry', 'rework') THEN l.field END AS field,
        CASE WHEN c.category_group = 'lost' THEN l.trace_id END AS trace_id,
        l.microseconds
    FROM weighed_ledger l
    LEFT JOIN categories c ON c.category = l.category
)
SELECT
    s.worker, s.week, w.week IS NOT NULL AS whole_week, s.organisation, s.role, s.system, s.task,
    s.category, s.category_group, s.rework_cause, s.screen, s.field, s.microseconds, s.example_trace
FROM (
    SELECT
        worker, week, organisation, role, system, task, category, category_group, rework_cause, screen, field,
        sum(microseconds) AS microseconds,
        min(trace_id) AS example_trace
    FROM cells
    GROUP BY worker, week, organisation, role, system, task, category, category_group, rework_cause, screen, field
) s
LEFT JOIN (SELECT DISTINCT week FROM observed_weeks) w ON w.week = s.week
