-- The key figures, in the order to show.
--
-- grain: a measure
-- inputs: headline
-- columns like: headline
SELECT h.measure, h.value, h.low, h.high, h.unit, h.people, h.person_weeks, h.coverage, h.grade
FROM headline h
LEFT JOIN (VALUES
    ('lost_hours_per_person_week', 1), ('re_entry_hours_per_person_week', 2), ('rework_hours_per_person_week', 3),
    ('wait_hours_per_person_week', 4), ('unavailable_hours_per_person_week', 5),
    ('switching_hours_per_person_week', 6), ('repeat_sign_in_hours_per_person_week', 7),
    ('active_hours_per_person_week', 8), ('share_lost', 9), ('lost_hours_per_person_week_estimated', 10),
    ('lost_hours_per_year_estimated', 11), ('cost_of_lost_hours_per_year', 12)
) AS shown (measure, place) ON shown.measure = h.measure
ORDER BY shown.place NULLS LAST, h.measure
