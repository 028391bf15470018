-- Where values had been held first that were entered into another system: the specification of the table of the same
-- name, whose operator answers without sorting or joining. Whole values alone, before any chance is told; cases go by
-- the first number as sent, and times are as sent. A source counts from its end (views and what the system filled in:
-- from its start), which is not after the start of the target and no older than the look-back. Of several it is the
-- earliest; of equal times, that of the system whose name comes first by its bytes.
--
-- grain: a system that held values and a system into which they were entered again
-- inputs: spans, parameters
-- columns:
--   from_system: the system of the first source
--   to_system: the system of the target, another one
--   targets: entries and choices by people that have a source
--   age_s: whole seconds from source to target, added up
WITH holders AS (
    SELECT
        row_number() OVER () AS number,
        case_refs[1] AS case_ref, value_digest, system,
        arrow_cast(started_at, 'Int64') AS started_us,
        CASE
            WHEN kind = 'view' OR origin IN ('prefilled', 'autofilled') THEN arrow_cast(started_at, 'Int64')
            ELSE arrow_cast(ended_at, 'Int64')
        END AS from_us,
        kind <> 'view'
        AND "trigger" = 'user'
        AND worker IS NOT NULL
        AND coalesce(origin, 'typed') IN ('typed', 'pasted', 'selected') AS is_target
    FROM spans
    WHERE kind IN ('entry', 'choice', 'view')
        AND case_refs[1] IS NOT NULL
        AND value_digest IS NOT NULL
        AND system IS NOT NULL
),
sources AS (
    SELECT
        s.system AS from_system, t.system AS to_system, t.started_us - s.from_us AS age_us,
        row_number() OVER (PARTITION BY t.number ORDER BY s.from_us, s.system) AS place
    FROM holders t
    INNER JOIN holders s
        ON s.case_ref = t.case_ref
        AND s.value_digest = t.value_digest
        AND s.system <> t.system
        AND s.from_us <= t.started_us
    CROSS JOIN parameters p
    WHERE t.is_target AND p.name = 'look_back_days' AND s.from_us >= t.started_us - p.value * 86400e6
)
SELECT from_system, to_system, count(*) AS targets, sum(age_us / 1000000) AS age_s
FROM sources
WHERE place = 1
GROUP BY from_system, to_system
