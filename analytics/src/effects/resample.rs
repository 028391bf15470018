//! Workers drawn with replacement, and what the draws say of an estimate.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use crate::statistics::draws;

/// How often each worker is drawn in each replicate, by worker, then by replicate.
#[derive(Debug, Clone)]
pub(super) struct Draws {
    replicates: usize,
    counts: Vec<f64>,
}

impl Draws {
    /// Draws as many workers as there are, in each replicate, as intervals of figures do where all are one stratum.
    pub(super) fn new(workers: usize, replicates: usize, seed: u64) -> Self {
        let everybody = 0..workers;
        let counts = draws::Draws::new(&[everybody], replicates, seed).weights(0..replicates);
        Self { replicates, counts }
    }

    pub(super) fn replicates(&self) -> usize {
        self.replicates
    }

    /// How often a worker is drawn, replicate by replicate.
    pub(super) fn of(&self, worker: usize) -> &[f64] {
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
