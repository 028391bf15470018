//! Which people each replicate draws: as many as a stratum has, with replacement, stratum by stratum.

use std::ops::Range;

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

/// How often each person is drawn in each replicate.
///
/// As many are drawn as there are. The variance of totals over such draws is (n - 1) / n of what it should be, which
/// matters in small strata (Rao & Wu 1988); a studentised interval is free of it, since the error that is estimated in
/// each replicate is too small by the same factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draws {
    replicates: usize,
    // By person, then by replicate.
    counts: Vec<u16>,
}

impl Draws {
    /// Draws people, given as stretches of places, one for each stratum.
    ///
    /// Anybody can draw the same: stratum `s`, counted from 0, reads 32-bit words of the ChaCha8 stream `s` whose key is
    /// the seed (8 bytes, least first, then zeros), replicate after replicate; a word `x` draws the person at
    /// `x · n / 2³²`, rounded down, of the `n` of the stratum.
    #[must_use]
    pub fn new(strata: &[Range<usize>], replicates: usize, seed: u64) -> Self {
        let people = strata.last().map_or(0, |last| last.end);
        let mut counts = vec![0_u16; people * replicates];
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        for (number, stratum) in strata.iter().enumerate() {
            let mut random = ChaCha8Rng::from_seed(key);
            random.set_stream(number as u64);
            let size = stratum.len() as u64;
            for replicate in 0..replicates {
                for _ in 0..size {
                    let drawn = (u64::from(random.next_u32()) * size) >> 32;
                    let person = stratum.start + drawn as usize;
                    let count = &mut counts[person * replicates + replicate];
                    *count = count.saturating_add(1);
                }
            }
        }
        Self { replicates, counts }
    }

    /// Draws as they are given, by person, then by replicate.
    #[cfg(test)]
    pub(super) fn given(counts: Vec<u16>, replicates: usize) -> Self {
        Self { replicates, counts }
    }

    /// How many replicates there are.
    #[must_use]
    pub const fn replicates(&self) -> usize {
        self.replicates
    }

    /// The counts of some replicates as weights, by person, then by replicate.
    #[must_use]
    pub fn weights(&self, replicates: Range<usize>) -> Vec<f64> {
        let of_person = |counts: &[u16]| counts[replicates.clone()].iter().map(|count| f64::from(*count)).collect();
        self.counts.chunks(self.replicates.max(1)).flat_map(|counts| -> Vec<f64> { of_person(counts) }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_replicate_draws_as_many_as_a_stratum_has() {
        let strata = [0..7, 7..12, 12..13];
        let draws = Draws::new(&strata, 40, 3);
        let weights = draws.weights(0..40);
        for replicate in 0..40 {
            for stratum in &strata {
                let drawn: f64 = stratum.clone().map(|person| weights[person * 40 + replicate]).sum();
                assert!((drawn - stratum.len() as f64).abs() < 1e-12);
            }
        }
        assert_eq!(draws.weights(8..10)[2..4], [weights[48], weights[49]]);
    }

    #[test]
    fn draws_depend_on_seed_and_stratum_alone() {
        let draws = |strata: &[Range<usize>], seed| Draws::new(strata, 50, seed);
        let both = draws(&[0..6, 6..10], 1);
        assert_eq!(both.counts[..300], draws(std::slice::from_ref(&(0..6)), 1).counts[..]);
        assert_eq!(both.counts[300..], draws(&[0..6, 6..10], 1).counts[300..]);
        assert_ne!(both, draws(&[0..6, 6..10], 2));
        // Strata of the same size draw apart.
        let twins = draws(&[0..4, 4..8], 1);
        assert_ne!(twins.counts[..200], twins.counts[200..]);
    }

    #[test]
    fn everybody_is_drawn_as_often_as_anybody_else() {
        let draws = Draws::new(std::slice::from_ref(&(0..10)), 20_000, 5);
        for counts in draws.counts.chunks(20_000) {
            let mean = f64::from(counts.iter().map(|count| u32::from(*count)).sum::<u32>()) / 20_000.0;
            // Four standard errors of a mean of binomial counts with variance 0.9.
            assert!((mean - 1.0).abs() < 4.0 * (0.9_f64 / 20_000.0).sqrt(), "{mean}");
        }
    }
}
