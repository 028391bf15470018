-- Every second of every worker-day, with exactly one cause. A stretch of entry that agrees with a value held already
-- gives two rows, one of re-entry and one of first entry, whose seconds add up to it.
--
-- grain: a stretch of one worker's time, weighed
-- inputs: weighed_ledger, categories
-- columns like: ledger
-- columns:
--   seconds: length in seconds, after weighing
--   category: final category, of the fourteen of `categories`
--   lost_seconds: the seconds if they are lost, else 0
--   cause: the category if it is lost, else null
--   category_group: useful, overhead, lost or outside
SELECT
    hex(l.worker) AS worker, l.started_at, l.ended_at, l.microseconds / 1000000.0 AS seconds, l.category, l.system,
    l.next_system, l.screen, l.field, l.task, hex(l.task_instance) AS task_instance, l.delimiter,
    hex(l.case_id) AS case_id, l.function, l.organisation, l.team, l.role, l."release", hex(l.span_id) AS span_id,
    hex(l.trace_id) AS trace_id, hex(l.target_span_id) AS target_span_id, l.rework_cause, l.day, l.week,
    CASE WHEN c.category_group = 'lost' THEN l.microseconds / 1000000.0 ELSE 0.0 END AS lost_seconds,
    CASE WHEN c.category_group = 'lost' THEN l.category END AS cause,
    c.category_group
FROM weighed_ledger l
LEFT JOIN categories c ON c.category = l.category
