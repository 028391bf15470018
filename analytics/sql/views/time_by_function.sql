-- What the screens that people work on are for: active time of each system by function. Time with the page out of sight
-- or away from it has no part.
--
-- grain: a system and a function
-- inputs: weighed_ledger, categories
-- columns:
--   system: the system; `unknown` where nothing says
--   function: what the screen is for; `unknown` where the system does not say
--   hours: active hours
--   share: share of the system's active hours, 0 to 1
--   lost_hours: those of the hours that are lost
WITH cells AS (
    SELECT system, function, category, sum(microseconds) AS microseconds
    FROM weighed_ledger
    GROUP BY system, function, category
),
sums AS (
    SELECT
        coalesce(l.system, 'unknown') AS system, coalesce(l.function, 'unknown') AS function,
        sum(l.microseconds) AS microseconds,
        sum(CASE WHEN c.category_group = 'lost' THEN l.microseconds ELSE 0 END) AS lost
    FROM cells l
    LEFT JOIN categories c ON c.category = l.category
    WHERE c.category_group IS DISTINCT FROM 'outside'
    GROUP BY coalesce(l.system, 'unknown'), coalesce(l.function, 'unknown')
)
SELECT
    system, function, microseconds / 3600000000.0 AS hours,
    CASE WHEN sum(microseconds) OVER of_system > 0
        THEN microseconds / CAST(sum(microseconds) OVER of_system AS DOUBLE) END AS share,
    lost / 3600000000.0 AS lost_hours
FROM sums
WINDOW of_system AS (PARTITION BY system)
