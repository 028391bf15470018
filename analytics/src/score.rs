//! What was measured against what a simulation knows to be true.
//!
//! The truth is read from the files that the simulation wrote, and from nowhere else: no part of the analysis sees it.
//! *Rule-truth* (the definitions applied to what really happened) sets the bounds; the difference to *lived truth*
//! (what the simulated person was doing) is printed as bias, without a bound.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    path::Path,
};

use serde::Serialize;

use crate::{Error, catalogue, rows::Rows, session::Session};

mod details;
mod re_entries;
mod truth;

use details::Estimate;
use re_entries::Judged;
use truth::{Done, Truth};

/// A figure, measured and true.
#[derive(Debug, Clone, Serialize)]
pub struct Score {
    /// What is compared.
    pub figure: String,
    /// As measured.
    pub measured: f64,
    /// As it is.
    pub truth: f64,
    /// Measured minus true.
    pub difference: f64,
    /// What must hold, in words; empty where nothing must.
    pub bound: String,
    /// Whether it does; null where nothing must.
    pub holds: Option<bool>,
    /// Lower end of its 95 % interval; null where it has none.
    pub low: Option<f64>,
    /// Upper end of its 95 % interval; null where it has none.
    pub high: Option<f64>,
    /// Whether that interval holds the truth; null where it has none.
    pub covers: Option<bool>,
}

/// Every figure of a comparison.
#[derive(Debug, Clone, Serialize)]
pub struct Scores {
    /// The simulation's scenario.
    pub scenario: String,
    /// Its seed.
    pub seed: u64,
    /// The figures.
    pub rows: Vec<Score>,
    /// What could not be compared, and why.
    pub skipped: Vec<String>,
}

/// What must hold in a scenario (docs/method.md, section 7).
#[derive(Debug, Clone, Copy)]
struct Bounds {
    category_share: f64,
    category_hours: f64,
    lost_share: f64,
    /// Minutes per time that a task is done.
    task_share: f64,
    precision: f64,
    recall: f64,
    source: f64,
}

const CLEAN: Bounds = Bounds {
    category_share: 0.01,
    category_hours: 0.01,
    lost_share: 0.005,
    task_share: 0.01,
    precision: 0.99,
    recall: 0.99,
    source: 0.98,
};
const HARD: Bounds = Bounds {
    category_share: 0.03,
    category_hours: 0.03,
    lost_share: 0.02,
    task_share: 0.03,
    precision: 0.97,
    recall: 0.95,
    source: 0.95,
};
/// Most re-entered time where nothing was re-entered, as a share of entry time.
const FALSE_RE_ENTRY_MAX: f64 = 0.005;
const NO_RE_ENTRY: &str = "no-re-entry";

