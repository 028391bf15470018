//! The SQL of the views and answers: which files there are, what each says of itself, and in which order views build
//! on each other. The SQL of the facts is listed in [`crate::facts::sql`], which also marks its content.
//!
//! A file is headed by comment lines: what it is for, then `grain:`, `inputs:`, optionally `columns like: TABLE` (columns
//! that mean what they mean there), and `columns:` with one `name: meaning` a line.

use std::collections::BTreeMap;

use crate::{
    effects::{go_live::GO_LIVE_EFFECTS, release::RELEASE_EFFECTS},
    session::Derived,
    statistics::intervals::INTERVALS,
};

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A view of every session.
    View,
    /// A view whose rows a session works out once and keeps, because others share them.
    KeptView,
    /// A question of the report, the dashboards or the score, asked of the views.
    Answer,
    /// What a table of a session is that an operator answers: see [`crate::questions`].
    Specification,
}

/// A file of SQL.
#[derive(Debug, Clone, Copy)]
pub struct SqlFile {
    /// Name of the view or answer.
    pub name: &'static str,
    /// Where it lies below `analytics/sql`.
    pub path: &'static str,
    /// Its text, head included.
    pub text: &'static str,
    /// What it is for.
    pub purpose: Purpose,
}

/// What the head of a file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// What it is for.
    pub about: String,
    /// What one row is.
    pub grain: String,
    /// Tables and views that it reads.
    pub inputs: Vec<String>,
    /// The table or view whose meanings hold for columns that the head does not name.
    pub like: Option<String>,
    /// The meaning of each column that it names.
    pub columns: BTreeMap<String, String>,
}

macro_rules! sql {
    ($purpose:ident, $folder:literal, $($name:literal),+ $(,)?) => {
        &[$(SqlFile {
            name: $name,
            path: concat!($folder, "/", $name, ".sql"),
            text: include_str!(concat!("../sql/", $folder, "/", $name, ".sql")),
            purpose: Purpose::$purpose,
        }),+]
    };
}

/// Views that build on the stored tables, in an order in which each finds its inputs. Groups follow each other. Kept are
/// those that add up; the others have rows for interactions, stretches of time, targets, or parts of what people have.
pub static VIEWS: [&[SqlFile]; 7] = [
    sql!(
        KeptView,
        "views",
        "re_entry_pairs",
        "established_pairs",
        "list_sources",
        "observed_weeks",
        "observed",
        "observed_workers",
        "coverage",
    ),
    sql!(View, "views", "target_sources", "re_entry_times", "weighed_ledger"),
    sql!(
        KeptView,
        "views",
        "time_cube",
        "time_by_function",
        "main_system",
        "task_effort",
        "waits",
        "worker_time",
        "worker_re_entries",
    ),
    sql!(View, "views", "pair_trials", "figure_parts", "interactions", "time_ledger", "re_entries"),
    // Kept for more than speed is `claims`: DataFusion pushes a filter that no row of a branch can pass (`1 = 2`) below
    // the sums that the branch is made of, and a sum over nothing is still a row.
    sql!(
        KeptView,
        "views",
        "re_entry_hotspots",
        "re_entry_matrix",
        "person_weeks",
        "headline",
        "time_lost_by_system",
        "time_lost_by_task",
        "time_lost_by_week",
        "time_lost_by_group",
        "fixes",
        "data_quality",
        "placed_weeks",
        "interface_weeks",
        "floor_ratio",
        "releases",
        "attributed_hours",
        "time_use",
        "cost_of_delay",
        "sensitivity",
    ),
    sql!(View, "views", "task_weeks", "lost_weeks", "interface_outcomes"),
    sql!(KeptView, "views", "claims"),
];

/// Questions asked of the views.
pub static ANSWERS: &[SqlFile] = sql!(
    Answer,
    "answers",
    "period",
    "headline",
    "time_lost_by_system",
    "time_lost_by_task",
    "re_entry_matrix",
    "re_entry_hotspots",
    "fixes",
    "constants",
    "too_few",
    "provenance",
    "data_quality",
    "claims",
    "time_use",
    "sensitivity",
    "release_effects",
    "go_live_effects",
    "score_categories",
    "score_re_entries",
    "score_systems",
    "score_tasks",
);

/// What the operators of [`crate::questions`] answer, each under the name of its table.
pub static SPECIFICATIONS: &[SqlFile] = sql!(Specification, "questions", "first_sources", "active_time");

/// Tables that Rust makes of the rows of views. A session has each after the last view that it is made from.
pub static DERIVED: &[&Derived] = &[&INTERVALS, &RELEASE_EFFECTS, &GO_LIVE_EFFECTS];

/// The tables whose last input is this view.
pub fn derived_after(view: &SqlFile) -> impl Iterator<Item = &'static Derived> {
    DERIVED.iter().copied().filter(move |derived| derived.inputs.last() == Some(&view.name))
}

/// Every view, in an order in which each finds its inputs.
pub fn views() -> impl Iterator<Item = &'static SqlFile> {
    VIEWS.iter().copied().flatten()
}

/// The question of a name. It is one of [`ANSWERS`]: a name that is not there is a mistake of ours, found by any test.
///
/// # Panics
/// When there is no such question.
#[must_use]
pub fn answer(name: &str) -> &'static SqlFile {
    ANSWERS.iter().find(|file| file.name == name).expect("answers are asked for by the names of their files")
}

/// The specification of a question, by the name of its table.
///
/// # Panics
/// When there is no such question.
#[must_use]
pub fn specification(name: &str) -> &'static SqlFile {
    SPECIFICATIONS.iter().find(|file| file.name == name).expect("questions are known by the names of their files")
}

impl SqlFile {
    /// What its head says.
    #[must_use]
    pub fn head(&self) -> Head {
        let mut head = Head::default();
        let mut in_columns = false;
        for line in self.text.lines().map_while(|line| line.strip_prefix("--")).map(str::trim_end) {
            let indented = line.starts_with("   ");
            let line = line.trim_start();
            if let Some(grain) = line.strip_prefix("grain:") {
                head.grain = grain.trim().to_owned();
            } else if let Some(inputs) = line.strip_prefix("inputs:") {
                head.inputs = inputs.split(',').map(|input| input.trim().to_owned()).collect();
            } else if let Some(like) = line.strip_prefix("columns like:") {
                head.like = Some(like.trim().to_owned());
            } else if line == "columns:" {
                in_columns = true;
            } else if in_columns && indented {
                if let Some((name, meaning)) = line.split_once(": ") {
                    head.columns.insert(name.to_owned(), meaning.to_owned());
                }
            } else if head.grain.is_empty() && !line.is_empty() {
                if !head.about.is_empty() {
                    head.about.push(' ');
                }
                head.about.push_str(line);
            }
        }
        head
    }

    /// The statement without its head: what a reader wants to see and run.
    #[must_use]
    pub fn statement(&self) -> &'static str {
        let head: usize = self.text.split_inclusive('\n').take_while(|line| line.starts_with("--")).map(str::len).sum();
        self.text[head..].trim()
    }
}

#[cfg(test)]
mod tests;
