//! Workers drawn with replacement, and what the draws say of an estimate.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// How often each worker is drawn in each replicate, by worker, then by replicate.
#[derive(Debug, Clone)]
pub(super) struct Draws {
    replicates: usize,
    counts: Vec<f32>,
}

impl Draws {
    /// Draws as many workers as there are, in each replicate. A 32-bit word `x` of the ChaCha8 stream of the seed draws
    /// the worker at `x · workers / 2³²`, rounded down.
    pub(super) fn new(workers: usize, replicates: usize, seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut counts = vec![0.0; workers * replicates];
        for replicate in 0..replicates {
            for _ in 0..workers {
                let drawn = (u64::from(random.next_u32()) * workers as u64) >> 32;
                counts[drawn as usize * replicates + replicate] += 1.0;
            }
        }
        Self { replicates, counts }
    }

    pub(super) fn replicates(&self) -> usize {
        self.replicates
    }

    /// How often a worker is drawn, replicate by replicate.
    pub(super) fn of(&self, worker: usize) -> &[f32] {
        &self.counts[worker * self.replicates..][..self.replicates]
    }
}

/// The 95 % interval that replicates of an estimate give, by their quantiles, taken further out by what a normal
/// distribution misses of Student's t with `people` − 1 degrees of freedom (the expanded percentile interval, Hesterberg
/// 2015, section 5): plain quantiles are too narrow where people are few. None where replicates are all alike.
pub(super) fn interval(mut replicates: Vec<f64>, people: usize) -> Option<(f64, f64)> {
    replicates.retain(|value| value.is_finite());
    replicates.sort_by(f64::total_cmp);
    let (first, last) = (replicates.first()?, replicates.last()?);
    if people < 2 || first == last {
        return None;
    }
    let freedom = people as f64 - 1.0;
    let t = StudentsT::new(0.0, 1.0, freedom).ok()?.inverse_cdf(0.975);
    let tail = Normal::standard().cdf(-t * (people as f64 / freedom).sqrt());
    Some((quantile(&replicates, tail), quantile(&replicates, 1.0 - tail)))
}

/// A quantile of sorted values, interpolated between neighbours.
fn quantile(sorted: &[f64], at: f64) -> f64 {
    let place = at * (sorted.len() - 1) as f64;
    let below = place.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (sorted[above] - sorted[below]) * (place - below as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_replicate_draws_as_many_as_there_are_and_the_same_seed_the_same() {
        let (one, two, other) = (Draws::new(7, 50, 3), Draws::new(7, 50, 3), Draws::new(7, 50, 4));
        for replicate in 0..50 {
            assert_eq!((0..7).map(|worker| one.of(worker)[replicate]).sum::<f32>(), 7.0);
        }
        assert_eq!(one.counts, two.counts);
        assert_ne!(one.counts, other.counts);
    }

    #[test]
    fn intervals_are_wider_where_people_are_few() {
        let replicates: Vec<f64> = (0..=1000).map(f64::from).collect();
        // With 1,000 people t is 1.9623 and the tail 0.02484; with 10 it is 2.2622 and 0.00855.
        let (low, high) = interval(replicates.clone(), 1000).unwrap();
        assert!((low - 24.8).abs() < 0.3 && (high - 975.2).abs() < 0.3, "{low} {high}");
        let (low, high) = interval(replicates, 10).unwrap();
        assert!((low - 8.55).abs() < 0.1 && (high - 991.45).abs() < 0.1, "{low} {high}");
        assert_eq!(interval(vec![1.0; 100], 10), None);
        assert_eq!(interval(vec![f64::NAN; 100], 10), None);
    }
}
