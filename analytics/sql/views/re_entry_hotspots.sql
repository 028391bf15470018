-- Where values are keyed again, field by field, ranked by hours; then the pairs that cannot be told from a default
-- (verdict constant), without hours.
--
-- grain: a source field and a target field
-- inputs: re_entry_times, re_entry_pairs, observed, intervals
-- columns:
--   from_system: system where the value was held
--   from_screen: screen where the value was held
--   from_field: field where the value was held; for join, the one that gave most parts
--   to_system: system where it is keyed again
--   to_screen: screen where it is keyed again
--   to_field: field where it is keyed again
--   scope: cross_system or within_system
--   verdict: established or constant
--   n: cases with a target and an earlier source, for the kind of match that gives most re-entries
--   m: those that agree, for that kind of match
--   expected: agreements expected by chance, n p
--   re_entries: expected number of re-entries, certainties added up
--   q: false discovery rate
--   hours: hours of re-entry
--   hours_per_person_week: hours of re-entry in whole weeks per person-week
--   low: lower end of the 95 % interval of hours_per_person_week; null under ten people and where there is nothing to judge by
--   high: upper end of the 95 % interval of hours_per_person_week; null as `low`
--   rank: place by hours; null for constants
--   rank_low: best place that the data allow, in 95 of 100 resamplings; null as `low`
--   rank_high: worst place that the data allow; null as `low`
--   cases: cases touched
--   people: people who keyed again
--   disagreement_rate: share of cases whose two values agree in no way
WITH chosen AS (
    SELECT
        from_system, from_screen, from_field, system AS to_system, screen AS to_screen, field AS to_field, scope, "match",
        worker, case_id, certainty, targets, re_entry_microseconds, whole_week
    FROM re_entry_times
),
spots AS (
    SELECT
        from_system, from_screen, from_field, to_system, to_screen, to_field, min(scope) AS scope,
        sum(certainty * targets) AS re_entries,
        sum(re_entry_microseconds) / 3600000000.0 AS hours,
        sum(CASE WHEN whole_week THEN re_entry_microseconds ELSE 0 END) / 3600000000.0 AS whole_week_hours,
        count(DISTINCT case_id) AS cases,
        count(DISTINCT worker) AS people
    FROM chosen
    GROUP BY from_system, from_screen, from_field, to_system, to_screen, to_field
),
leading AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY from_system, from_screen, from_field, to_system, to_screen, to_field
            ORDER BY targets DESC, "match" DESC
        ) AS place
    FROM (
        SELECT
            from_system, from_screen, from_field, to_system, to_screen, to_field, "match", sum(targets) AS targets,
            CASE "match" WHEN 'join' THEN '' ELSE from_field END AS from_key
        FROM chosen
        GROUP BY from_system, from_screen, from_field, to_system, to_screen, to_field, "match"
    )
),
established AS (
    SELECT
        s.from_system, s.from_screen, s.from_field, s.to_system, s.to_screen, s.to_field, s.scope, p.n, p.m,
        p.n * p.p AS expected, s.re_entries, p.q, s.hours,
        CASE WHEN o.person_weeks > 0 THEN s.whole_week_hours / o.person_weeks END AS hours_per_person_week,
        row_number() OVER (
            ORDER BY s.hours DESC, s.re_entries DESC,
                s.from_system, s.from_screen, s.from_field, s.to_system, s.to_screen, s.to_field
        ) AS rank,
        s.cases, s.people, p.disagreement_rate
    FROM spots s
    JOIN leading k
        ON k.place = 1
        AND k.from_system = s.from_system AND k.from_screen = s.from_screen AND k.from_field = s.from_field
        AND k.to_system = s.to_system AND k.to_screen = s.to_screen AND k.to_field = s.to_field
    JOIN re_entry_pairs p
        ON p.from_system = k.from_system AND p.from_screen = k.from_screen
        AND coalesce(p.from_field, '') = k.from_key
        AND p.to_system = k.to_system AND p.to_screen = k.to_screen AND p.to_field = k.to_field
        AND p."match" = k."match"
    CROSS JOIN observed o
),
constants AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY from_system, from_screen, from_field, to_system, to_screen, to_field
            ORDER BY n DESC, "match" DESC
        ) AS place
    FROM re_entry_pairs
    WHERE verdict = 'constant'
)
SELECT
    e.from_system, e.from_screen, e.from_field, e.to_system, e.to_screen, e.to_field, e.scope,
    'established' AS verdict, e.n, e.m, e.expected, e.re_entries, e.q, e.hours, e.hours_per_person_week, i.low, i.high,
    CAST(e.rank AS BIGINT) AS rank,
    -- Places are those of whole weeks; they reach as far as the place by all hours in any case.
    CASE WHEN i.rank_low < e.rank THEN i.rank_low WHEN i.rank_low >= e.rank THEN CAST(e.rank AS BIGINT) END AS rank_low,
    CASE WHEN i.rank_high > e.rank THEN i.rank_high WHEN i.rank_high <= e.rank THEN CAST(e.rank AS BIGINT) END
        AS rank_high,
    e.cases, e.people, e.disagreement_rate
FROM established e
LEFT JOIN intervals i
    ON i.view_name = 're_entry_hotspots'
    AND i.from_system = e.from_system AND i.from_screen = e.from_screen AND i.from_field = e.from_field
    AND i.system = e.to_system AND i.screen = e.to_screen AND i.field = e.to_field
UNION ALL
SELECT
    c.from_system, c.from_screen, c.from_field, c.to_system, c.to_screen, c.to_field, c.scope, 'constant', c.n, c.m,
    c.n * c.p, NULL, c.q, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM constants c
LEFT JOIN spots s
    ON s.from_system = c.from_system AND s.from_screen = c.from_screen AND s.from_field = c.from_field
    AND s.to_system = c.to_system AND s.to_screen = c.to_screen AND s.to_field = c.to_field
WHERE c.place = 1 AND s.from_system IS NULL
