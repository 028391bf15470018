-- How often the values of one field agree with those of another, how often they would by chance, and what follows:
-- how sure we are that an agreement is a value keyed again.
--
-- grain: an ordered pair of fields and a kind of match
-- inputs: pair_totals, parameters
-- columns:
--   from_system: system where the value was held
--   from_screen: screen where the value was held
--   from_field: field where the value was held; null for join, whose source is the screen
--   to_system: system of the field entered
--   to_screen: screen of the field entered
--   to_field: field entered
--   scope: cross_system or within_system
--   match: whole, split or join
--   n: cases with a target in the one and an earlier source in the other
--   m: those of them whose first target agrees
--   p_all: chance of agreeing with another case's value, from all other cases
--   p_near: the same from cases that the same worker saw on the same day; null when there are too few of them
--   p: chance of agreeing, the greater of both
--   r: agreements beyond chance, max(0, (m - n p) / (1 - p))
--   q: false discovery rate (Benjamini-Hochberg) of the binomial tail P(X >= m); null below the fewest cases
--   certainty: r / m, the probability that an agreement is no accident
--   verdict: established, constant (cannot be told from a default) or chance
--   disagreement_rate: share of the n cases whose values agree in no way; established pairs with r/n of a half or more
WITH chances AS (
    SELECT
        *,
        (1.0 + all_hits) / (1.0 + all_trials) AS p_all,
        CASE WHEN near_trials >= (SELECT value FROM parameters WHERE name = 'near_trials_min')
            THEN (1.0 + near_hits) / (1.0 + near_trials) END AS p_near,
        n >= (SELECT value FROM parameters WHERE name = 'n_min') AS judged
    FROM pair_totals
),
greater AS (
    SELECT *, greatest(p_all, coalesce(p_near, p_all)) AS p FROM chances
),
tails AS (
    SELECT
        *,
        CASE WHEN p < 1 THEN least(CAST(m AS DOUBLE), greatest(0.0, (m - n * p) / (1 - p))) ELSE 0.0 END AS r,
        CASE WHEN judged THEN binomial_tail(m, n, p) END AS tail
    FROM greater
),
-- Benjamini-Hochberg: each tail times the size of the family over its place in it, then the least of its own and all
-- greater ones. Equal tails share the last of their places.
placed AS (
    SELECT
        *,
        count(tail) OVER () AS family,
        count(tail) OVER (ORDER BY tail NULLS LAST RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS place
    FROM tails
),
rates AS (
    SELECT
        *,
        CASE WHEN judged THEN
            min(tail * family / place)
            OVER (ORDER BY tail DESC NULLS LAST RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
        END AS q
    FROM placed
),
verdicts AS (
    SELECT
        *,
        CASE WHEN m > 0 THEN r / m ELSE 0.0 END AS certainty,
        CASE
            WHEN q < (SELECT value FROM parameters WHERE name = 'q_max')
                AND p <= (SELECT value FROM parameters WHERE name = 'chance_max') THEN 'established'
            WHEN judged AND p > (SELECT value FROM parameters WHERE name = 'chance_max') THEN 'constant'
            ELSE 'chance'
        END AS verdict
    FROM rates
)
SELECT
    from_system, from_screen, from_field, to_system, to_screen, to_field, scope, "match",
    n, m, p_all, p_near, p, r, q, certainty, verdict,
    CASE WHEN verdict = 'established' AND r / n >= 0.5 THEN disagreements / CAST(n AS DOUBLE) END AS disagreement_rate
FROM verdicts
