//! What a perfect measure would find, worked out from what happened and from the text of the method alone.
//!
//! - **rule-truth**: the method's definitions applied to what really happened, where re-entry is what the simulation
//!   *knows* to be one (the value of a fact of the case was keyed although a source held it), not what looks like one;
//! - **lived truth**: what each person was doing, second by second. Its difference from the rules is their bias.
//!
//! [`re_entry`] decides which entries key again what was held, [`ledger`] cuts the time line, [`rework`] finds fields
//! keyed twice. None of it shares a line with the analytics, whose figures are held against it.

mod effects;
mod ledger;
mod re_entry;
mod rework;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{Datelike, NaiveDate, Weekday};

use crate::estate::{Estate, FieldId, Holds, SystemId, TaskId};
use crate::interaction::{Interaction, SpanId};
use crate::options::{Options, Scenario};
use crate::world::people::Worker;

pub use effects::Effect;
pub use write::TruthError;
pub(crate) use write::cell;

/// The method's categories of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Category {
    /// A value keyed that the case did not hold.
    FirstEntry,
    /// Time on a screen with nothing open.
    Reading,
    /// Moving about, and buttons.
    Navigation,
    /// Searching.
    Search,
    /// The first sign-in of the day to a system.
    SignIn,
    /// The part of a wait that nobody minds.
    Response,
    /// A value keyed that the case held.
    ReEntry,
    /// The same field keyed again.
    Rework,
    /// The rest of a wait.
    Wait,
    /// Waits and sign-ins that failed.
    Unavailable,
    /// Going to another system.
    Switching,
    /// Further sign-ins of the day to a system.
    RepeatSignIn,
    /// The page out of sight.
    Elsewhere,
    /// Long gaps.
    Away,
}

impl Category {
    /// All of them, in the method's order.
    pub const ALL: [Self; 14] = [
        Self::FirstEntry,
        Self::Reading,
        Self::Navigation,
        Self::Search,
        Self::SignIn,
        Self::Response,
        Self::ReEntry,
        Self::Rework,
        Self::Wait,
        Self::Unavailable,
        Self::Switching,
        Self::RepeatSignIn,
        Self::Elsewhere,
        Self::Away,
    ];

    /// How the method groups it: useful, overhead, lost or outside.
    #[must_use]
    pub const fn group(self) -> &'static str {
        match self {
            Self::FirstEntry | Self::Reading => "useful",
            Self::Navigation | Self::Search | Self::SignIn | Self::Response => "overhead",
            Self::ReEntry | Self::Rework | Self::Wait | Self::Unavailable | Self::Switching | Self::RepeatSignIn => {
                "lost"
            }
            Self::Elsewhere | Self::Away => "outside",
        }
    }

    /// Its name in tables and files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FirstEntry => "first_entry",
            Self::Reading => "reading",
            Self::Navigation => "navigation",
            Self::Search => "search",
            Self::SignIn => "sign_in",
            Self::Response => "response",
            Self::ReEntry => "re_entry",
            Self::Rework => "rework",
            Self::Wait => "wait",
            Self::Unavailable => "unavailable",
            Self::Switching => "switching",
            Self::RepeatSignIn => "repeat_sign_in",
            Self::Elsewhere => "elsewhere",
            Self::Away => "away",
        }
    }
}

/// Time by category, to the microsecond.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seconds([i64; 14]);

impl Seconds {
    /// Adds microseconds.
    pub fn add(&mut self, category: Category, micros: i64) {
        self.0[category as usize] += micros;
    }

    /// Microseconds of a category.
    #[must_use]
    pub fn micros(&self, category: Category) -> i64 {
        self.0[category as usize]
    }

    /// Seconds of a category.
    #[must_use]
    pub fn of(&self, category: Category) -> f64 {
        self.micros(category) as f64 / 1e6
    }

    /// Microseconds of what is lost.
    #[must_use]
    pub fn lost_micros(&self) -> i64 {
        Category::ALL.into_iter().filter(|category| category.group() == "lost").map(|one| self.micros(one)).sum()
    }

    /// Microseconds in all.
    #[must_use]
    pub fn total_micros(&self) -> i64 {
        self.0.iter().sum()
    }

    fn add_all(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine += theirs;
        }
    }
}

/// A value keyed although a source held it.
#[derive(Debug, Clone, PartialEq)]
pub struct ReEntry {
    /// The span that carries the value: the last of its chain.
    pub span: SpanId,
    /// Its trace.
    pub trace: u128,
    /// Microseconds of the ledger for its whole chain.
    pub micros: i64,
    /// The field that held the value first, in another system if there is one.
    pub from: FieldId,
    /// The field that it was keyed into.
    pub to: FieldId,
    /// How many distinct cases had this pair of fields so far, this one included.
    pub pair_cases: u32,
}

/// A task, as far as its sender says when it is done: by id, or by naming it at the root of a trace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TaskTime {
    /// How often it was done.
    pub instances: u64,
    /// Microseconds at the screens.
    pub micros: i64,
    /// Systems used, of each time.
    pub systems: u64,
    /// Screens used, of each time.
    pub screens: u64,
    /// Changes of system, of each time.
    pub switches: u64,
}

