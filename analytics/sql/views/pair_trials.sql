-- The trials of the established pairs by worker. Empty where the facts do not tell workers apart: r and certainty are
-- then held as they are when workers are resampled. A working view: ids stay binary.
--
-- grain: an established pair of fields, kind of match and worker
-- inputs: established_pairs, pair_workers
-- columns like: pair_workers
-- columns:
--   pair: number of the pair
SELECT e.pair, w.worker, w.n, w.m, w.all_hits, w.near_hits, w.near_trials
FROM pair_workers w
JOIN established_pairs e
    ON e.from_system = w.from_system AND e.from_screen = w.from_screen
    AND coalesce(e.from_field, '') = coalesce(w.from_field, '')
    AND e.to_system = w.to_system AND e.to_screen = w.to_screen AND e.to_field = w.to_field
    AND e.scope = w.scope AND e."match" = w."match"
