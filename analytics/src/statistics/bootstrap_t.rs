//! The interval: a studentised bootstrap of the logarithm, symmetric on that scale.
//!
//! A plain bootstrap-t (Efron & Tibshirani 1993, chapter 12; Davison & Hinkley 1997, section 5.2) studentises the figure
//! itself. Here its logarithm is studentised instead, because lost hours are positive and skewed: the ends are then
//! never below zero, and the error hardly depends on the value, which is what makes studentising work (Tibshirani 1988).
//! And the greatest of both tails is taken, |t|, not each by itself: the error of coverage is then of the order n⁻²
//! instead of n⁻¹ (Hall 1988). Simulated person-weeks of 12 to 60 people (see the tests of coverage) bear it out: it misses
//! less often than the plain one at every size, with intervals as wide.

use super::ratios::{Estimate, Resampled};

/// How often the interval covers what is estimated.
pub const LEVEL: f64 = 0.95;
/// The share of replicates that must have an error to studentise by; with fewer there is no interval.
const USABLE_MIN: f64 = 0.95;
/// A relative error below this is none: it is what adding up leaves.
const ERROR_MIN: f64 = 1e-7;

/// An interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// The 95 % interval of a figure. None where the figure is nothing, where everybody has the same (no spread to judge
/// by), or where that holds in more than one of twenty replicates; where it holds in fewer, they are left out.
#[must_use]
pub fn interval(figure: &Resampled) -> Option<Interval> {
    let measured = figure.measured;
    let statistics: Vec<f64> =
        figure.replicates.iter().filter_map(|replicate| studentised(measured, *replicate)).map(f64::abs).collect();
    if !usable(measured) || (statistics.len() as f64) < USABLE_MIN * figure.replicates.len() as f64 {
        return None;
    }
    let reach = quantile(statistics, LEVEL)? * measured.relative_error;
    Some(Interval { low: measured.value * (-reach).exp(), high: measured.value * reach.exp() })
}

/// The logarithm of a replicate over the value measured, in standard errors of the replicate.
fn studentised(measured: Estimate, replicate: Estimate) -> Option<f64> {
    usable(replicate).then(|| (replicate.value / measured.value).ln() / replicate.relative_error)
}

fn usable(estimate: Estimate) -> bool {
    let Estimate { value, relative_error } = estimate;
    value.is_finite() && value > 0.0 && relative_error.is_finite() && relative_error >= ERROR_MIN
}

/// The value at place ⌈level · (count + 1)⌉ in order, the last where there are too few.
fn quantile(mut values: Vec<f64>, level: f64) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let place = (level * (values.len() + 1) as f64).ceil() as usize;
    values.get(place.saturating_sub(1)).or(values.last()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(value: f64, relative_error: f64) -> Estimate {
        Estimate { value, relative_error }
    }

    #[test]
    fn the_quantile_is_an_order_statistic() {
        let values: Vec<f64> = (1..=99).rev().map(f64::from).collect();
        assert_eq!(quantile(values.clone(), 0.95), Some(95.0));
        assert_eq!(quantile(values[..3].to_vec(), 0.95), Some(99.0));
        assert_eq!(quantile(Vec::new(), 0.95), None);
    }

    #[test]
    fn the_interval_reaches_as_far_as_the_replicates_do_in_their_own_errors() {
        // Twenty replicates, each e^(error · t) off: the twentieth of |t| in order is the greatest, 2.
        let replicates = (1..=20).map(|k| {
            let (t, error) = (f64::from(k) / 10.0, 0.05 + f64::from(k % 3) / 100.0);
            estimate(4.0 * (if k % 2 == 0 { t } else { -t } * error).exp(), error)
        });
        let figure = Resampled { measured: estimate(4.0, 0.1), replicates: replicates.collect() };
        let interval = interval(&figure).unwrap();
        assert!((interval.low - 4.0 * (-0.2_f64).exp()).abs() < 1e-9, "{interval:?}");
        assert!((interval.high - 4.0 * 0.2_f64.exp()).abs() < 1e-9, "{interval:?}");
    }

    #[test]
    fn without_spread_there_is_no_interval() {
        let even = vec![estimate(4.0, 0.1); 100];
        let figure = |measured, replicates| Resampled { measured, replicates };
        assert!(interval(&figure(estimate(4.0, 0.1), even.clone())).is_some());
        assert!(interval(&figure(estimate(4.0, 0.0), even.clone())).is_none());
        assert!(interval(&figure(estimate(0.0, f64::NAN), even.clone())).is_none());
        assert!(interval(&figure(estimate(f64::NAN, f64::NAN), even.clone())).is_none());
        assert!(interval(&figure(estimate(4.0, 0.1), Vec::new())).is_none());
        // Replicates without an error are left out while they are few.
        let mut some = even;
        some[..5].fill(estimate(0.0, f64::NAN));
        assert!(interval(&figure(estimate(4.0, 0.1), some.clone())).is_some());
        some[5] = estimate(4.0, 1e-9);
        assert!(interval(&figure(estimate(4.0, 0.1), some)).is_none());
    }
}