/// What was true of a simulation.
#[derive(Debug, Clone)]
pub struct Truth {
    pub(crate) estate: Arc<Estate>,
    pub(crate) options: Options,
    pub(crate) people: Arc<Vec<Worker>>,
    /// Which scenario.
    pub scenario: Scenario,
    /// Which seed.
    pub seed: u64,
    /// How many people.
    pub workers: usize,
    /// Workers × whole ISO weeks with activity.
    pub person_weeks: usize,
    /// How many spans.
    pub spans: usize,
    /// By the rules.
    pub rule: Seconds,
    /// As it was lived.
    pub lived: Seconds,
    /// By the rules, of each system.
    pub by_system: BTreeMap<SystemId, Seconds>,
    /// Microseconds lost by the rules, of each worker (by place in the list) in each system.
    pub lost_by_worker: BTreeMap<(usize, SystemId), i64>,
    /// Weeks with activity, of each worker who had any.
    pub weeks_by_worker: BTreeMap<usize, u32>,
    /// What each task took, where its sender tells one time of doing it from another.
    pub tasks: BTreeMap<TaskId, TaskTime>,
    /// Every re-entry.
    pub re_entries: Vec<ReEntry>,
}

impl Truth {
    /// Seconds of everything that was keyed, by the rules.
    #[must_use]
    pub fn entry_seconds(&self) -> f64 {
        [Category::FirstEntry, Category::ReEntry, Category::Rework]
            .into_iter()
            .map(|category| self.rule.of(category))
            .sum()
    }

    /// How likely two cases are to have the same value in the field of a re-entry, by how such values are made: what
    /// makes it possible to tell copying from chance.
    #[must_use]
    pub fn chance(&self, re_entry: &ReEntry) -> f64 {
        match &self.estate.field(re_entry.to).holds {
            Holds::Fact(fact) => self.estate.fact(*fact).maker.chance_of_agreeing(),
            Holds::Value(maker) => maker.chance_of_agreeing(),
        }
    }

    /// Whether both fields of a re-entry are of one system.
    #[must_use]
    pub fn is_within_system(&self, re_entry: &ReEntry) -> bool {
        self.estate.field(re_entry.from).system == self.estate.field(re_entry.to).system
    }
}

/// A worker's day, cut by the rules, for days that nobody simulated: what each system has of it. `keyed` says of the entry at
/// the end of each chain what it was.
pub fn cut(day: &[Interaction], keyed: &dyn Fn(&Interaction) -> Category) -> BTreeMap<SystemId, Seconds> {
    ledger::ledger(day, keyed).by_system
}

/// Sees each day and forgets it, all but what the truth needs.
pub(crate) struct Witness {
    truth: Truth,
    person_weeks: BTreeSet<(usize, i32, u32)>,
    held: re_entry::Held,
}

impl Witness {
    pub(crate) fn new(estate: Arc<Estate>, people: Arc<Vec<Worker>>, options: &Options) -> Self {
        let truth = Truth {
            estate,
            options: options.clone(),
            workers: people.len(),
            people,
            scenario: options.scenario,
            seed: options.seed,
            person_weeks: 0,
            spans: 0,
            rule: Seconds::default(),
            lived: Seconds::default(),
            by_system: BTreeMap::new(),
            lost_by_worker: BTreeMap::new(),
            weeks_by_worker: BTreeMap::new(),
            tasks: BTreeMap::new(),
            re_entries: Vec::new(),
        };
        Self { truth, person_weeks: BTreeSet::new(), held: re_entry::Held::default() }
    }

    /// A worker's day as it was lived.
    pub(crate) fn lived(&mut self, seconds: &Seconds) {
        self.truth.lived.add_all(seconds);
    }

    /// All of a day, worker by worker.
    pub(crate) fn judge(&mut self, date: NaiveDate, days: &[Vec<Interaction>]) {
        if date.weekday() == Weekday::Mon
            && let Some(earliest) = days.iter().flatten().map(|span| span.started_at).min()
        {
            self.held.forget_before(earliest);
        }
        let reworked: Vec<_> = days.iter().map(|day| rework::reworked(day)).collect();
        let found = self.held.re_entries(&self.truth.estate, days, &reworked);
        for ((day, reworked), found) in days.iter().zip(&reworked).zip(found) {
            let keyed_again: BTreeSet<SpanId> = found.iter().map(|one| one.span).collect();
            let ledger = ledger::ledger(day, &|span| {
                if reworked.contains(&span.span) {
                    Category::Rework
                } else if keyed_again.contains(&span.span) {
                    Category::ReEntry
                } else {
                    Category::FirstEntry
                }
            });
            debug_assert_eq!(ledger.seconds.total_micros(), ledger.span_micros, "each instant belongs to one category");
            self.truth.rule.add_all(&ledger.seconds);
            self.truth.spans += day.len();
            for (system, seconds) in &ledger.by_system {
                self.truth.by_system.entry(*system).or_default().add_all(seconds);
            }
            for (task, done) in ledger.by_task.iter().filter(|(task, _)| task.known || task.named) {
                let time = self.truth.tasks.entry(task.task).or_default();
                time.instances += 1;
                time.micros += done.micros;
                time.systems += done.systems.len() as u64;
                time.screens += done.screens.len() as u64;
                time.switches += done.switches;
            }
            if let Some(worker) = ledger.worker {
                for (system, seconds) in &ledger.by_system {
                    *self.truth.lost_by_worker.entry((worker, *system)).or_default() += seconds.lost_micros();
                }
                let week = date.iso_week();
                self.person_weeks.insert((worker, week.year(), week.week()));
            }
            self.truth.re_entries.extend(found.into_iter().map(|one| {
                let micros = ledger.keyed.get(&one.span).copied().unwrap_or(0);
                ReEntry { micros, ..one }
            }));
        }
    }

    pub(crate) fn finish(self) -> Truth {
        let mut weeks_by_worker = BTreeMap::new();
        for (worker, ..) in &self.person_weeks {
            *weeks_by_worker.entry(*worker).or_default() += 1;
        }
        Truth { weeks_by_worker, person_weeks: self.person_weeks.len(), ..self.truth }
    }
}

#[cfg(test)]
mod tests;
