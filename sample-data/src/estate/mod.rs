//! The estate: systems, screens, fields, tasks and organisations, read from TOML into types that cannot be invalid.
//!
//! Systems, screens, fields and facts are numbered once here; everything after works with the numbers.

mod check;
pub mod effects;
mod file;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use chrono_tz::Tz;

pub use file::{CaseNumber, Cases, How, ValuesSent};

use crate::world::vocabulary::Maker;

/// What is wrong with an estate's file.
#[derive(Debug, thiserror::Error)]
pub enum EstateError {
    /// It is no TOML, or has a key that means nothing; the message names line and column.
    #[error("the estate is not valid TOML: {0}")]
    Toml(String),
    /// It is TOML, but says something that cannot be.
    #[error("estate, {place}: {problem}")]
    Invalid {
        /// Where: the system, screen, field, task …
        place: String,
        /// What is wrong there.
        problem: String,
    },
}

macro_rules! number {
    ($name:ident, $of:literal) => {
        #[doc = concat!("The number of a ", $of, " within its estate.")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(u16);

        impl $name {
            fn new(index: usize) -> Self {
                Self(u16::try_from(index).expect("the check bounds how many there are"))
            }

            /// Its place in the estate's list.
            #[must_use]
            pub fn index(self) -> usize {
                usize::from(self.0)
            }
        }
    };
}

number!(SystemId, "system");
number!(ScreenId, "screen");
number!(FieldId, "field");
number!(FactId, "fact");
number!(TaskId, "task");

/// Everything that the simulation knows about the systems and the people.
#[derive(Debug, Clone)]
pub struct Estate {
    /// Its name.
    pub name: String,
    /// Where its days begin and end.
    pub time_zone: Tz,
    /// What is true of a case, and how such values are made.
    pub facts: Vec<Fact>,
    /// The systems.
    pub systems: Vec<System>,
    /// The screens of all systems.
    pub screens: Vec<Screen>,
    /// The fields of all screens.
    pub fields: Vec<Field>,
    /// The tasks.
    pub tasks: Vec<Task>,
    /// The national service.
    pub service: Service,
    /// The companies.
    pub companies: Companies,
    /// Days on which nobody works, with their names.
    pub holidays: BTreeMap<NaiveDate, String>,
    /// What an hour of work costs, by role, in pounds.
    pub hourly_cost: BTreeMap<String, f64>,
    /// Changes of a known size.
    pub effects: effects::Effects,
}

/// Something true of a case.
#[derive(Debug, Clone)]
pub struct Fact {
    /// Its name.
    pub name: String,
    /// How its values are made; of one made from others, what it is to a case system.
    pub maker: Maker,
    /// What it is made from, if it is another way to say what other facts say.
    pub made_from: Option<MadeFrom>,
}

/// How a fact is made from others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MadeFrom {
    /// Their values, one after the other.
    All(Vec<FactId>),
    /// The first word of its value.
    FirstOf(FactId),
    /// All but the first word.
    RestOf(FactId),
}

/// A case system.
#[derive(Debug, Clone)]
pub struct System {
    /// Its name, as it names itself in what it sends.
    pub name: String,
    /// Its release.
    pub release: String,
    /// How it sends values.
    pub values: ValuesSent,
    /// By which numbers it names a case.
    pub case_number: CaseNumber,
    /// Median seconds that signing in takes.
    pub sign_in_s: f64,
    /// Minutes without use after which it asks to sign in again.
    pub sign_in_again_after_min: f64,
    /// Median seconds of a wait.
    pub wait_median_s: f64,
    /// Spread of the waits (of their logarithm).
    pub wait_sigma: f64,
    /// Outages a day.
    pub outages_per_day: f64,
    /// Share of saves that lose the work.
    pub lost_work: f64,
    /// Share of saves that validation refuses.
    pub rejected: f64,
    /// Whether it saves by itself.
    pub auto_save: bool,
}

/// A screen.
#[derive(Debug, Clone)]
pub struct Screen {
    /// Its name.
    pub name: String,
    /// Its system.
    pub system: SystemId,
    /// What it is for.
    pub function: String,
    /// Median seconds that reading it takes.
    pub reading_s: f64,
    /// How much longer its waits are than the system's.
    pub slower: f64,
    /// The fact by which it finds cases, if it is there to search.
    pub find_by: Option<FactId>,
    /// Whether it refreshes itself while it is read.
    pub refreshes: bool,
    /// Its fields, from top to bottom.
    pub fields: Vec<FieldId>,
}

/// A field.
#[derive(Debug, Clone)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its screen.
    pub screen: ScreenId,
    /// Its system.
    pub system: SystemId,
    /// What it holds.
    pub holds: Holds,
    /// What a worker does with it.
    pub how: How,
    /// Share of its entries that are pasted.
    pub pasted: f64,
}

/// What a field holds.
#[derive(Debug, Clone)]
pub enum Holds {
    /// Something true of the case.
    Fact(FactId),
    /// Something made anew each time.
    Value(Maker),
}

