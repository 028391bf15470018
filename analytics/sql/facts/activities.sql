-- Activities: what the ledger is swept from.
--
-- grain: a span with a worker and a kind, triggered by the user, of no more than twelve hours
-- inputs: corrected_spans
-- columns like: corrected_spans
-- columns:
--   completes: whether the task catalogue says that it completes a run; filled in by the operator that knows it
SELECT
    worker, trace_id, span_id, started_us, ended_us, kind, system, "release", organisation, team, role, screen, field,
    function, case_id, task, task_instance, delimiter, origin, keystrokes, outcome, false AS completes
FROM corrected_spans
WHERE worker IS NOT NULL AND "trigger" = 'user' AND ended_us - started_us <= $activity_max_us
