//! How long things take, in buckets.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// Durations counted by upper bound. Any thread may observe; none waits.
#[derive(Debug)]
pub struct Histogram {
    /// Upper bounds in seconds, ascending; above the last there is one bucket more.
    bounds_s: &'static [f64],
    counts: Box<[AtomicU64]>,
    sum_ns: AtomicU64,
}

/// A histogram at one moment.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reading {
    /// Each bound, and how many were at most that long.
    pub(super) buckets: Vec<(f64, u64)>,
    pub(super) sum_s: f64,
    pub(super) count: u64,
}

impl Histogram {
    pub(super) fn new(bounds_s: &'static [f64]) -> Self {
        let counts = (0..=bounds_s.len()).map(|_| AtomicU64::new(0)).collect();
        Self { bounds_s, counts, sum_ns: AtomicU64::new(0) }
    }

    /// One for requests: from one that is turned away at the door to one that waits for a disk.
    pub(crate) fn of_requests() -> Self {
        Self::new(&[0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0])
    }

    /// Counts one.
    pub fn observe(&self, took: Duration) {
        let at = self.bounds_s.partition_point(|bound| *bound < took.as_secs_f64());
        self.counts[at].fetch_add(1, Ordering::Relaxed);
        self.sum_ns.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> Reading {
        let mut count = 0;
        let mut up_to = |bucket: &AtomicU64| {
            count += bucket.load(Ordering::Relaxed);
            count
        };
        let buckets = self.bounds_s.iter().zip(&self.counts).map(|(bound, bucket)| (*bound, up_to(bucket))).collect();
        up_to(&self.counts[self.bounds_s.len()]);
        let sum_s = Duration::from_nanos(self.sum_ns.load(Ordering::Relaxed)).as_secs_f64();
        Reading { buckets, sum_s, count }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_what_took_at_most_its_bound() {
        let histogram = Histogram::new(&[0.001, 0.1]);
        for took_us in [1, 1_000, 1_001, 100_000, 100_001, 5_000_000] {
            histogram.observe(Duration::from_micros(took_us));
        }
        let Reading { buckets, sum_s, count } = histogram.read();
        assert_eq!((buckets, count), (vec![(0.001, 2), (0.1, 4)], 6));
        assert!((sum_s - 5.202_003).abs() < 1e-9, "{sum_s}");
    }
}
