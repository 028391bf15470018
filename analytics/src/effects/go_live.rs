//! What an interface did where it went live, organisation after organisation: group-time average effects of Callaway and
//! Sant'Anna (2021) against the organisations that do not have it yet.
//!
//! For organisations *g* that went live in week *g* and a week *t*, with the outcome *Y* of an organisation and week:
//!
//! ```text
//! ATT(g, t) = mean over g of (Y_t − Y_{g−1})  −  mean over those not live by t (nor by g) of (Y_t − Y_{g−1})
//! θ(e)      = mean over g of ATT(g, g + e), each g weighed by its organisations
//! ```
//!
//! Weeks before go-live (*e* < −1) have no effect if outcomes ran in parallel: they are the placebo. See [`permutation`]
//! for p-values and intervals.

mod permutation;
mod table;
#[cfg(test)]
mod tests;

pub use table::GO_LIVE_EFFECTS;

/// An organisation: the place of the week in which it went live, if it did, and its outcome by week where known.
#[derive(Debug, Clone, PartialEq)]
struct Unit {
    live: Option<i32>,
    outcome: Vec<Option<f64>>,
}

/// An effect, and the same with each unit left out in turn.
#[derive(Debug, Clone, PartialEq)]
struct Estimate {
    value: f64,
    /// None where nothing is left to estimate from.
    without: Vec<Option<f64>>,
}

impl Estimate {
    /// Mean of estimates; without a unit, of those that can be estimated then.
    fn mean(of: &[Self]) -> Option<Self> {
        let value = mean(of.iter().map(|estimate| estimate.value))?;
        let units = of.iter().map(|estimate| estimate.without.len()).max().unwrap_or(0);
        let without = (0..units).map(|unit| mean(of.iter().filter_map(|estimate| estimate.without[unit]))).collect();
        Some(Self { value, without })
    }
}

/// Treated organisations and what they are compared with, at some weeks since go-live.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Sides {
    /// Mean outcome of the treated in the week before go-live.
    before: f64,
    /// The same at the week looked at.
    after: f64,
    /// How many they are.
    treated: usize,
}

fn mean(of: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = of.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    (count > 0.0).then(|| sum / count)
}

/// Weeks of go-live, each once.
fn groups(live: &[Option<i32>]) -> Vec<i32> {
    let mut groups: Vec<i32> = live.iter().flatten().copied().collect();
    groups.sort_unstable();
    groups.dedup();
    groups
}

/// The part of each unit in `ATT(g, t)`: its change since the week before `g`, and whether it is treated.
fn parts<'a>(
    live: &'a [Option<i32>],
    outcome: &'a impl Fn(usize, i32) -> Option<f64>,
    group: i32,
    week: i32,
) -> impl Iterator<Item = (usize, bool, f64)> + 'a {
    live.iter().enumerate().filter_map(move |(unit, live)| {
        let treated = *live == Some(group);
        let not_yet = live.is_none_or(|live| live > week.max(group));
        if !treated && !not_yet {
            return None;
        }
        Some((unit, treated, outcome(unit, week)? - outcome(unit, group - 1)?))
    })
}

/// `ATT(group, week)` with its number of treated units; none without treated or compared units.
#[cfg(test)]
fn group_time(
    live: &[Option<i32>],
    outcome: &impl Fn(usize, i32) -> Option<f64>,
    group: i32,
    week: i32,
) -> Option<(f64, f64)> {
    let sums = Sums::of(parts(live, outcome, group, week));
    sums.effect().map(|effect| (effect, sums.treated.1))
}

/// Sum and count of changes on both sides.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    treated: (f64, f64),
    compared: (f64, f64),
}

impl Sums {
    fn of(parts: impl Iterator<Item = (usize, bool, f64)>) -> Self {
        let mut sums = Self::default();
        for (_, treated, change) in parts {
            sums.add(treated, change, 1.0);
        }
        sums
    }

    fn add(&mut self, treated: bool, change: f64, times: f64) {
        let side = if treated { &mut self.treated } else { &mut self.compared };
        *side = (side.0 + times * change, side.1 + times);
    }

    fn effect(&self) -> Option<f64> {
        (self.treated.1 > 0.0 && self.compared.1 > 0.0)
            .then(|| self.treated.0 / self.treated.1 - self.compared.0 / self.compared.1)
    }
}

/// `θ(since)`, and the same without each unit; none where no group can be estimated.
fn event_time(live: &[Option<i32>], outcome: &impl Fn(usize, i32) -> Option<f64>, since: i32) -> Option<Estimate> {
    // Sum of weighed effects and of weights: of all, and by how much they change without each unit.
    let mut all = (0.0, 0.0);
    let mut without = vec![(0.0, 0.0); live.len()];
    for group in groups(live) {
        let (week, mut sums) = (group + since, Sums::default());
        let parts: Vec<_> = parts(live, outcome, group, week).collect();
        for &(_, treated, change) in &parts {
            sums.add(treated, change, 1.0);
        }
        let Some(effect) = sums.effect() else { continue };
        let weight = sums.treated.1;
        all = (all.0 + weight * effect, all.1 + weight);
        for (unit, treated, change) in parts {
            let mut rest = sums;
            rest.add(treated, change, -1.0);
            let (sum, count) = rest.effect().map_or((0.0, 0.0), |effect| (rest.treated.1 * effect, rest.treated.1));
            without[unit].0 += sum - weight * effect;
            without[unit].1 += count - weight;
        }
    }
    let share = |(sum, weight): (f64, f64)| (weight > 0.5).then(|| sum / weight);
    let value = share(all)?;
    let without = without.into_iter().map(|(sum, weight)| share((all.0 + sum, all.1 + weight))).collect();
    Some(Estimate { value, without })
}

/// Levels of the treated that `θ(since)` rests on.
fn sides(live: &[Option<i32>], outcome: &impl Fn(usize, i32) -> Option<f64>, since: i32) -> Option<Sides> {
    let (mut before, mut after, mut count) = (0.0, 0.0, 0);
    for group in groups(live) {
        let week = group + since;
        if Sums::of(parts(live, outcome, group, week)).effect().is_none() {
            continue;
        }
        for (unit, ..) in parts(live, outcome, group, week).filter(|(_, treated, _)| *treated) {
            before += outcome(unit, group - 1)?;
            after += outcome(unit, week)?;
            count += 1;
        }
    }
    (count > 0).then(|| Sides {
        before: before / f64::from(count),
        after: after / f64::from(count),
        treated: count as usize,
    })
}
