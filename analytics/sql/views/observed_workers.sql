-- The workers observed, each with the one organisation and role that they count for: those of most of their whole weeks,
-- then of most of all their weeks (the first in the alphabet where two have as many). Resampling draws workers within
-- organisations; estimates for a workforce count them by organisation and role. As for person-weeks, the system and task
-- of the scope do not matter. A working view: ids stay binary.
--
-- grain: a worker
-- inputs: weeks_worked, observed_weeks
-- columns like: weeks_worked
-- columns:
--   person_weeks: whole ISO weeks with at least one activity
WITH places AS (
    SELECT
        worker, organisation, role,
        row_number() OVER (
            PARTITION BY worker
            ORDER BY count(*) FILTER (WHERE whole_week) DESC, count(*) DESC, organisation NULLS LAST, role NULLS LAST
        ) AS place
    FROM weeks_worked
    GROUP BY worker, organisation, role
),
weeks AS (
    SELECT worker, count(*) AS person_weeks FROM observed_weeks GROUP BY worker
)
SELECT p.worker, p.organisation, p.role, coalesce(w.person_weeks, 0) AS person_weeks
FROM places p
LEFT JOIN weeks w ON w.worker = p.worker
WHERE p.place = 1
