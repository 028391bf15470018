-- What it cost that an interface came late: hours of keying again that it would have made needless, and what these
-- hours cost to employ. Conditional on adoption: it holds for an organisation that would have used the interface from
-- the day on which it was due. The re-entry of the whole weeks seen before it went live stands for all of the delay,
-- and all of it is taken to be avoidable: the most that the delay can have cost, and no saving in cash.
--
-- grain: an interface and an organisation
-- inputs: go_lives, observed_weeks, placed_weeks, interface_weeks, staffing
-- columns:
--   interface: name of the interface
--   organisation: the organisation that it serves
--   from_system: system that it takes values from
--   to_system: system that it brings them to
--   due_on: day on which it was due
--   went_live_on: first day on which it was in use; null when it never was
--   weeks_late: weeks from the one to the other, or to the end of the last whole week of the data
--   observed_weeks: whole weeks of the organisation that were seen before it went live
--   hours_per_week: hours of avoidable re-entry a week in them, over everybody observed in the organisation
--   hours: hours that the delay cost: hours a week times weeks late
--   hourly_cost: cost of an hour of those who keyed again, weighed by their hours
--   cost: cost of the delay, pounds; null when not available
--   grade: evidence grade
--   note: the condition under which it holds, or why it is not available
WITH period AS (
    SELECT CAST(max(week) AS INTEGER) + 7 AS end_day FROM observed_weeks
),
interfaces AS (
    SELECT
        g.interface, g.organisation, g.from_system, g.to_system, g.due_on, g.went_live_on,
        CAST(g.due_on AS INTEGER) AS due_day, CAST(g.went_live_on AS INTEGER) AS live_day, p.end_day,
        least(coalesce(CAST(g.went_live_on AS INTEGER), p.end_day), p.end_day) AS until_day
    FROM go_lives g
    CROSS JOIN period p
),
before AS (
    SELECT i.interface, i.organisation, count(DISTINCT w.week) AS weeks
    FROM interfaces i
    JOIN placed_weeks w ON w.organisation = i.organisation
    WHERE CAST(w.week AS INTEGER) + 7 <= i.until_day
    GROUP BY i.interface, i.organisation
),
again AS (
    SELECT
        i.interface, i.organisation, sum(w.hours) AS hours, sum(w.hours * s.hourly_cost) AS cost,
        count(*) FILTER (WHERE s.hourly_cost IS NULL AND w.hours > 0) AS unpriced
    FROM interfaces i
    JOIN interface_weeks w
        ON w.organisation = i.organisation AND w.from_system = i.from_system AND w.to_system = i.to_system
    LEFT JOIN staffing s ON s.organisation = w.organisation AND s.role = w.role
    WHERE CAST(w.week AS INTEGER) + 7 <= i.until_day
    GROUP BY i.interface, i.organisation
),
rates AS (
    SELECT
        i.interface, i.organisation, i.from_system, i.to_system, i.due_on, i.went_live_on, i.due_day, i.live_day,
        i.end_day, b.weeks, coalesce(a.hours, 0.0) / b.weeks AS hours_per_week,
        CASE WHEN a.unpriced = 0 AND a.hours > 0 THEN a.cost / a.hours END AS hourly_cost,
        CASE WHEN i.due_day IS NOT NULL THEN greatest(i.until_day - i.due_day, 0) / 7.0 END AS weeks_late
    FROM interfaces i
    LEFT JOIN before b ON b.interface = i.interface AND b.organisation = i.organisation
    LEFT JOIN again a ON a.interface = i.interface AND a.organisation = i.organisation
),
totals AS (
    SELECT *, CASE WHEN weeks_late = 0 THEN 0.0 ELSE hours_per_week * weeks_late END AS hours FROM rates
)
SELECT
    interface, organisation, from_system, to_system, due_on, went_live_on, weeks_late,
    coalesce(weeks, 0) AS observed_weeks, hours_per_week, hours, hourly_cost,
    CASE WHEN hours = 0 THEN 0.0 ELSE hours * hourly_cost END AS cost,
    'estimated' AS grade,
    CASE
        WHEN due_day IS NULL THEN 'not available: no day on which it was due is known'
        WHEN end_day IS NULL THEN 'not available: no whole week was observed'
        WHEN weeks_late = 0 AND live_day IS NULL THEN 'not due yet when the data end'
        WHEN weeks_late = 0 THEN 'it was not late, or not within the data'
        WHEN weeks IS NULL
            THEN 'not available: no whole week of the organisation before it went live was observed'
        WHEN hours > 0 AND hourly_cost IS NULL
            THEN 'cost not available: the staffing table has no hourly cost of those who keyed again'
        ELSE concat(
            'if the organisation had used it from the day on which it was due; from the re-entry of ', weeks,
            CASE weeks WHEN 1 THEN ' whole week' ELSE ' whole weeks' END, ', all taken as avoidable'
        )
    END AS note
FROM totals
