-- Person-weeks: a worker in a whole ISO week with at least one activity. Every rate has this denominator.
--
-- grain: a worker and a whole ISO week
-- inputs: worker_weeks
-- columns like: worker_weeks
SELECT worker, week
FROM worker_weeks
WHERE whole_week
GROUP BY worker, week
