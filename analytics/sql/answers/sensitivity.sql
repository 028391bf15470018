-- Lost hours with other values of the parameters that move them most.
--
-- grain: a parameter and a value of it
-- inputs: sensitivity
-- columns like: sensitivity
-- columns:
--   in_force: yes or no
SELECT
    parameter, value, CASE WHEN in_force THEN 'yes' ELSE 'no' END AS in_force, hours_per_person_week, difference
FROM sensitivity
WHERE measure = 'lost_hours_per_person_week'
ORDER BY parameter, value
