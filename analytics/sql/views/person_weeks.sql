-- What each worker's whole weeks consisted of, in hours. For auditors only.
--
-- grain: a worker and a whole ISO week
-- inputs: observed_weeks, time_cube
-- columns:
--   worker: keyed hash of the person
--   week: Monday of the ISO week
--   active_hours: hours that are not outside the systems
--   lost_hours: hours lost
--   first_entry: hours of entering values not held yet
--   reading: hours of reading and thinking between interactions
--   navigation: hours of moving about
--   search: hours of searching
--   sign_in: hours of first sign-ins of a day
--   response: hours of the tolerated part of waits
--   re_entry: hours of keying what was held already
--   rework: hours of entering the same field again
--   wait: hours of waiting beyond the tolerated part
--   unavailable: hours of waits and sign-ins that failed
--   switching: hours of going from one system to another
--   repeat_sign_in: hours of further sign-ins of a day
--   elsewhere: hours of the page out of sight
--   away: hours of gaps beyond the idle threshold
WITH sums AS (
    SELECT
        worker, week,
        sum(CASE WHEN category_group <> 'outside' THEN microseconds ELSE 0 END) AS active,
        sum(CASE WHEN category_group = 'lost' THEN microseconds ELSE 0 END) AS lost,
        sum(CASE WHEN category = 'first_entry' THEN microseconds ELSE 0 END) AS first_entry,
        sum(CASE WHEN category = 'reading' THEN microseconds ELSE 0 END) AS reading,
        sum(CASE WHEN category = 'navigation' THEN microseconds ELSE 0 END) AS navigation,
        sum(CASE WHEN category = 'search' THEN microseconds ELSE 0 END) AS search,
        sum(CASE WHEN category = 'sign_in' THEN microseconds ELSE 0 END) AS sign_in,
        sum(CASE WHEN category = 'response' THEN microseconds ELSE 0 END) AS response,
        sum(CASE WHEN category = 're_entry' THEN microseconds ELSE 0 END) AS re_entry,
        sum(CASE WHEN category = 'rework' THEN microseconds ELSE 0 END) AS rework,
        sum(CASE WHEN category = 'wait' THEN microseconds ELSE 0 END) AS wait,
        sum(CASE WHEN category = 'unavailable' THEN microseconds ELSE 0 END) AS unavailable,
        sum(CASE WHEN category = 'switching' THEN microseconds ELSE 0 END) AS switching,
        sum(CASE WHEN category = 'repeat_sign_in' THEN microseconds ELSE 0 END) AS repeat_sign_in,
        sum(CASE WHEN category = 'elsewhere' THEN microseconds ELSE 0 END) AS elsewhere,
        sum(CASE WHEN category = 'away' THEN microseconds ELSE 0 END) AS away
    FROM time_cube
    WHERE whole_week
    GROUP BY worker, week
)
SELECT
    hex(o.worker) AS worker, o.week,
    coalesce(s.active, 0) / 3600000000.0 AS active_hours,
    coalesce(s.lost, 0) / 3600000000.0 AS lost_hours,
    coalesce(s.first_entry, 0) / 3600000000.0 AS first_entry,
    coalesce(s.reading, 0) / 3600000000.0 AS reading,
    coalesce(s.navigation, 0) / 3600000000.0 AS navigation,
    coalesce(s.search, 0) / 3600000000.0 AS search,
    coalesce(s.sign_in, 0) / 3600000000.0 AS sign_in,
    coalesce(s.response, 0) / 3600000000.0 AS response,
    coalesce(s.re_entry, 0) / 3600000000.0 AS re_entry,
    coalesce(s.rework, 0) / 3600000000.0 AS rework,
    coalesce(s.wait, 0) / 3600000000.0 AS wait,
    coalesce(s.unavailable, 0) / 3600000000.0 AS unavailable,
    coalesce(s.switching, 0) / 3600000000.0 AS switching,
    coalesce(s.repeat_sign_in, 0) / 3600000000.0 AS repeat_sign_in,
    coalesce(s.elsewhere, 0) / 3600000000.0 AS elsewhere,
    coalesce(s.away, 0) / 3600000000.0 AS away
FROM observed_weeks o
LEFT JOIN sums s ON s.worker = o.worker AND s.week = o.week
