-- Person-weeks with the organisation and role of the worker; the last in the alphabet where a week has several.
-- A working view: ids stay binary.
--
-- grain: a worker and a whole ISO week
-- inputs: weeks_worked
-- columns like: weeks_worked
SELECT worker, week, max(organisation) AS organisation, max(role) AS role
FROM weeks_worked
WHERE whole_week
GROUP BY worker, week
