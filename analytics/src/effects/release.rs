//! What a release did to the time that a task loses: a difference in differences by worker.
//!
//! For a release of system *S* in ISO week *w* and a task *T*, over the workers who did *T* on both sides:
//!
//! ```text
//! before, after = minutes lost in S while doing T, per instance of T, in the weeks before and after
//! control       = the same workers' change in minutes lost per instance of any task, in all systems that had no release
//! difference    = (after − before) − control
//! ```
//!
//! Before are the four whole weeks that end before *w*; after are the four that begin with *w*, without *w* itself: people
//! learn then, and it holds days of both releases. A week counts only while it is clean: it lies after the week of the
//! release before this one and before the week of the next. The estimate rests on the assumption that without the
//! release the two changes would have been alike (parallel trends), which placebo dates test: weeks without a release,
//! treated as if there had been one.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    WEEK,
    resample::{self, Draws},
};

mod table;
#[cfg(test)]
mod tests;

pub use table::RELEASE_EFFECTS;

/// Whole weeks on either side, that of the release among those after.
const WEEKS: i32 = 4;
/// Fewest clean weeks on a side.
const CLEAN_MIN: usize = 2;

/// Worker, week and value.
type Cell = (usize, i32, f64);

/// What is known of workers, weeks, tasks and systems. Weeks are Mondays, in days since 1970-01-01.
#[derive(Debug, Default)]
struct Panel {
    /// Workers are numbered from 0 to this.
    workers: usize,
    /// Whole weeks that count.
    weeks: BTreeSet<i32>,
    /// Instances of each task: worker, week, count.
    instances: BTreeMap<String, Vec<Cell>>,
    /// Minutes lost in each system and task: worker, week, minutes.
    lost: BTreeMap<(String, String), Vec<Cell>>,
    /// Weeks in which each system changed its release.
    changes: BTreeMap<String, BTreeSet<i32>>,
}

/// The weeks that are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Window {
    before: BTreeSet<i32>,
    after: BTreeSet<i32>,
}

/// Why there is no estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missing {
    WeeksBefore,
    WeeksAfter,
    Workers,
    Control,
}

impl Missing {
    fn reason(self) -> &'static str {
        match self {
            Self::WeeksBefore => "fewer than two clean weeks before the release",
            Self::WeeksAfter => "fewer than two clean weeks after the week of the release",
            Self::Workers => "nobody did the task both before and after the release",
            Self::Control => "no other system without a release at that time to compare with",
        }
    }
}

/// One worker's sums on both sides: minutes and instances of the task in the system, then of the control.
type Sums = [f64; 8];

/// Minutes per instance, and what became of them.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Change {
    before: f64,
    after: f64,
    control: f64,
    difference: f64,
}

impl Change {
    /// The change that sums over workers show; not a number where a side has no instances.
    fn of(sums: &Sums) -> Self {
        let [before, before_n, after, after_n, control_before, control_before_n, control_after, control_after_n] =
            *sums;
        let (before, after) = (before / before_n, after / after_n);
        let control = control_after / control_after_n - control_before / control_before_n;
        Self { before, after, control, difference: after - before - control }
    }
}

/// An effect, as far as it can be estimated.
#[derive(Debug)]
struct Effect {
    change: Change,
    interval: Option<(f64, f64)>,
    people: usize,
    instances: (f64, f64),
    weeks: (usize, usize),
    /// Differences at placebo dates.
    placebos: Vec<f64>,
}

impl Panel {
    /// The clean weeks around a week of a system. A release in the same week does not stand in the way.
    fn window(&self, system: &str, week: i32) -> Window {
        let changes = self.changes.get(system);
        let last = changes.and_then(|weeks| weeks.range(..week).next_back().copied());
        let next = changes.and_then(|weeks| weeks.range(week + 1..).next().copied());
        let clean = |at: &i32| last.is_none_or(|last| *at > last) && next.is_none_or(|next| *at < next);
        let side = |from: i32, to: i32| self.weeks.range(from..to).copied().filter(clean).collect();
        Window { before: side(week - WEEKS * WEEK, week), after: side(week + WEEK, week + WEEKS * WEEK) }
    }

