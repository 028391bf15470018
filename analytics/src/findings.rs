//! What a report says, as data. Pages and reports draw this and nothing else; every answer carries the SQL behind it.

use serde::Serialize;

mod changes;
mod claims;
mod gather;

pub use changes::{GoLiveEffect, ReleaseEffect};
pub use claims::{Claim, TimeUse, Tried};
pub use gather::gather;

/// Rows, and the SQL that made them.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Answer<Row> {
    /// The rows, in the order to show.
    pub rows: Vec<Row>,
    /// How many rows there are in all: an answer may be cut to the first of them.
    pub of: usize,
    /// The SQL that gives exactly these rows from the store.
    pub sql: String,
}

/// All that the report shows.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Findings {
    /// The estate's name.
    pub estate: String,
    /// Where the data say that they come from.
    pub provenance: Provenance,
    /// Name and value of each option that narrows the scope; empty for everything.
    pub scope: Vec<(String, String)>,
    /// First local day with activity, ISO; empty when there is none.
    pub from: String,
    /// Last local day with activity, ISO.
    pub to: String,
    /// Number of the version record that was read.
    pub version: u64,
    /// Name, value and unit of each parameter of the measurement.
    pub parameters: Vec<(String, String, String)>,
    /// What was claimed in public, and what the data say of it (view `claims`).
    pub claims: Answer<Claim>,
    /// How a working week divides (view `time_use`).
    pub time_use: Answer<TimeUse>,
    /// Lost hours with other values of parameters (view `sensitivity`).
    pub sensitivity: Answer<Tried>,
    /// What releases did (view `release_effects`).
    pub releases: Answer<ReleaseEffect>,
    /// What interfaces did (view `go_live_effects`).
    pub go_lives: Answer<GoLiveEffect>,
    /// Key figures (view `headline`).
    pub headline: Answer<Measure>,
    /// Hours lost by system and cause (view `time_lost_by_system`).
    pub by_system: Answer<LostBySystem>,
    /// Hours lost by task and cause (view `time_lost_by_task`).
    pub by_task: Answer<LostByTask>,
    /// Re-entry from system to system (view `re_entry_matrix`).
    pub matrix: Answer<MatrixCell>,
    /// Fields keyed again (view `re_entry_hotspots`), verdict established.
    pub hotspots: Answer<Hotspot>,
    /// Fields that cannot be told from a default (view `re_entry_pairs`), verdict constant.
    pub constants: Answer<Agreement>,
    /// Fields that agree on fewer cases than it takes to tell (view `re_entry_pairs`).
    pub too_few: Answer<Agreement>,
    /// What to fix first (view `fixes`).
    pub fixes: Answer<Fix>,
    /// Checks on the data (view `data_quality`).
    pub quality: Answer<Check>,
}

/// Where data come from, as their senders say by `deployment.environment.name`. Never guessed from a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Provenance {
    /// Nothing in particular is said: systems in use.
    #[default]
    InUse,
    /// Some of it is a recording that was imported, and none is simulated.
    Recording,
    /// Some of it is simulated.
    Simulation,
}

/// A key figure. Rates, shares and estimates have an interval where enough people are behind them.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Measure {
    /// Its name, e.g. `lost_hours_per_person_week`.
    pub measure: String,
    /// Its value; null when not available.
    pub value: Option<f64>,
    /// Lower end of the 95 % interval.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// Its unit.
    pub unit: String,
    /// People behind it.
    pub people: i64,
    /// Person-weeks behind it.
    pub person_weeks: i64,
    /// People observed over headcount, 0 to 1; null without a staffing table.
    pub coverage: Option<f64>,
    /// Evidence grade.
    pub grade: String,
}

/// Hours lost in a system to a cause.
#[derive(Debug, Clone, Default, Serialize)]
pub struct LostBySystem {
    /// The system.
    pub system: String,
    /// The cause: a category of group `lost`.
    pub cause: String,
    /// Hours.
    pub hours: f64,
    /// Hours per person-week.
    pub hours_per_person_week: f64,
    /// Lower end of its 95 % interval.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// Share of all lost hours, 0 to 1.
    pub share: f64,
    /// People who lost time so.
    pub people: i64,
    /// Ends of the 95 % interval of hours per person-week of all causes of the system.
    pub all_causes: Option<(f64, f64)>,
}

