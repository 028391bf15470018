-- What the time of a category would be with other values of the parameters that move it most: of switching with another
-- idle threshold or another time of switching, of waits with another tolerated part. The ledger keeps each gap whole, and
-- each wait with the start of its chain. A gap is of the system, task and place gone to; where none of it is switching,
-- of the task and place before it. Values that give no time have no row.
--
-- grain: a week, organisation, role, system and task, and a value of a parameter
-- inputs: ledger
-- columns like: tried_values
WITH tried AS (
    SELECT column1 AS parameter, column2 AS value, CAST(round(column2 * 1000000) AS BIGINT) AS microseconds
    FROM (VALUES
        ('idle_threshold_s', 5.0), ('idle_threshold_s', 15.0), ('idle_threshold_s', 30.0), ('idle_threshold_s', 60.0),
        ('idle_threshold_s', 120.0), ('idle_threshold_s', 300.0), ('switch_s', 0.0), ('switch_s', 2.0),
        ('switch_s', 5.0), ('switch_s', 10.0), ('tolerated_wait_s', 0.5), ('tolerated_wait_s', 1.0),
        ('tolerated_wait_s', 2.0), ('tolerated_wait_s', 4.0)
    )
),
gaps AS (
    SELECT
        week, next_system AS system,
        CASE WHEN bool_or(category = 'switching') THEN max(CASE WHEN category = 'switching' THEN organisation END) ELSE max(organisation) END AS organisation,
        CASE WHEN bool_or(category = 'switching') THEN max(CASE WHEN category = 'switching' THEN role END) ELSE max(role) END AS role,
        CASE WHEN bool_or(category = 'switching') THEN max(CASE WHEN category = 'switching' THEN task END) ELSE max(task) END AS task,
        sum(CAST(round(seconds * 1000000) AS BIGINT)) AS microseconds
    FROM ledger
    WHERE category = 'switching'
        OR category IN ('reading', 'elsewhere', 'away') AND (system IS DISTINCT FROM next_system)
    GROUP BY worker, week, span_id, trace_id, next_system
),
switching AS (
    SELECT
        g.week, g.organisation, g.role, g.system, g.task, t.parameter, t.value,
        CASE
            WHEN g.microseconds <= CASE t.parameter WHEN 'idle_threshold_s' THEN t.microseconds ELSE $idle_us END
            THEN least(g.microseconds, CASE t.parameter WHEN 'switch_s' THEN t.microseconds ELSE $switch_us END)
            ELSE 0
        END AS microseconds
    FROM gaps g
    CROSS JOIN (SELECT * FROM tried WHERE parameter IN ('idle_threshold_s', 'switch_s')) t
),
waits AS (
    SELECT
        week, organisation, role, system, task,
        arrow_cast(started_at, 'Int64') - arrow_cast(chain_started_at, 'Int64') AS waited,
        CAST(round(seconds * 1000000) AS BIGINT) AS microseconds
    FROM ledger
    WHERE chain_started_at IS NOT NULL AND category IN ('response', 'wait')
),
waiting AS (
    SELECT
        w.week, w.organisation, w.role, w.system, w.task, t.parameter, t.value,
        greatest(0, w.microseconds - greatest(0, t.microseconds - w.waited)) AS microseconds
    FROM waits w
    CROSS JOIN (SELECT * FROM tried WHERE parameter = 'tolerated_wait_s') t
)
SELECT *
FROM (
    SELECT week, organisation, role, system, task, parameter, value, sum(microseconds) AS microseconds
    FROM (SELECT * FROM switching UNION ALL SELECT * FROM waiting)
    GROUP BY week, organisation, role, system, task, parameter, value
)
WHERE microseconds > 0