    /// Systems other than one that had no release in the weeks around a week.
    fn quiet(&self, system: &str, week: i32) -> BTreeSet<&str> {
        let around = week - WEEKS * WEEK..week + WEEKS * WEEK;
        let quiet = |other: &&str| {
            *other != system
                && self.changes.get(*other).is_none_or(|weeks| weeks.range(around.clone()).next().is_none())
        };
        self.lost.keys().map(|(system, _)| system.as_str()).filter(quiet).collect()
    }

    /// Each worker's sums, of those who did the task on both sides.
    fn sums(&self, system: &str, task: &str, week: i32) -> Result<Vec<(usize, Sums)>, Missing> {
        let window = self.window(system, week);
        if window.before.len() < CLEAN_MIN {
            return Err(Missing::WeeksBefore);
        }
        if window.after.len() < CLEAN_MIN {
            return Err(Missing::WeeksAfter);
        }
        let side = |week: i32| match week {
            week if window.before.contains(&week) => Some(0),
            week if window.after.contains(&week) => Some(2),
            _ => None,
        };
        let mut sums = vec![Sums::default(); self.workers];
        let mut add = |rows: &[Cell], at: usize| {
            for &(worker, week, value) in rows {
                if let Some(side) = side(week) {
                    sums[worker][side + at] += value;
                }
            }
        };
        let quiet = self.quiet(system, week);
        for ((lost_in, lost_for), rows) in &self.lost {
            if lost_in == system && lost_for == task {
                add(rows, 0);
            }
            // Time of no task has no instance to be divided by.
            if quiet.contains(lost_in.as_str()) && self.instances.contains_key(lost_for) {
                add(rows, 4);
            }
        }
        for (done, rows) in &self.instances {
            if done == task {
                add(rows, 1);
            }
            add(rows, 5);
        }
        let sums: Vec<(usize, Sums)> =
            sums.into_iter().enumerate().filter(|(_, sums)| sums[1] > 0.0 && sums[3] > 0.0).collect();
        match (sums.is_empty(), quiet.is_empty()) {
            (true, _) => Err(Missing::Workers),
            (_, true) => Err(Missing::Control),
            _ => Ok(sums),
        }
    }

    /// The effect of a release of a system in a week on a task.
    fn effect(&self, system: &str, task: &str, week: i32, draws: &Draws, people_min: usize) -> Result<Effect, Missing> {
        let sums = self.sums(system, task, week)?;
        let total = added(&sums);
        let window = self.window(system, week);
        let interval = if sums.len() < people_min { None } else { resample::interval(drawn(&sums, draws), sums.len()) };
        let placebos = self.placebo_weeks(system).into_iter().filter_map(|placebo| {
            let sums = self.sums(system, task, placebo).ok()?;
            Some(Change::of(&added(&sums)).difference).filter(|difference| difference.is_finite())
        });
        Ok(Effect {
            change: Change::of(&total),
            interval,
            people: sums.len(),
            instances: (total[1], total[3]),
            weeks: (window.before.len(), window.after.len()),
            placebos: placebos.collect(),
        })
    }

    /// Weeks in which the system had no release.
    fn placebo_weeks(&self, system: &str) -> Vec<i32> {
        let changes = self.changes.get(system);
        self.weeks.iter().copied().filter(|week| changes.is_none_or(|changes| !changes.contains(week))).collect()
    }

    /// Tasks in which time is lost in a system.
    fn tasks(&self, system: &str) -> impl Iterator<Item = &str> {
        self.lost
            .keys()
            .filter(move |(lost_in, task)| lost_in == system && self.instances.contains_key(task))
            .map(|(_, task)| task.as_str())
    }
}

fn added(sums: &[(usize, Sums)]) -> Sums {
    let mut total = Sums::default();
    for (_, sums) in sums {
        for (total, value) in total.iter_mut().zip(sums) {
            *total += value;
        }
    }
    total
}

/// The difference in each replicate.
fn drawn(sums: &[(usize, Sums)], draws: &Draws) -> Vec<f64> {
    let mut totals: [Vec<f64>; 8] = std::array::from_fn(|_| vec![0.0; draws.replicates()]);
    for (worker, sums) in sums {
        let counts = draws.of(*worker);
        for (totals, &value) in totals.iter_mut().zip(sums) {
            for (total, &count) in totals.iter_mut().zip(counts) {
                *total += count * value;
            }
        }
    }
    (0..draws.replicates())
        .map(|replicate| Change::of(&std::array::from_fn(|at| totals[at][replicate])).difference)
        .collect()
}