/// Hours lost in a task to a cause.
#[derive(Debug, Clone, Default, Serialize)]
pub struct LostByTask {
    /// The task; `unattributed` where there is none.
    pub task: String,
    /// The cause.
    pub cause: String,
    /// Hours.
    pub hours: f64,
    /// Hours per person-week.
    pub hours_per_person_week: f64,
    /// Lower end of its 95 % interval.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// Share of all lost hours, 0 to 1.
    pub share: f64,
    /// Instances of the task.
    pub instances: i64,
    /// Minutes lost per instance; null where there is no instance.
    pub minutes_per_instance: Option<f64>,
    /// Ends of the 95 % interval of hours per person-week of all causes of the task.
    pub all_causes: Option<(f64, f64)>,
}

/// Re-entry from one system into another (or the same).
#[derive(Debug, Clone, Default, Serialize)]
pub struct MatrixCell {
    /// Where the estate held the value first.
    pub from_system: String,
    /// Where it was keyed again.
    pub to_system: String,
    /// Expected number of re-entries (certainties added up).
    pub re_entries: f64,
    /// Hours.
    pub hours: f64,
    /// Hours per person-week.
    pub hours_per_person_week: f64,
    /// Cases touched.
    pub cases: i64,
}

/// A field that is keyed again from another.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Hotspot {
    /// Rank by hours.
    pub rank: i64,
    /// System, screen and field where the value was held.
    pub from: [String; 3],
    /// System, screen and field where it is keyed again.
    pub to: [String; 3],
    /// `cross_system` or `within_system`.
    pub scope: String,
    /// Cases with a target and an earlier source.
    pub n: i64,
    /// Those that match.
    pub m: i64,
    /// Matches expected by chance, n p.
    pub expected: f64,
    /// Expected number of re-entries.
    pub re_entries: f64,
    /// Hours.
    pub hours: f64,
    /// Hours per person-week.
    pub hours_per_person_week: f64,
    /// Lower end of its 95 % interval.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// Best place that the data allow.
    pub rank_low: Option<i64>,
    /// Worst place that the data allow.
    pub rank_high: Option<i64>,
    /// Cases touched.
    pub cases: i64,
    /// People who re-enter.
    pub people: i64,
}

/// A pair of fields that agree, and may do so without anybody keying a value again.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Agreement {
    /// System, screen and field where the value was held; the field is empty for a `join`.
    pub from: [String; 3],
    /// System, screen and field that was entered.
    pub to: [String; 3],
    /// `whole`, `split` or `join`.
    pub agreement: String,
    /// Cases with a target and an earlier source.
    pub n: i64,
    /// Those that agree.
    pub m: i64,
    /// Agreements expected by chance, n p.
    pub expected: f64,
}

/// Something to fix.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Fix {
    /// Rank by hours per week.
    pub rank: i64,
    /// `integrate`, `speed_up`, `repair`, `single_sign_on`, `save_work` or `simplify`.
    pub kind: String,
    /// What the time is lost to: a category of group `lost`.
    pub cause: String,
    /// The system to change.
    pub system: String,
    /// The screen.
    pub screen: Option<String>,
    /// The field.
    pub field: Option<String>,
    /// For `integrate`: where the value is held already.
    pub from_system: Option<String>,
    /// For `integrate`: its screen.
    pub from_screen: Option<String>,
    /// For `integrate`: its field.
    pub from_field: Option<String>,
    /// Hours of all of it.
    pub hours: f64,
    /// Hours a week over everybody observed; not-a-number without a whole week.
    pub hours_per_week: f64,
    /// Lower end of its 95 % interval.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// What the hours of a year cost to employ, pounds; null without hourly costs. No saving in cash.
    pub cost_per_year: Option<f64>,
    /// Best place that the data allow.
    pub rank_low: Option<i64>,
    /// Worst place that the data allow.
    pub rank_high: Option<i64>,
    /// People touched.
    pub people: i64,
    /// One sentence: why.
    pub why: String,
}

/// A check on the data.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Check {
    /// Its name.
    pub check: String,
    /// Its value.
    pub value: f64,
    /// Its unit.
    pub unit: String,
    /// What it means.
    pub meaning: String,
}
