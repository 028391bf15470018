-- Spans with a kind as the facts see them: times corrected, case numbers linked, the person behind the login, the task
-- instance told by id, else by the trace. (Rules of the task catalogue come after the trace, runs after the rules: both
-- are told by operators that see a worker's spans in order.)
--
-- grain: a span with a kind
-- inputs: spans, clock_shifts, case_links, task_roots, task_names, directory
-- columns like: spans
-- columns:
--   started_us: start in microseconds, clock-corrected
--   ended_us: end in microseconds, clock-corrected
--   case_id: the case, as linked
--   delimiter: how the task instance was told: task_id or trace
--   origin: as sent, else typed for an entry and selected for a choice
SELECT
    s.trace_id, s.span_id, coalesce(d.person, s.worker) AS worker, s.kind, s."trigger",
    arrow_cast(s.started_at, 'Int64') + coalesce(c.shift_us, 0) AS started_us,
    arrow_cast(s.ended_at, 'Int64') + coalesce(c.shift_us, 0) AS ended_us,
    s.system, s."release", coalesce(d.organisation, s.organisation) AS organisation, coalesce(d.team, s.team) AS team,
    coalesce(d.role, s.role) AS role, s.screen, s.field, s.function, s.record,
    l.case_id,
    CASE WHEN s.task_instance IS NOT NULL THEN coalesce(s.task, n.task) ELSE coalesce(r.task, s.task) END AS task,
    CASE
        WHEN s.task_instance IS NOT NULL THEN s.task_instance
        WHEN r.task IS NOT NULL THEN s.trace_id
    END AS task_instance,
    CASE WHEN s.task_instance IS NOT NULL THEN 'task_id' WHEN r.task IS NOT NULL THEN 'trace' END AS delimiter,
    CASE
        WHEN s.origin IS NOT NULL THEN s.origin
        WHEN s.kind = 'entry' THEN 'typed'
        WHEN s.kind = 'choice' THEN 'selected'
    END AS origin,
    s.keystrokes, s.continues, s.value_kind, s.value_digest, s.value_parts, s.outcome
FROM spans s
LEFT JOIN clock_shifts c ON c.worker = s.worker AND c.session = s.session AND c.day = s.day
LEFT JOIN case_links l ON l.case_ref = s.case_refs[1]
LEFT JOIN task_roots r ON r.trace_id = s.trace_id
LEFT JOIN task_names n ON n.task_instance = s.task_instance
LEFT JOIN directory d
    ON d.login = s.worker AND d.system = s.system
    AND (d.valid_from IS NULL OR d.valid_from <= s.day) AND (d.valid_to IS NULL OR d.valid_to >= s.day)
WHERE s.kind IS NOT NULL
