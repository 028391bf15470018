-- Person-weeks with the organisation and role of the worker; the last in the alphabet where a week has several.
-- A working view: ids stay binary.
--
-- grain: a worker and a whole ISO week
-- inputs: worker_weeks
-- columns like: worker_weeks
SELECT worker, week, max(organisation) AS organisation, max(role) AS role
FROM worker_weeks
WHERE whole_week
GROUP BY worker, week
