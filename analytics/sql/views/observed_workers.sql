-- The workers observed, each with the one organisation and role that they count for: those with most of their time (the
-- first in the alphabet where two have as much). Resampling draws workers within organisations; estimates for a
-- workforce count them by organisation and role. A working view: ids stay binary.
--
-- grain: a worker
-- inputs: worker_weeks, observed_weeks
-- columns like: worker_weeks
-- columns:
--   person_weeks: whole ISO weeks with at least one activity
WITH places AS (
    SELECT
        worker, organisation, role,
        row_number() OVER (
            PARTITION BY worker
            ORDER BY sum(CAST(round(seconds * 1000000) AS BIGINT)) DESC, organisation NULLS LAST, role NULLS LAST
        ) AS place
    FROM worker_weeks
    GROUP BY worker, organisation, role
),
weeks AS (
    SELECT worker, count(*) AS person_weeks FROM observed_weeks GROUP BY worker
)
SELECT p.worker, p.organisation, p.role, coalesce(w.person_weeks, 0) AS person_weeks
FROM places p
LEFT JOIN weeks w ON w.worker = p.worker
WHERE p.place = 1
