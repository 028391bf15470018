-- How much of the workforce was observed, and as part of which cell it is estimated. A cell of enough people observed
-- stands for itself. Smaller ones of one role are estimated together, over their organisations; what is still too small
-- then, over roles too; and if even that is too small, with the smallest cell there is. Nobody observed: named, not
-- filled. Not in the staffing table: no part in estimates.
--
-- grain: an organisation and a role
-- inputs: staffing, observed_workers, parameters
-- columns:
--   organisation: the organisation
--   role: the role
--   headcount: people employed; null where the staffing table has no such place
--   observed: people observed in whole weeks
--   coverage: observed over headcount; null without a headcount
--   hourly_cost: cost of an hour of work, overheads included, pounds
--   estimated: whether it has a part in estimates
--   cell_organisation: organisation of the cell that it is estimated with; null for several
--   cell_role: role of that cell; null for several
--   note: what becomes of it in estimates
WITH counted AS (
    SELECT organisation, role, count(*) AS observed
    FROM observed_workers
    WHERE person_weeks > 0
    GROUP BY organisation, role
),
places AS (
    SELECT
        coalesce(s.organisation, c.organisation) AS organisation, coalesce(s.role, c.role) AS role,
        s.headcount, s.hourly_cost, coalesce(c.observed, 0) AS observed,
        coalesce(s.headcount, 0) > 0 AND coalesce(c.observed, 0) > 0 AS estimated
    FROM staffing s
    FULL OUTER JOIN counted c ON c.organisation = s.organisation AND c.role = s.role
),
pools AS (
    SELECT
        *,
        sum(CASE WHEN estimated AND observed < fewest.value THEN observed ELSE 0 END) OVER (PARTITION BY role) AS in_role
    FROM places
    CROSS JOIN (SELECT value FROM parameters WHERE name = 'stratum_people_min') fewest
),
-- How wide the cell is: 0 the place itself, 1 its role, 2 all that is left over.
widths AS (
    SELECT
        *,
        CASE WHEN estimated THEN
            CASE WHEN observed >= value THEN 0 WHEN in_role >= value THEN 1 ELSE 2 END
        END AS width
    FROM pools
),
sizes AS (
    SELECT
        *,
        CASE width WHEN 0 THEN organisation END AS own_organisation,
        CASE WHEN width <= 1 THEN role END AS own_role,
        CASE width WHEN 0 THEN observed WHEN 1 THEN in_role END AS formed,
        sum(CASE width WHEN 2 THEN observed ELSE 0 END) OVER () < value AS left_over_too_few
    FROM widths
),
hosts AS (
    SELECT
        *,
        row_number() OVER (
            ORDER BY formed NULLS LAST, own_organisation NULLS LAST, own_role NULLS LAST, organisation, role
        ) AS place
    FROM sizes
),
host AS (
    SELECT own_organisation, own_role FROM hosts WHERE place = 1 AND formed IS NOT NULL
)
SELECT
    s.organisation, s.role, s.headcount, s.observed,
    CASE WHEN s.headcount > 0 THEN s.observed / CAST(s.headcount AS DOUBLE) END AS coverage,
    s.hourly_cost, s.estimated,
    CASE WHEN s.width = 2 AND s.left_over_too_few THEN h.own_organisation ELSE s.own_organisation END
        AS cell_organisation,
    CASE WHEN s.width = 2 AND s.left_over_too_few THEN h.own_role ELSE s.own_role END AS cell_role,
    CASE
        WHEN s.headcount IS NULL THEN 'not in the staffing table: no part in estimates'
        WHEN s.headcount = 0 THEN 'nobody employed: no part in estimates'
        WHEN s.observed = 0 THEN 'nobody observed: named, not filled'
        WHEN s.width = 0 THEN 'estimated from its own people'
        WHEN s.width = 1 THEN 'few observed: estimated with the same role elsewhere'
        ELSE 'few observed: estimated with other roles'
    END AS note
FROM sizes s
LEFT JOIN host h ON s.width = 2 AND s.left_over_too_few
