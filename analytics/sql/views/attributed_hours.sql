-- The hours a week that staff say a system costs them, beside the hours lost in it that were measured in the same
-- organisation and role. What was said and what was measured are not of the same kind: each has its own grade.
--
-- grain: a system, organisation and role that staff were asked about
-- inputs: survey, time_cube, placed_weeks
-- columns:
--   system: the system; null where all systems were asked about
--   organisation: the organisation; null where the answers name none, and then measured over all
--   role: the role; null where the answers name none, and then measured over all
--   answers: answers in the table of reference data
--   attributed_hours: mean hours a week that staff attribute
--   attributed_grade: reported: staff said so
--   measured_hours: hours lost per person-week in whole weeks; null where nobody was measured
--   measured_grade: measured
--   difference: attributed less measured hours
--   person_weeks: person-weeks measured
WITH answers AS (
    SELECT system, organisation, role, count(*) AS answers, avg(hours_per_week) AS attributed_hours
    FROM survey
    GROUP BY system, organisation, role
),
present AS (
    SELECT organisation, role, count(*) AS person_weeks FROM placed_weeks GROUP BY organisation, role
),
denominators AS (
    SELECT a.organisation, a.role, sum(p.person_weeks) AS person_weeks
    FROM (SELECT DISTINCT organisation, role FROM answers) a
    JOIN present p
        ON (a.organisation IS NULL OR p.organisation = a.organisation) AND (a.role IS NULL OR p.role = a.role)
    GROUP BY a.organisation, a.role
),
lost AS (
    SELECT system, organisation, role, sum(microseconds) AS microseconds
    FROM time_cube
    WHERE whole_week AND category_group = 'lost'
    GROUP BY system, organisation, role
),
numerators AS (
    SELECT a.system, a.organisation, a.role, sum(l.microseconds) AS microseconds
    FROM answers a
    JOIN lost l
        ON (a.system IS NULL OR l.system = a.system)
        AND (a.organisation IS NULL OR l.organisation = a.organisation) AND (a.role IS NULL OR l.role = a.role)
    GROUP BY a.system, a.organisation, a.role
),
measured AS (
    SELECT
        a.system, a.organisation, a.role, a.answers, a.attributed_hours, coalesce(d.person_weeks, 0) AS person_weeks,
        CASE WHEN d.person_weeks > 0 THEN coalesce(n.microseconds, 0) / 3600000000.0 / d.person_weeks END
            AS measured_hours
    FROM answers a
    LEFT JOIN denominators d
        ON (a.organisation IS NOT DISTINCT FROM d.organisation) AND (a.role IS NOT DISTINCT FROM d.role)
    LEFT JOIN numerators n
        ON (a.system IS NOT DISTINCT FROM n.system) AND (a.organisation IS NOT DISTINCT FROM n.organisation)
        AND (a.role IS NOT DISTINCT FROM n.role)
)
SELECT
    system, organisation, role, answers, attributed_hours, 'reported' AS attributed_grade, measured_hours,
    'measured' AS measured_grade, attributed_hours - measured_hours AS difference, person_weeks
FROM measured
