-- What the screens that people work on are for: active time of each system by function. Time with the page out of sight
-- or away from it has no part.
--
-- grain: a system and a function
-- inputs: time_cube
-- columns:
--   system: the system; `unknown` where nothing says
--   function: what the screen is for; `unknown` where the system does not say
--   hours: active hours
--   share: share of the system's active hours, 0 to 1
--   lost_hours: those of the hours that are lost
WITH sums AS (
    SELECT
        coalesce(system, 'unknown') AS system, coalesce(function, 'unknown') AS function,
        sum(microseconds) AS microseconds,
        sum(CASE WHEN category_group = 'lost' THEN microseconds ELSE 0 END) AS lost
    FROM time_cube
    WHERE category_group IS DISTINCT FROM 'outside'
    GROUP BY coalesce(system, 'unknown'), coalesce(function, 'unknown')
)
SELECT
    system, function, microseconds / 3600000000.0 AS hours,
    CASE WHEN sum(microseconds) OVER of_system > 0
        THEN microseconds / CAST(sum(microseconds) OVER of_system AS DOUBLE) END AS share,
    lost / 3600000000.0 AS lost_hours
FROM sums
WINDOW of_system AS (PARTITION BY system)
