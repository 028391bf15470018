-- The ledger by week, as far as views need it apart. Screens tell time apart where it is lost whatever the weighing says,
-- fields where they were entered again.
--
-- grain: worker, week, organisation, role, system, function, task and category; for lost time also screen, and for rework field and cause
-- inputs: ledger
-- columns like: weekly_times
WITH cells AS (
    SELECT
        worker, organisation, role, system, function, task, delimiter IS NOT NULL AS attributed, category,
        rework_cause, week, day,
        category IN ('rework', 'wait', 'unavailable', 'switching', 'repeat_sign_in') AS lost,
        screen, CASE WHEN category = 'rework' THEN field END AS field,
        CAST(round(seconds * 1000000) AS BIGINT) AS microseconds, trace_id
    FROM ledger
)
SELECT
    worker, organisation, role, system, function, task, attributed, category, rework_cause,
    CASE WHEN lost THEN screen END AS screen, field,
    sum(microseconds) AS microseconds,
    min(CASE WHEN lost THEN trace_id END) AS trace_id,
    min(day) AS first_day, max(day) AS last_day, week
FROM cells
GROUP BY
    worker, organisation, role, system, function, task, attributed, category, rework_cause,
    CASE WHEN lost THEN screen END, field, week
