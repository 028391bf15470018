-- How a working week divides into contact, work in the instrumented systems, and everything else. Contact and the rest
-- come from a diary or from observation, the systems from the ledger. What no diary says is not available; it is never
-- worked out as what the systems leave over.
--
-- grain: an activity
-- inputs: diary, headline, parameters
-- columns:
--   activity: contact, instrumented systems or other
--   hours_per_person_week: hours of it in a person's week; null when not available
--   low: lower end of the 95 % interval; null where there is none
--   high: upper end of the 95 % interval; null where there is none
--   share: share of the working week, 0 to 1; null unless all three parts are known
--   person_days: days of people in the diary; null for the systems
--   grade: evidence grade: reported for the diary, measured for the systems
--   note: what it rests on, or why it is not available
WITH days AS (
    SELECT count(*) AS person_days FROM (SELECT DISTINCT person, day FROM diary)
),
noted AS (
    SELECT
        sum(CASE WHEN lower(trim(activity)) = 'contact' THEN minutes ELSE 0.0 END) AS contact,
        sum(CASE WHEN lower(trim(activity)) = 'contact' THEN 0.0 ELSE minutes END) AS other
    FROM diary
),
systems AS (
    SELECT value, low, high FROM headline WHERE measure = 'active_hours_per_person_week'
),
parts AS (
    SELECT
        a.activity, d.person_days,
        CASE a.activity
            WHEN 'contact' THEN n.contact / d.person_days / 60.0 * w.value
            WHEN 'other' THEN n.other / d.person_days / 60.0 * w.value
            ELSE s.value
        END AS hours,
        s.value AS in_systems, s.low, s.high
    FROM (VALUES ('contact'), ('instrumented systems'), ('other')) AS a (activity)
    CROSS JOIN days d
    CROSS JOIN noted n
    CROSS JOIN systems s
    CROSS JOIN (SELECT value FROM parameters WHERE name = 'working_week_days') w
)
SELECT
    activity, hours AS hours_per_person_week,
    CASE WHEN activity = 'instrumented systems' THEN low END AS low,
    CASE WHEN activity = 'instrumented systems' THEN high END AS high,
    CASE WHEN person_days > 0 AND in_systems IS NOT NULL THEN hours / sum(hours) OVER () END AS share,
    CASE WHEN activity <> 'instrumented systems' THEN person_days END AS person_days,
    CASE WHEN activity = 'instrumented systems' THEN 'measured' ELSE 'reported' END AS grade,
    CASE
        WHEN activity = 'instrumented systems' AND hours IS NULL THEN 'not available: no whole week was observed'
        WHEN activity = 'instrumented systems' AND person_days = 0
            THEN 'active time in the ledger; its share is not available: no diary says how long the rest of the week is'
        WHEN activity = 'instrumented systems' THEN 'active time in the ledger'
        WHEN person_days = 0 THEN 'not available: no diary was loaded'
        WHEN in_systems IS NULL THEN 'diary; its share is not available: no whole week was observed'
        ELSE 'diary, brought from its days to a working week'
    END AS note
FROM parts
