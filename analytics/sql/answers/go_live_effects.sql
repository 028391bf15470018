-- What interfaces did: the mean over all weeks since going live, then week by week.
--
-- grain: an interface and a week since it went live
-- inputs: go_live_effects
-- columns like: go_live_effects
SELECT interface, weeks_since, before, after, difference, low, high, p, organisations, reason
FROM go_live_effects
ORDER BY interface, weeks_since NULLS FIRST