/// Compares a session with the truth in a folder.
pub async fn run(session: &Session, truth_dir: &Path) -> Result<Scores, Error> {
    let truth = Truth::read(truth_dir)?;
    let mut measured = BTreeMap::new();
    for row in Rows::ask(session, catalogue::answer("score_categories")).await?.iter() {
        measured.insert(row.name("category")?, row.figure("seconds")?);
    }
    let mut judged = Vec::new();
    for row in Rows::ask(session, catalogue::answer("score_re_entries")).await?.iter() {
        judged.push(Judged {
            span: row.name("span_id")?,
            certainty: row.figure("certainty")?,
            verdict: row.name("verdict")?,
            from: [row.name("from_system")?, row.name("from_screen")?, row.name("from_field")?],
        });
    }
    let mut systems = BTreeMap::new();
    for row in Rows::ask(session, catalogue::answer("score_systems")).await?.iter() {
        systems.insert((row.name("system")?, row.name("category")?), row.figure("seconds")?);
    }
    let mut tasks = BTreeMap::new();
    for row in Rows::ask(session, catalogue::answer("score_tasks")).await?.iter() {
        // Exact: far fewer than 2^53.
        let done = Done {
            instances: row.count("instances")? as f64,
            minutes: row.figure("minutes")?,
            systems: row.figure("systems")?,
            screens: row.figure("screens")?,
            switches: row.figure("switches")?,
        };
        tasks.insert(row.name("task")?, done);
    }
    let mut pairs = BTreeMap::new();
    for row in Rows::ask(session, catalogue::answer("re_entry_hotspots")).await?.iter() {
        let from = [row.name("from_system")?, row.name("from_screen")?, row.name("from_field")?];
        let to = [row.name("to_system")?, row.name("to_screen")?, row.name("to_field")?];
        pairs.insert([from, to], row.figure("hours")?);
    }
    let headline = Rows::ask(session, catalogue::answer("headline")).await?;
    let mut measures = HashMap::new();
    let mut lost_interval = None;
    for row in headline.iter() {
        if row.name("measure")? == "lost_hours_per_person_week" {
            lost_interval = row.double("low")?.zip(row.double("high")?);
        }
        measures.insert(row.name("measure")?, row.figure("value")?);
    }
    let of = |name: &str| measures.get(name).copied().unwrap_or(f64::NAN);
    Ok(compare(
        &truth,
        &Measured {
            seconds: measured,
            judged,
            systems,
            tasks,
            pairs,
            lost_interval,
            releases: estimates(session, "release_effects").await?,
            go_lives: estimates(session, "go_live_effects").await?,
            person_weeks: of("person_weeks"),
            lost_hours_per_person_week: of("lost_hours_per_person_week"),
        },
    ))
}

/// What a view says of changes; none where there is no such view. Of an interface it is the mean over all weeks.
async fn estimates(session: &Session, name: &str) -> Result<Option<Vec<Estimate>>, Error> {
    let Some(answer) = catalogue::ANSWERS.iter().find(|answer| answer.name == name) else { return Ok(None) };
    let of_releases = name == "release_effects";
    let mut estimates = Vec::new();
    for row in Rows::ask(session, answer).await?.iter() {
        if !of_releases && row.whole("weeks_since")?.is_some() {
            continue;
        }
        let text = |column: &str| if of_releases { row.name(column) } else { Ok(String::new()) };
        estimates.push(Estimate {
            name: row.name(if of_releases { "release" } else { "interface" })?,
            system: text("system")?,
            task: text("task")?,
            before: row.figure("before")?,
            difference: row.figure("difference")?,
            interval: row.double("low")?.zip(row.double("high")?),
        });
    }
    Ok(Some(estimates))
}

/// What a session measured, as far as it is compared.
#[derive(Debug, Default)]
struct Measured {
    seconds: BTreeMap<String, f64>,
    judged: Vec<Judged>,
    /// Seconds by system and category.
    systems: BTreeMap<(String, String), f64>,
    /// What was done of each task.
    tasks: BTreeMap<String, Done>,
    /// Hours by source and target field.
    pairs: BTreeMap<[[String; 3]; 2], f64>,
    lost_interval: Option<(f64, f64)>,
    releases: Option<Vec<Estimate>>,
    go_lives: Option<Vec<Estimate>>,
    person_weeks: f64,
    lost_hours_per_person_week: f64,
}

