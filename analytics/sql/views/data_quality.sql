-- What the figures rest on, and what is missing from it.
--
-- grain: a check
-- inputs: spans, intake, clock_shifts, case_links, ledger, weekly_times, categories, parameters
-- columns:
--   check: its name
--   value: its value; null when there is nothing to judge by
--   unit: its unit
--   meaning: what it means
WITH arrived AS (
    SELECT
        coalesce(sum(received), 0) AS received, coalesce(sum(refused), 0) AS refused,
        coalesce(sum(duplicated), 0) AS duplicated, coalesce(sum(late), 0) AS late,
        coalesce(sum(attributes_dropped), 0) AS attributes_dropped, coalesce(sum(names_masked), 0) AS names_masked
    FROM intake
),
stored AS (
    SELECT
        count(*) AS spans,
        count(kind) AS interactions,
        count(*) FILTER (WHERE kind IS NOT NULL AND worker IS NULL) AS without_worker,
        count(*) FILTER (WHERE kind IS NOT NULL AND coalesce(array_length(case_refs), 0) = 0) AS without_case,
        count(*) FILTER (WHERE kind IN ('entry', 'choice')) AS entries,
        count(*) FILTER (WHERE kind IN ('entry', 'choice') AND value_digest IS NULL) AS without_digest,
        count(*) FILTER (
            WHERE kind IS NOT NULL AND "trigger" = 'user'
                AND CAST(ended_at AS BIGINT) - CAST(started_at AS BIGINT)
                    > (SELECT value FROM parameters WHERE name = 'activity_max_h') * 3600000000
        ) AS too_long
    FROM spans
),
shifted AS (
    SELECT count(*) AS shifted FROM clock_shifts
),
links AS (
    SELECT count(*) AS numbers, count(*) FILTER (WHERE NOT linked) AS unlinked FROM case_links
),
worked AS (
    SELECT
        count(DISTINCT t.worker) AS workers, (SELECT count(DISTINCT day) FROM ledger) AS days,
        sum(CASE WHEN c.category_group IS DISTINCT FROM 'outside' THEN t.microseconds ELSE 0 END) AS active,
        sum(CASE WHEN (c.category_group IS DISTINCT FROM 'outside') AND NOT t.attributed THEN t.microseconds ELSE 0 END)
            AS unattributed
    FROM weekly_times t
    LEFT JOIN categories c ON c.category = t.category
),
checks AS (
    SELECT column1 AS name, column2 AS unit, column3 AS meaning
    FROM (VALUES
        ('spans_received', 'spans', 'spans and log records received'),
        ('spans_refused', 'spans', 'refused as never acceptable, and the sender told so'),
        ('spans_duplicated', 'spans', 'sent again and dropped'),
        ('spans_late', 'spans', 'received more than an hour after they ended'),
        ('attributes_dropped', 'attributes', 'attributes that are not kept, dropped at the gate'),
        ('names_masked', 'names', 'names cut or masked at the gate'),
        ('spans_stored', 'spans', 'spans in the store and in scope'),
        ('interactions', 'spans', 'spans in scope that say what the worker did; the others are technical'),
        ('interactions_without_worker', 'spans', 'interactions that name no worker: they have no part in the ledger'),
        ('interactions_without_case', 'spans', 'interactions that name no case: re-entry cannot be seen in them'),
        ('entries_without_digest', 'spans', 'entries and choices without a comparable value'),
        ('share_of_entries_without_digest', 'share', 'the same as a share of all entries and choices'),
        ('activities_too_long', 'spans', 'activities longer than any activity can be, left out'),
        ('sessions_clock_shifted', 'session days', 'sessions whose clock was wrong, corrected, by day'),
        ('case_numbers', 'numbers', 'case numbers seen'),
        ('case_numbers_not_linked', 'numbers', 'case numbers of groups too large to be one case'),
        ('workers', 'people', 'workers with time in the ledger'),
        ('days', 'days', 'local days with time in the ledger'),
        ('share_unattributed', 'share', 'share of active time with neither case nor task')
    )
)
SELECT
    k.name AS "check",
    CASE k.name
        WHEN 'spans_received' THEN CAST(a.received AS DOUBLE)
        WHEN 'spans_refused' THEN CAST(a.refused AS DOUBLE)
        WHEN 'spans_duplicated' THEN CAST(a.duplicated AS DOUBLE)
        WHEN 'spans_late' THEN CAST(a.late AS DOUBLE)
        WHEN 'attributes_dropped' THEN CAST(a.attributes_dropped AS DOUBLE)
        WHEN 'names_masked' THEN CAST(a.names_masked AS DOUBLE)
        WHEN 'spans_stored' THEN CAST(s.spans AS DOUBLE)
        WHEN 'interactions' THEN CAST(s.interactions AS DOUBLE)
        WHEN 'interactions_without_worker' THEN CAST(s.without_worker AS DOUBLE)
        WHEN 'interactions_without_case' THEN CAST(s.without_case AS DOUBLE)
        WHEN 'entries_without_digest' THEN CAST(s.without_digest AS DOUBLE)
        WHEN 'share_of_entries_without_digest' THEN
            CASE WHEN s.entries > 0 THEN s.without_digest / CAST(s.entries AS DOUBLE) END
        WHEN 'activities_too_long' THEN CAST(s.too_long AS DOUBLE)
        WHEN 'sessions_clock_shifted' THEN CAST(h.shifted AS DOUBLE)
        WHEN 'case_numbers' THEN CAST(n.numbers AS DOUBLE)
        WHEN 'case_numbers_not_linked' THEN CAST(n.unlinked AS DOUBLE)
        WHEN 'workers' THEN CAST(w.workers AS DOUBLE)
        WHEN 'days' THEN CAST(w.days AS DOUBLE)
        WHEN 'share_unattributed' THEN CASE WHEN w.active > 0 THEN w.unattributed / CAST(w.active AS DOUBLE) END
    END AS value,
    k.unit,
    k.meaning
FROM checks k
CROSS JOIN arrived a
CROSS JOIN stored s
CROSS JOIN shifted h
CROSS JOIN links n
CROSS JOIN worked w
