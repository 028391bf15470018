-- The cube that fast views read. A week is whole when the data begin no later than its Monday and end no earlier than
-- its Friday: offices are shut at the weekend, so that data which end on a Friday evening have all of their last week.
--
-- grain: worker, week, system, task and category
-- inputs: ledger
-- columns like: worker_weeks
WITH period AS (
    SELECT min(day) AS first_day, max(day) AS last_day FROM ledger
)
SELECT
    l.worker, l.week, max(l.organisation) AS organisation, max(l.role) AS role, l.system, l.task, l.category,
    sum(arrow_cast(l.ended_at, 'Int64') - arrow_cast(l.started_at, 'Int64')) / 1e6 AS seconds,
    l.week >= max(p.first_day) AND l.week + INTERVAL '4 days' <= max(p.last_day) AS whole_week
FROM ledger l
CROSS JOIN period p
GROUP BY l.worker, l.week, l.system, l.task, l.category
