//! The certainty of a pair of fields when its trials are weighed: what `re_entry_pairs` works out, anew in each
//! replicate.

use std::ops::Range;

/// What one person's targets in a pair add up to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trials {
    /// Place of the person.
    pub person: usize,
    /// Cases with a target and an earlier source.
    pub n: f64,
    /// Those that match.
    pub m: f64,
    /// Other cases that the targets match.
    pub all_hits: f64,
    /// The same over cases seen by the same worker on the same day.
    pub near_hits: f64,
    /// Such cases.
    pub near_trials: f64,
}

/// A pair of fields.
#[derive(Debug, Clone, Default)]
pub struct Pair {
    /// Its certainty as measured.
    pub certainty: f64,
    /// Cases with which each of the n is compared.
    pub trials_per_case: f64,
    /// Trials by person, in the order of places; empty where they are not known by person, and the certainty is then
    /// the same in each replicate.
    pub trials: Vec<Trials>,
}

/// Certainty r / m of sums of trials, with p the greater of both chances: `p_near` counts only where there are at least
/// `near_trials_min` comparisons.
#[must_use]
pub fn certainty(sums: &Trials, trials_per_case: f64, near_trials_min: f64) -> f64 {
    let mut p = (1.0 + sums.all_hits) / (1.0 + sums.n * trials_per_case);
    if sums.near_trials >= near_trials_min {
        p = p.max((1.0 + sums.near_hits) / (1.0 + sums.near_trials));
    }
    if p >= 1.0 || sums.m <= 0.0 {
        return 0.0;
    }
    ((sums.m - sums.n * p) / (1.0 - p)).clamp(0.0, sums.m) / sums.m
}

impl Pair {
    /// By how much the certainty differs from that measured, for each of `width` replicates; `weights` by person, then
    /// by replicate. `None` where it never does.
    #[must_use]
    pub fn changes(&self, weights: &[f64], width: usize, near_trials_min: f64) -> Option<Vec<f64>> {
        if self.trials.is_empty() {
            return None;
        }
        let mut sums = vec![[0.0; 5]; width];
        for trials in &self.trials {
            let Range { start, end } = trials.person * width..(trials.person + 1) * width;
            let each = [trials.n, trials.m, trials.all_hits, trials.near_hits, trials.near_trials];
            for (sums, weight) in sums.iter_mut().zip(&weights[start..end]) {
                for (sum, one) in sums.iter_mut().zip(each) {
                    *sum += weight * one;
                }
            }
        }
        let change = |[n, m, all_hits, near_hits, near_trials]: [f64; 5]| {
            let sums = Trials { person: 0, n, m, all_hits, near_hits, near_trials };
            certainty(&sums, self.trials_per_case, near_trials_min) - self.certainty
        };
        Some(sums.into_iter().map(change).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(n: f64, m: f64, all_hits: f64, near: (f64, f64)) -> Trials {
        Trials { person: 0, n, m, all_hits, near_hits: near.0, near_trials: near.1 }
    }

    #[test]
    fn certainty_is_that_of_the_view() {
        // The pairs of the small estate of the SQL tests: p = 80/400, r = 15; p_near = 40/50; p = 10/100.
        let check = |sums: Trials, trials: f64, expected: f64| {
            assert!((certainty(&sums, trials, 30.0) - expected).abs() < 1e-12, "{sums:?}");
        };
        check(sums(20.0, 16.0, 79.0, (0.0, 10.0)), 399.0 / 20.0, 0.9375);
        check(sums(20.0, 12.0, 199.0, (39.0, 49.0)), 399.0 / 20.0, 0.0);
        check(sums(10.0, 1.0, 9.0, (0.0, 0.0)), 9.9, 0.0);
        check(sums(10.0, 10.0, 9.0, (0.0, 0.0)), 9.9, 1.0);
        // Nothing agrees; nothing is compared; chance is certain.
        check(sums(10.0, 0.0, 0.0, (0.0, 0.0)), 9.9, 0.0);
        check(sums(0.0, 0.0, 0.0, (0.0, 0.0)), 9.9, 0.0);
        check(sums(10.0, 10.0, 99.0, (0.0, 0.0)), 9.9, 0.0);
    }

    #[test]
    fn each_replicate_weighs_its_people() {
        let person = |person, m, all_hits| Trials { person, ..sums(10.0, m, all_hits, (0.0, 0.0)) };
        let pair =
            Pair { certainty: 0.5, trials_per_case: 10.0, trials: vec![person(0, 8.0, 10.0), person(2, 4.0, 30.0)] };
        // Replicate 0 draws each once, replicate 1 the first twice and the last not at all; the second person has none.
        let weights = [1.0, 2.0, 1.0, 1.0, 1.0, 0.0];
        let changes = pair.changes(&weights, 2, 30.0).unwrap();
        let expected = [sums(20.0, 12.0, 40.0, (0.0, 0.0)), sums(20.0, 16.0, 20.0, (0.0, 0.0))];
        for (change, sums) in changes.iter().zip(&expected) {
            assert!((change + 0.5 - certainty(sums, 10.0, 30.0)).abs() < 1e-12);
        }
        assert_eq!(Pair::default().changes(&weights, 2, 30.0), None);
    }
}
