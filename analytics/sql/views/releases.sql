-- Releases of systems, by the first local day on which somebody worked with them.
--
-- grain: a system and a release
-- inputs: ledger
-- columns:
--   system: the system
--   release: its release
--   released_on: first local day on which it is seen
--   week: Monday of the ISO week of that day
--   changed: whether another release of the system was seen on an earlier day; false for the one in use when the data begin
WITH seen AS (
    SELECT system, "release", min(day) AS released_on
    FROM ledger
    WHERE system IS NOT NULL AND "release" IS NOT NULL
    GROUP BY system, "release"
)
SELECT
    system, "release", released_on, CAST(date_trunc('week', released_on) AS DATE) AS week,
    released_on > min(released_on) OVER (PARTITION BY system) AS changed
FROM seen
