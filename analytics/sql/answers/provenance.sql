-- Where the data say that they come from: a simulation if any of them is simulated, else a recording if any is one.
--
-- grain: one row
-- inputs: spans
-- columns:
--   provenance: simulation, recording or in_use
SELECT
    CASE
        WHEN bool_or(environment = 'simulation') THEN 'simulation'
        WHEN bool_or(environment = 'recording') THEN 'recording'
        ELSE 'in_use'
    END AS provenance
FROM (SELECT attributes['deployment.environment.name'] AS environment FROM spans)
