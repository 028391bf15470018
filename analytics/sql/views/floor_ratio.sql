-- How long typed entries take beside the least that the keystroke-level model gives them (Card, Moran and Newell 1980),
-- field by field. The floor of an entry is its keystrokes alone: pointing at the field, the click, the hand's way to
-- the keyboard and making up one's mind come before the field has the focus, and are in the standard time only. A field
-- under its floor as a whole is faster than people type: its timing is to be mistrusted.
--
-- grain: a system, screen and field with typed entries whose keystrokes were counted
-- inputs: spans, parameters
-- columns:
--   system: the system
--   screen: the screen
--   field: the field
--   entries: typed entries
--   people: people who typed them
--   keystrokes: keystrokes per entry
--   observed_seconds: seconds per entry, cut as in the ledger where a field was left open
--   floor_seconds: least seconds per entry: the keystrokes
--   standard_seconds: standard seconds per entry: pointing, click, homing and preparing too
--   ratio: observed over floor
--   below_floor: whether the ratio is under 1: bad timing data
WITH rules AS (
    SELECT
        max(CASE WHEN name = 'keystroke_s' THEN value END) AS keystroke,
        max(CASE WHEN name = 'pointing_s' THEN value END) + 2 * max(CASE WHEN name = 'button_s' THEN value END)
            + max(CASE WHEN name = 'homing_s' THEN value END)
            + max(CASE WHEN name = 'preparing_s' THEN value END) AS reaching,
        CAST(max(CASE WHEN name = 'open_base_s' THEN value END) * 1000000 AS BIGINT) AS base,
        CAST(max(CASE WHEN name = 'open_per_keystroke_s' THEN value END) * 1000000 AS BIGINT) AS per_keystroke,
        CAST(max(CASE WHEN name = 'activity_max_h' THEN value END) * 3600000000 AS BIGINT) AS longest
    FROM parameters
),
typed AS (
    SELECT
        s.system, s.screen, s.field, s.worker, s.keystrokes, s.continues, r.base + r.per_keystroke * s.keystrokes AS cap,
        CAST(s.ended_at AS BIGINT) - CAST(s.started_at AS BIGINT) AS microseconds
    FROM spans s
    CROSS JOIN rules r
    WHERE s.kind = 'entry' AND s."trigger" = 'user' AND s.worker IS NOT NULL AND s.keystrokes > 0
        AND coalesce(s.origin, 'typed') = 'typed' AND s.field IS NOT NULL
        AND CAST(s.ended_at AS BIGINT) - CAST(s.started_at AS BIGINT) <= r.longest
),
people AS (
    SELECT
        system, screen, field, worker, count(*) AS entries, sum(keystrokes) AS keystrokes,
        sum(least(microseconds, cap)) AS microseconds, count(*) FILTER (WHERE continues IS NULL) AS begun
    FROM typed
    GROUP BY system, screen, field, worker
),
fields AS (
    SELECT
        system, screen, field, CAST(sum(entries) AS DOUBLE) AS entries, count(*) AS people,
        sum(keystrokes) AS keystrokes, sum(microseconds) / 1000000.0 AS seconds, sum(begun) AS begun
    FROM people
    GROUP BY system, screen, field
)
SELECT
    f.system, f.screen, f.field, CAST(f.entries AS BIGINT) AS entries, f.people,
    f.keystrokes / f.entries AS keystrokes,
    f.seconds / f.entries AS observed_seconds,
    f.keystrokes * r.keystroke / f.entries AS floor_seconds,
    (f.keystrokes * r.keystroke + f.begun * r.reaching) / f.entries AS standard_seconds,
    f.seconds / (f.keystrokes * r.keystroke) AS ratio,
    f.seconds < f.keystrokes * r.keystroke AS below_floor
FROM fields f
CROSS JOIN rules r
