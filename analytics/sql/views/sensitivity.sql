-- Key figures as they would be with other values of the parameters that move them most. Exact: the facts hold the time of
-- switching and waits with each value, and lists of sources how long ago a field last held the value. For another
-- look-back, pairs keep the verdicts and certainties of the whole one, and of a target's sources those count whose field
-- held the value last within it. What a smaller idle threshold takes from reading is not lost by the method's grouping,
-- and is not followed. Person-weeks stay the same throughout.
--
-- grain: a parameter, a value of it and a measure
-- inputs: parameters, tried_values, match_lists, established_pairs, matched_times, time_cube, categories, observed, observed_weeks
-- columns:
--   parameter: the parameter, as `parameters` names it
--   value: the value tried, in the unit that the name ends with
--   in_force: whether it is the value that the facts were made with
--   measure: as in `headline`
--   hours_per_person_week: the measure with this value; null without a whole week, and for a look-back longer than that of the facts
--   difference: from the measure with the value in force
--   person_weeks: person-weeks behind it
WITH tried AS (
    SELECT t.parameter, t.value, p.value AS in_force
    FROM (
        SELECT column1 AS parameter, column2 AS value
        FROM (VALUES
            ('idle_threshold_s', 5.0), ('idle_threshold_s', 15.0), ('idle_threshold_s', 30.0),
            ('idle_threshold_s', 60.0), ('idle_threshold_s', 120.0), ('idle_threshold_s', 300.0),
            ('tolerated_wait_s', 0.5), ('tolerated_wait_s', 1.0), ('tolerated_wait_s', 2.0), ('tolerated_wait_s', 4.0),
            ('look_back_days', 1.0), ('look_back_days', 7.0), ('look_back_days', 28.0), ('look_back_days', 90.0),
            ('switch_s', 0.0), ('switch_s', 2.0), ('switch_s', 5.0), ('switch_s', 10.0)
        )
        UNION
        SELECT name, value FROM parameters
        WHERE name IN ('idle_threshold_s', 'tolerated_wait_s', 'look_back_days', 'switch_s')
    ) t
    JOIN parameters p ON p.name = t.parameter
),
-- What each parameter moves: time of one category that is of another otherwise.
moves AS (
    SELECT column1 AS parameter, column2 AS category, column3 AS otherwise
    FROM (VALUES
        ('idle_threshold_s', 'switching', 'reading'), ('tolerated_wait_s', 'wait', 'response'),
        ('look_back_days', 're_entry', 'first_entry'), ('switch_s', 'switching', 'reading')
    )
),
weeks AS (
    SELECT DISTINCT week FROM observed_weeks
),
of_values AS (
    SELECT parameter, value, sum(microseconds) AS microseconds
    FROM tried_values
    WHERE week IN (SELECT week FROM weeks)
    GROUP BY parameter, value
),
established AS (
    SELECT l.list, l.place, l.within_days, p.certainty
    FROM match_lists l
    JOIN established_pairs p
        ON l.from_system = p.from_system AND l.from_screen = p.from_screen
        AND CASE l."match" WHEN 'join' THEN '' ELSE l.from_field END = coalesce(p.from_field, '')
        AND l.to_system = p.to_system AND l.to_screen = p.to_screen AND l.to_field = p.to_field
        AND l.scope = p.scope AND l."match" = p."match"
),
-- The one source of each list within each look-back.
sources AS (
    SELECT
        t.parameter, t.value, e.list, e.certainty,
        row_number() OVER (PARTITION BY t.value, e.list ORDER BY e.place) AS place
    FROM established e
    JOIN tried t ON t.parameter = 'look_back_days' AND e.within_days <= t.value
),
again AS (
    SELECT
        s.parameter, s.value, sum(CAST(round(s.certainty * m.microseconds) AS BIGINT)) AS microseconds
    FROM matched_times m
    JOIN sources s ON s.list = m.list
    WHERE s.place = 1 AND m.week IN (SELECT week FROM weeks)
    GROUP BY s.parameter, s.value
),
moved AS (
    SELECT * FROM of_values
    UNION ALL
    SELECT * FROM again
),
measured AS (
    SELECT category, category_group, sum(microseconds) AS microseconds
    FROM time_cube
    WHERE whole_week
    GROUP BY category, category_group
),
lost AS (
    SELECT coalesce(sum(microseconds), 0) AS microseconds FROM measured WHERE category_group = 'lost'
),
figures AS (
    SELECT
        t.parameter, t.value, t.value = t.in_force AS in_force, m.category,
        coalesce(b.microseconds, 0) AS before,
        CASE
            WHEN t.value = t.in_force THEN coalesce(b.microseconds, 0)
            WHEN t.parameter = 'look_back_days' AND t.value > t.in_force THEN NULL
            ELSE coalesce(a.microseconds, 0)
        END AS after,
        CASE g.category_group WHEN 'lost' THEN 1 ELSE 0 END - CASE o.category_group WHEN 'lost' THEN 1 ELSE 0 END
            AS sign
    FROM tried t
    JOIN moves m ON m.parameter = t.parameter
    LEFT JOIN moved a ON a.parameter = t.parameter AND a.value = t.value
    LEFT JOIN measured b ON b.category = m.category
    LEFT JOIN categories g ON g.category = m.category
    LEFT JOIN categories o ON o.category = m.otherwise
),
measures AS (
    SELECT
        parameter, value, in_force, concat(category, '_hours_per_person_week') AS measure,
        after AS microseconds, after - before AS difference
    FROM figures
    UNION ALL
    SELECT
        f.parameter, f.value, f.in_force, 'lost_hours_per_person_week',
        l.microseconds + f.sign * (f.after - f.before), f.sign * (f.after - f.before)
    FROM figures f
    CROSS JOIN lost l
)
SELECT
    b.parameter, b.value, b.in_force, b.measure,
    CASE WHEN o.person_weeks > 0 THEN b.microseconds / 3600000000.0 / o.person_weeks END AS hours_per_person_week,
    CASE WHEN o.person_weeks > 0 THEN b.difference / 3600000000.0 / o.person_weeks END AS difference,
    o.person_weeks
FROM measures b
CROSS JOIN observed o
