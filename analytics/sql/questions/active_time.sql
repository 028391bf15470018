-- How long each worker was active on each day: the specification of the table of the same name, whose operator answers
-- without sorting what is sorted already. A plain measure to hold the ledger against: times are as sent, and a gap is
-- between starts.
--
-- grain: worker and UTC day
-- inputs: spans, parameters
-- columns:
--   worker: keyed hash of the person
--   day: date of the starts, UTC, by the senders' clocks
--   interactions: spans with a kind that started on it
--   active_us: gaps between their starts up to the idle threshold, added up, microseconds
WITH starts AS (
    SELECT worker, arrow_cast(started_at, 'Date32') AS day, arrow_cast(started_at, 'Int64') AS started_us
    FROM spans
    WHERE kind IS NOT NULL AND worker IS NOT NULL
),
gaps AS (
    SELECT worker, day, started_us - lag(started_us) OVER (PARTITION BY worker, day ORDER BY started_us) AS gap_us
    FROM starts
)
SELECT
    hex(worker) AS worker, day, count(*) AS interactions,
    coalesce(sum(CASE WHEN gap_us <= p.value * 1e6 THEN gap_us END), 0) AS active_us
FROM gaps
CROSS JOIN parameters p
WHERE p.name = 'idle_threshold_s'
GROUP BY worker, day
