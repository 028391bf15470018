-- What releases did, the latest first; of each the greatest effect first. At most 200.
--
-- grain: a release of a system and a task
-- inputs: release_effects
-- columns like: release_effects
SELECT
    system, "release", CAST(released_on AS VARCHAR) AS released_on, task, before, after, difference, low, high, placebo,
    people, reason
FROM release_effects
ORDER BY released_on DESC, system, "release", abs(difference) DESC NULLS LAST, task
LIMIT 200
