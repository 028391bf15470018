-- Each entry whose value the case held already somewhere else, with its one source and how sure we are.
--
-- grain: a target that matched
-- inputs: target_sources
-- columns like: matches
-- columns:
--   same_worker: whether the source is the same person's; null when the source has no worker
--   seconds: time of the entry, its whole chain, before weighing
--   certainty: probability that the agreement is no accident
--   verdict: established, constant or chance; only established ones make time re-entry
SELECT
    hex(span_id) AS span_id, at, hex(worker) AS worker, hex(case_id) AS case_id, scope, "match", origin,
    from_worker = worker AS same_worker, microseconds / 1000000.0 AS seconds, certainty, verdict,
    hex(from_span_id) AS from_span_id, from_at, from_system, from_screen, from_field, to_system, to_screen, to_field
FROM target_sources
