//! What is compared beside the bounds of the method: each system, each pair of fields, each task, what was planted, and
//! whether intervals hold the truth. Of these what a task takes each time has a bound; the others have none: an
//! interval of 95 % misses now and then, and says so.

use std::collections::BTreeMap;

use super::{Measured, Score, Scores, row, truth::Truth};

/// So many pairs of fields are compared, those that take most time.
const PAIRS: usize = 10;
/// A task may always be off by so many minutes, and …
const TASK_MINUTES: f64 = 0.05;
/// … by so many systems, screens and changes of system: rare ones are short.
const TASK_COUNT: f64 = 0.01;

/// An estimate of what was planted, as measured.
#[derive(Debug, Clone)]
pub(super) struct Estimate {
    /// The release, or the interface.
    pub(super) name: String,
    /// The system of a release; empty for an interface.
    pub(super) system: String,
    /// The task of a release; empty for an interface.
    pub(super) task: String,
    /// What was before.
    pub(super) before: f64,
    /// What changed.
    pub(super) difference: f64,
    /// Its 95 % interval.
    pub(super) interval: Option<(f64, f64)>,
}

/// Adds the rows.
pub(super) fn add(scores: &mut Scores, truth: &Truth, measured: &Measured, task_share: f64) {
    for ((system, category), seconds) in &truth.systems {
        let found = measured.systems.get(&(system.clone(), category.clone())).copied().unwrap_or(0.0);
        scores.rows.push(plain(&format!("hours of {category} in {system}"), found / 3600.0, seconds / 3600.0));
    }
    pairs(scores, truth, measured);
    for (task, done) in &truth.tasks {
        let found = measured.tasks.get(task).copied().unwrap_or_default();
        scores.rows.push(plain(&format!("times of {task}"), found.instances, done.instances));
        for (what, found, done, least, unit) in [
            ("minutes", found.minutes, done.minutes, TASK_MINUTES, " min"),
            ("systems", found.systems, done.systems, TASK_COUNT, ""),
            ("screens", found.screens, done.screens, TASK_COUNT, ""),
            ("changes of system", found.switches, done.switches, TASK_COUNT, ""),
        ] {
            scores.rows.push(row(
                &format!("{what} each time of {task}"),
                found,
                done,
                &format!("within {} %, or {least}{unit}", task_share * 100.0),
                |row| row.difference.abs() <= (task_share * row.truth.abs()).max(least),
            ));
        }
    }
    headline(scores, truth, measured);
    effects(scores, truth, measured);
}

/// A row without a bound.
fn plain(figure: &str, measured: f64, truth: f64) -> Score {
    Score { holds: None, ..row(figure, measured, truth, "", |_| true) }
}

/// A row without a bound that says whether the interval holds the truth.
fn within(figure: &str, measured: f64, truth: f64, (low, high): (f64, f64)) -> Score {
    let covers = Some((low..=high).contains(&truth));
    let bound = format!("95 % interval {low:.4} to {high:.4}");
    Score { bound, low: Some(low), high: Some(high), covers, ..plain(figure, measured, truth) }
}

fn pairs(scores: &mut Scores, truth: &Truth, measured: &Measured) {
    let mut seconds: BTreeMap<[&[String; 3]; 2], f64> = BTreeMap::new();
    for one in &truth.re_entries {
        *seconds.entry([&one.from, &one.to]).or_default() += one.seconds;
    }
    let mut pairs: Vec<_> = seconds.into_iter().collect();
    pairs.sort_by(|(pair, seconds), (other, others)| others.total_cmp(seconds).then(pair.cmp(other)));
    for ([from, to], seconds) in pairs.into_iter().take(PAIRS) {
        let found = measured.pairs.get(&[from.clone(), to.clone()]).copied().unwrap_or(0.0);
        let figure = format!("hours re-entered from {} to {}", from.join("/"), to.join("/"));
        scores.rows.push(plain(&figure, found, seconds / 3600.0));
    }
}

fn headline(scores: &mut Scores, truth: &Truth, measured: &Measured) {
    let figure = "interval of lost hours per person-week";
    match measured.lost_interval {
        Some(interval) => {
            let lost = truth.lost_seconds() / 3600.0 / truth.person_weeks;
            scores.rows.push(within(figure, measured.lost_hours_per_person_week, lost, interval));
        }
        None => scores.skip(figure, "the headline has no interval"),
    }
}

fn effects(scores: &mut Scores, truth: &Truth, measured: &Measured) {
    for planted in &truth.effects {
        let figure = format!("{} {} {}", planted.kind, planted.system, planted.name);
        let estimates = match planted.kind.as_str() {
            "release" => measured.releases.as_ref(),
            _ => measured.go_lives.as_ref(),
        };
        let Some(estimates) = estimates else {
            scores.skip(&figure, "there is no such view");
            continue;
        };
        let of_it =
            |one: &&Estimate| one.name == planted.name && (planted.kind != "release" || one.system == planted.system);
        let mut told = 0;
        for one in estimates.iter().filter(of_it) {
            let Some(interval) = one.interval else { continue };
            told += 1;
            // A go-live is planted as a share of what was there before.
            let size = if planted.kind == "release" { planted.size } else { planted.size * one.before };
            let figure = if one.task.is_empty() { figure.clone() } else { format!("{figure}, {}", one.task) };
            // The effect of an interface is one for all organisations: it is compared once.
            if scores.rows.iter().all(|row| row.figure != figure) {
                scores.rows.push(within(&figure, one.difference, size, interval));
            }
        }
        if told == 0 {
            scores.skip(&figure, "its effect cannot be estimated from these data");
        }
    }
}
