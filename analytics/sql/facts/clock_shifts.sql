-- By how much the times of a session are shifted. A session's offset is the least `received_at - sent_at` seen in it;
-- where any session of a worker-day is off by more than the tolerance, all sessions of that worker-day are shifted, each
-- by its own offset. An offset beyond a day is a replay and shifts nothing, nor does a session that never said when it
-- sent.
--
-- grain: a worker, session and UTC day as sent
-- inputs: spans, directory
-- columns like: clock_shifts
WITH offsets AS (
    SELECT session, min(arrow_cast(received_at, 'Int64') - arrow_cast(sent_at, 'Int64')) AS shift_us
    FROM spans
    WHERE session IS NOT NULL AND sent_at IS NOT NULL
    GROUP BY session
),
known AS (
    SELECT session, shift_us FROM offsets WHERE abs(shift_us) <= $clock_replay_us
),
sessions AS (
    SELECT DISTINCT s.worker, coalesce(d.person, s.worker) AS person, s.session, s.day
    FROM spans s
    LEFT JOIN directory d
        ON d.login = s.worker AND d.system = s.system
        AND (d.valid_from IS NULL OR d.valid_from <= s.day) AND (d.valid_to IS NULL OR d.valid_to >= s.day)
    WHERE s.worker IS NOT NULL AND s.session IS NOT NULL
),
shifted_days AS (
    SELECT DISTINCT s.person, s.day
    FROM sessions s
    JOIN known k ON k.session = s.session
    WHERE abs(k.shift_us) > $clock_tolerance_us
)
SELECT DISTINCT s.worker, s.session, s.day, k.shift_us
FROM sessions s
JOIN shifted_days d ON d.person = s.person AND d.day = s.day
JOIN known k ON k.session = s.session
WHERE k.shift_us <> 0