fn compare(truth: &Truth, measured: &Measured) -> Scores {
    let bounds = if truth.scenario == "hard" { HARD } else { CLEAN };
    let mut rows = Vec::new();
    rows.push(row("person-weeks", measured.person_weeks, truth.person_weeks, "equal", |row| row.difference == 0.0));
    let lost_truth = truth.lost_seconds() / 3600.0 / truth.person_weeks;
    rows.push(row(
        "lost hours per person-week",
        measured.lost_hours_per_person_week,
        lost_truth,
        &format!("within {} %", bounds.lost_share * 100.0),
        |row| row.difference.abs() <= bounds.lost_share * row.truth.abs(),
    ));
    let hours =
        |seconds: &BTreeMap<String, f64>, category: &str| seconds.get(category).copied().unwrap_or(0.0) / 3600.0;
    let mut categories: Vec<&String> = truth.rule.seconds.keys().chain(measured.seconds.keys()).collect();
    categories.sort();
    categories.dedup();
    for category in &categories {
        rows.push(row(
            &format!("hours of {category}"),
            hours(&measured.seconds, category),
            hours(&truth.rule.seconds, category),
            &format!("within {} %, or {} h per person-week", bounds.category_share * 100.0, bounds.category_hours),
            |row| {
                row.difference.abs() <= bounds.category_share * row.truth.abs()
                    || row.difference.abs() <= bounds.category_hours * truth.person_weeks
            },
        ));
    }
    if truth.scenario == NO_RE_ENTRY {
        rows.push(row(
            "re-entered share of entry hours",
            hours(&measured.seconds, "re_entry") * 3600.0 / truth.entry_seconds,
            0.0,
            &format!("at most {} %", FALSE_RE_ENTRY_MAX * 100.0),
            |row| row.measured <= FALSE_RE_ENTRY_MAX,
        ));
    } else {
        let found = re_entries::judge(&truth.re_entries, &measured.judged);
        for (figure, value, bound) in [
            ("re-entry precision", found.precision, bounds.precision),
            ("re-entry recall", found.recall, bounds.recall),
            ("re-entry source right", found.source, bounds.source),
        ] {
            rows.push(row(figure, value, 1.0, &format!("at least {bound}"), |row| row.measured >= bound));
        }
    }
    let mut scores = Scores { scenario: truth.scenario.clone(), seed: truth.seed, rows, skipped: Vec::new() };
    details::add(&mut scores, truth, measured, bounds.task_share);
    for category in &categories {
        let lived = truth.lived.seconds.get(*category).copied();
        if let Some(lived) = lived {
            let mut bias = row(
                &format!("bias: hours of {category}"),
                hours(&measured.seconds, category),
                lived / 3600.0,
                "",
                |_| true,
            );
            bias.holds = None;
            scores.rows.push(bias);
        }
    }
    scores
}

/// A row. A figure that is not a number holds nothing.
fn row(figure: &str, measured: f64, truth: f64, bound: &str, holds: impl Fn(&Score) -> bool) -> Score {
    let mut row = Score {
        figure: figure.to_owned(),
        measured,
        truth,
        difference: measured - truth,
        bound: bound.to_owned(),
        holds: None,
        low: None,
        high: None,
        covers: None,
    };
    row.holds = Some(!measured.is_nan() && !truth.is_nan() && holds(&row));
    row
}

impl Scores {
    /// Names what is not compared.
    fn skip(&mut self, figure: &str, why: &str) {
        self.skipped.push(format!("{figure}: {why}"));
    }

    /// Whether everything holds that must.
    #[must_use]
    pub fn hold(&self) -> bool {
        self.rows.iter().all(|row| row.holds != Some(false))
    }
}

impl fmt::Display for Scores {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "scenario {}, seed {}", self.scenario, self.seed)?;
        let width = self.rows.iter().map(|row| row.figure.len()).max().unwrap_or(0);
        writeln!(
            formatter,
            "{:width$} {:>14} {:>14} {:>12}  holds  bound",
            "figure", "measured", "truth", "difference"
        )?;
        for row in &self.rows {
            let holds = match (row.holds, row.covers) {
                (Some(true), _) => "yes",
                (Some(false), _) => "NO",
                (None, Some(true)) => "in",
                (None, Some(false)) => "out",
                (None, None) => "-",
            };
            writeln!(
                formatter,
                "{:width$} {:>14.4} {:>14.4} {:>12.4}  {holds:5}  {}",
                row.figure, row.measured, row.truth, row.difference, row.bound
            )?;
        }
        for skipped in &self.skipped {
            writeln!(formatter, "skipped: {skipped}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
