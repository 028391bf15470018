//! How sure an effect of go-lives is, with no more than the dates themselves as the source of chance.
//!
//! The dates of going live are dealt out again among the organisations, over and over, and the effect is estimated each
//! time. **This needs exchangeability**: that the organisations could as well have had each other's dates, as when a
//! queue is drawn by lot. Where dates went by readiness or size it does not hold, and neither do p and interval. Under
//! it, p is exact for the hypothesis that nothing changed anywhere, however few organisations there are. What is
//! compared is the effect over its standard error (jackknife over organisations), not the bare effect: so studentised,
//! the test also holds, in larger samples, for the weaker hypothesis that the effect is nought on average (Wu and Ding
//! 2021; for staggered dates Roth and Sant'Anna 2023).
//!
//! The interval has every effect that the same test does not refute, when it is taken to be alike in all organisations
//! and weeks since go-live: take it out of the outcomes, deal out the dates, see whether what is left differs from
//! nought. Estimates are linear in outcomes, so all effects are tried on the same deals. Where the organisations are too
//! few for any effect to be refuted there is no interval.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

use super::{Estimate, Unit, event_time};

/// Level of the interval.
const ALPHA: f64 = 0.05;
/// Statistics that differ by less are equal: deals that repeat each other differ by rounding.
const EQUAL: f64 = 1e-9;

/// What is estimated: the effect in one week since go-live, or the mean over all from go-live on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Since(i32),
    After,
}

/// How sure an effect is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sureness {
    pub(super) p: f64,
    pub(super) interval: Option<(f64, f64)>,
}

/// An estimate as a function of the effect τ taken out: `a − τ b`, with the variance `aa − 2 τ ab + τ² bb`.
#[derive(Debug, Clone, Copy)]
struct Line {
    a: f64,
    b: f64,
    aa: f64,
    ab: f64,
    bb: f64,
}

impl Line {
    /// From estimates on the outcomes and on what one unit of effect adds to them.
    fn of(outcome: &Estimate, effect: &Estimate) -> Self {
        let both: Vec<(f64, f64)> =
            outcome.without.iter().zip(&effect.without).filter_map(|(a, b)| Some(((*a)?, (*b)?))).collect();
        let count = both.len() as f64;
        let (mean_a, mean_b) =
            (both.iter().map(|x| x.0).sum::<f64>() / count, both.iter().map(|x| x.1).sum::<f64>() / count);
        let spread = |f: fn(f64, f64) -> f64| {
            both.iter().map(|(a, b)| f(a - mean_a, b - mean_b)).sum::<f64>() * (count - 1.0) / count
        };
        Self {
            a: outcome.value,
            b: effect.value,
            aa: spread(|a, _| a * a),
            ab: spread(|a, b| a * b),
            bb: spread(|_, b| b * b),
        }
    }

    /// The effect that is left over its standard error, without sign.
    fn statistic(&self, tau: f64) -> f64 {
        let left = (self.a - tau * self.b).abs();
        let variance = self.aa - 2.0 * tau * self.ab + tau * tau * self.bb;
        if left < EQUAL { 0.0 } else { left / variance.max(0.0).sqrt() }
    }
}

/// The estimate of something on some outcomes; `last` is the last week since go-live to look at.
pub(super) fn estimate(
    live: &[Option<i32>],
    outcome: &impl Fn(usize, i32) -> Option<f64>,
    what: What,
    last: i32,
) -> Option<Estimate> {
    match what {
        What::Since(since) => event_time(live, outcome, since),
        What::After => {
            let weeks: Vec<Estimate> = (0..=last).filter_map(|since| event_time(live, outcome, since)).collect();
            Estimate::mean(&weeks)
        }
    }
}

/// Deals of dates.
pub(super) fn deals(units: &[Unit], count: usize, seed: u64) -> Vec<Vec<Option<i32>>> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut dates: Vec<Option<i32>> = units.iter().map(|unit| unit.live).collect();
    (0..count)
        .map(|_| {
            for last in (1..dates.len()).rev() {
                let other = (u64::from(random.next_u32()) * (last as u64 + 1)) >> 32;
                dates.swap(last, other as usize);
            }
            dates.clone()
        })
        .collect()
}

/// p and interval of an effect; none where the effect itself cannot be estimated.
pub(super) fn sureness(units: &[Unit], deals: &[Vec<Option<i32>>], what: What, last: i32) -> Option<Sureness> {
    let outcome = |unit: usize, week: i32| *units[unit].outcome.get(usize::try_from(week).ok()?)?;
    // What one unit of effect adds to the outcomes, as the dates truly are.
    let added = |unit: usize, week: i32| {
        outcome(unit, week)?;
        let since = units[unit].live.map(|live| week - live);
        let touched = match what {
            What::Since(at) if at < 0 => since == Some(at),
            What::Since(_) | What::After => since.is_some_and(|since| since >= 0),
        };
        Some(f64::from(u8::from(touched)))
    };
    let line = |live: &[Option<i32>]| {
        Some(Line::of(&estimate(live, &outcome, what, last)?, &estimate(live, &added, what, last)?))
    };
    let dates: Vec<Option<i32>> = units.iter().map(|unit| unit.live).collect();
    let found = line(&dates)?;
    let dealt: Vec<Line> = deals.iter().filter_map(|live| line(live)).collect();
    let p = |tau: f64| {
        let seen = found.statistic(tau);
        let further = dealt.iter().filter(|line| line.statistic(tau) >= seen - EQUAL).count();
        (1 + further) as f64 / (1 + dealt.len()) as f64
    };
    let step = found.aa.sqrt().max(found.a.abs() * 1e-3);
    let end = |direction: f64| edge(found.a, direction * step, |tau| p(tau) > ALPHA);
    let interval = if step > 0.0 { end(-1.0).zip(end(1.0)) } else { None };
    Some(Sureness { p: p(0.0), interval })
}

/// Where `held` stops, going from a place where it holds in steps that double; none if it holds however far one goes.
fn edge(from: f64, step: f64, held: impl Fn(f64) -> bool) -> Option<f64> {
    let mut inside = from;
    let mut outside = (0..24).map(|n| from + step * f64::from(1 << n)).find(|tau| {
        let holds = held(*tau);
        if holds {
            inside = *tau;
        }
        !holds
    })?;
    for _ in 0..50 {
        let middle = f64::midpoint(inside, outside);
        if held(middle) {
            inside = middle;
        } else {
            outside = middle;
        }
    }
    Some(inside)
}