/// A kind of work.
#[derive(Debug, Clone)]
pub struct Task {
    /// Its name.
    pub name: String,
    /// Which cases it is about.
    pub cases: Cases,
    /// Facts that it makes anew.
    pub renews: Vec<FactId>,
    /// Cases that it goes through.
    pub rows: u32,
    /// How often a day a worker of a role does it.
    pub per_day: Vec<(String, f64)>,
    /// What is done, one screen after the other.
    pub steps: Vec<Step>,
}

impl Task {
    /// How often a day a worker of this role does it.
    #[must_use]
    pub fn per_day_of(&self, role: &str) -> f64 {
        self.per_day.iter().find(|(name, _)| name == role).map_or(0.0, |(_, rate)| *rate)
    }
}

/// One screen of a task.
#[derive(Debug, Clone)]
pub struct Step {
    /// The screen, for each case system where the step is in the worker's own.
    pub at: At,
    /// Whether the interface between systems carries what the case already holds.
    pub shared: bool,
    /// Whether it is done in the scenario `hard` only.
    pub hard: bool,
}

/// Where a step takes place.
#[derive(Debug, Clone)]
pub enum At {
    /// In one system for everybody.
    Fixed(ScreenId),
    /// In the case system of the worker's organisation.
    CaseSystem(Vec<(SystemId, ScreenId)>),
}

impl Step {
    /// The screen for a worker whose organisation has this case system.
    #[must_use]
    pub fn screen(&self, case_system: Option<SystemId>) -> Option<ScreenId> {
        match &self.at {
            At::Fixed(screen) => Some(*screen),
            At::CaseSystem(screens) => {
                screens.iter().find(|(system, _)| Some(*system) == case_system).map(|(_, screen)| *screen)
            }
        }
    }
}

/// The national service.
#[derive(Debug, Clone)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Its share of all staff.
    pub share: f64,
    /// Its divisions.
    pub teams: Vec<String>,
    /// Roles and their shares.
    pub roles: Vec<(String, f64)>,
}

/// The companies.
#[derive(Debug, Clone)]
pub struct Companies {
    /// Their names; the first have the interface.
    pub names: Vec<String>,
    /// How many have the interface.
    pub with_interface: usize,
    /// The case system of those without.
    pub case_system: SystemId,
    /// The case system of those with it.
    pub case_system_with_interface: SystemId,
    /// Roles and their shares.
    pub roles: Vec<(String, f64)>,
}

impl Estate {
    /// The probation estate that comes with the program.
    #[must_use]
    pub fn probation() -> Self {
        Self::from_toml(include_str!("../../estates/probation.toml")).expect("a test reads the estate that comes along")
    }

    /// Reads an estate.
    ///
    /// # Errors
    /// When the text is no TOML, has an unknown key, or says what cannot be; the error names the place.
    pub fn from_toml(text: &str) -> Result<Self, EstateError> {
        let file = toml::from_str(text).map_err(|error| EstateError::Toml(error.to_string().trim_end().to_owned()))?;
        check::check(file)
    }

    /// The system with a number.
    #[must_use]
    pub fn system(&self, id: SystemId) -> &System {
        &self.systems[id.index()]
    }

    /// The number of the system of that name.
    #[must_use]
    pub fn system_named(&self, name: &str) -> Option<SystemId> {
        self.systems.iter().position(|system| system.name == name).map(SystemId::new)
    }

    /// The number of the system at a place of the list.
    pub(crate) fn numbered_system(&self, index: usize) -> SystemId {
        assert!(index < self.systems.len(), "there are only {} systems", self.systems.len());
        SystemId::new(index)
    }

    /// The screen with a number.
    #[must_use]
    pub fn screen(&self, id: ScreenId) -> &Screen {
        &self.screens[id.index()]
    }

    /// The field with a number.
    #[must_use]
    pub fn field(&self, id: FieldId) -> &Field {
        &self.fields[id.index()]
    }

    /// The fact with a number.
    #[must_use]
    pub fn fact(&self, id: FactId) -> &Fact {
        &self.facts[id.index()]
    }

    /// The fields of other systems than this that show a fact.
    pub fn shown_elsewhere(&self, fact: FactId, here: SystemId) -> impl Iterator<Item = FieldId> {
        let shows = move |field: &Field| {
            field.how == How::Seen && field.system != here && matches!(field.holds, Holds::Fact(of) if of == fact)
        };
        self.fields.iter().enumerate().filter(move |(_, field)| shows(field)).map(|(index, _)| FieldId::new(index))
    }

    /// What the company at a place in the list calls itself.
    #[must_use]
    pub fn organisation(&self, company: usize) -> String {
        format!("{} rehabilitation company", self.companies.names[company])
    }

    /// The task with a number.
    #[must_use]
    pub fn task(&self, id: TaskId) -> &Task {
        &self.tasks[id.index()]
    }

    /// The facts with their numbers.
    pub fn numbered_facts(&self) -> impl Iterator<Item = (FactId, &Fact)> {
        self.facts.iter().enumerate().map(|(index, fact)| (FactId::new(index), fact))
    }

    /// The tasks with their numbers.
    pub fn numbered_tasks(&self) -> impl Iterator<Item = (TaskId, &Task)> {
        self.tasks.iter().enumerate().map(|(index, task)| (TaskId::new(index), task))
    }
}

#[cfg(test)]
mod tests;
