-- Waiting for each screen: how often, how long, how often in vain. Durations are those that the system sent (at most
-- as long as a wait is counted), each wait for itself; the hours are the ledger's, where waits that lie in each other
-- count once, the tolerated part of each is no loss, and a wait ends when its person does something else.
--
-- grain: a system and a screen
-- inputs: spans, parameters, time_cube
-- columns:
--   system: the system; `unknown` where nothing says
--   screen: the screen; `unknown` where nothing says
--   waits: waits of people; none where only a sign-in failed
--   median_s: median duration in seconds; null without a wait
--   p95_s: duration that 95 % of waits do not exceed, in seconds, interpolated; null without a wait
--   hours_lost: hours lost in waiting and to what was unavailable
--   failed: waits that ended in failure
--   people: people who waited or could not go on
WITH limits AS (
    SELECT
        max(CASE WHEN name = 'activity_max_h' THEN value END) * 3600000000 AS activity_max_us,
        max(CASE WHEN name = 'wait_open_max_s' THEN value END) * 1000000 AS wait_max_us
    FROM parameters
),
waited AS (
    SELECT
        coalesce(system, 'unknown') AS system, coalesce(screen, 'unknown') AS screen, worker, outcome,
        CAST(ended_at AS BIGINT) - CAST(started_at AS BIGINT) AS microseconds
    FROM spans
    WHERE kind = 'wait' AND "trigger" = 'user' AND worker IS NOT NULL
),
felt AS (
    SELECT
        system, screen,
        count(*) AS waits,
        percentile_cont(least(CAST(microseconds AS DOUBLE), l.wait_max_us) / 1e6, 0.5) AS median_s,
        percentile_cont(least(CAST(microseconds AS DOUBLE), l.wait_max_us) / 1e6, 0.95) AS p95_s,
        count(*) FILTER (WHERE outcome = 'failed') AS failed,
        count(DISTINCT worker) AS people
    FROM waited
    CROSS JOIN limits l
    WHERE microseconds <= l.activity_max_us
    GROUP BY system, screen
),
lost AS (
    SELECT
        coalesce(system, 'unknown') AS system, coalesce(screen, 'unknown') AS screen,
        sum(microseconds) AS microseconds,
        count(DISTINCT worker) AS people
    FROM time_cube
    WHERE category IN ('wait', 'unavailable') AND microseconds > 0
    GROUP BY coalesce(system, 'unknown'), coalesce(screen, 'unknown')
)
SELECT
    coalesce(f.system, l.system) AS system, coalesce(f.screen, l.screen) AS screen,
    coalesce(f.waits, 0) AS waits, f.median_s, f.p95_s,
    coalesce(l.microseconds, 0) / 3600000000.0 AS hours_lost,
    coalesce(f.failed, 0) AS failed,
    coalesce(f.people, l.people) AS people
FROM felt f
FULL OUTER JOIN lost l ON l.system = f.system AND l.screen = f.screen
