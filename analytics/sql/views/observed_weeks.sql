-- Person-weeks: a worker in a whole ISO week with at least one activity. Every rate has this denominator,
-- whatever system or task the scope is about.
--
-- grain: a worker and a whole ISO week
-- inputs: weeks_worked
-- columns like: weeks_worked
SELECT worker, week
FROM weeks_worked
WHERE whole_week
GROUP BY worker, week
