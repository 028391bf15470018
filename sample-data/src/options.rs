//! What to simulate.

use std::str::FromStr;

use chrono::{Datelike, NaiveDate, Weekday};

/// The most staff that is simulated: case numbers and logins have room for so many.
const STAFF_MAX: u32 = 20_000;
/// The most weeks that are simulated.
const WEEKS_MAX: u32 = 520;

/// How big a simulation is, and of what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// How many people work.
    pub staff: u32,
    /// For how many weeks.
    pub weeks: u32,
    /// What chance starts from: the same seed gives the same bytes.
    pub seed: u64,
    /// How kind the world is to the measure.
    pub scenario: Scenario,
    /// The Monday on which it begins.
    pub start: NaiveDate,
    /// Whether the estate's planted effects come about in every scenario; in `hard` they always do.
    pub effects: bool,
    /// Whether people have another login in each system, so that only the directory says who is who.
    pub logins_apart: bool,
    /// The key with which the pages of the estate digest values; no secret.
    pub page_key: Vec<u8>,
}

impl Default for Options {
    /// 200 people for the four weeks from 5 October 2026, in which summer time ends.
    fn default() -> Self {
        Self {
            staff: 200,
            weeks: 4,
            seed: 1,
            scenario: Scenario::Clean,
            effects: false,
            logins_apart: false,
            start: NaiveDate::from_ymd_opt(2026, 10, 5).expect("the day exists"),
            page_key: b"gilbreth".to_vec(),
        }
    }
}

/// How kind the world is to the measure. Every scenario has the decoys: values that agree by nature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    /// Clocks are right, each export is sent once, and what is keyed again is keyed the same.
    Clean,
    /// What goes wrong in real life does: see [`crate::faults`] for the sending, the estate for the keying.
    Hard,
    /// What one system holds the others are given: nobody keys anything again.
    NoReEntry,
}

impl Scenario {
    /// Its word on the command line and in the truth.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Hard => "hard",
            Self::NoReEntry => "no-re-entry",
        }
    }
}

impl FromStr for Scenario {
    type Err = OptionsError;

    fn from_str(word: &str) -> Result<Self, OptionsError> {
        match word {
            "clean" => Ok(Self::Clean),
            "no-re-entry" => Ok(Self::NoReEntry),
            "hard" => Ok(Self::Hard),
            _ => Err(OptionsError::Scenario(word.to_owned())),
        }
    }
}

/// Options that cannot be.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum OptionsError {
    /// No such scenario.
    #[error("there is no scenario '{0}': clean, hard and no-re-entry are the ones that there are")]
    Scenario(String),
    /// Too few or too many people.
    #[error("{0} staff cannot be simulated: 1 to {STAFF_MAX} can")]
    Staff(u32),
    /// Too few or too many weeks.
    #[error("{0} weeks cannot be simulated: 1 to {WEEKS_MAX} can")]
    Weeks(u32),
    /// The simulation must begin with a week, of a year with four digits.
    #[error("a simulation starts on a Monday between 1990 and 2100, not on {0}")]
    Start(NaiveDate),
}

impl Options {
    /// Whether the estate's planted effects come about.
    #[must_use]
    pub fn has_effects(&self) -> bool {
        self.effects || self.scenario == Scenario::Hard
    }

    /// Whether they can be simulated.
    ///
    /// # Errors
    /// When one of them is out of its range.
    pub fn check(&self) -> Result<(), OptionsError> {
        if !(1..=STAFF_MAX).contains(&self.staff) {
            return Err(OptionsError::Staff(self.staff));
        }
        if !(1..=WEEKS_MAX).contains(&self.weeks) {
            return Err(OptionsError::Weeks(self.weeks));
        }
        if self.start.weekday() != Weekday::Mon || !(1990..2100).contains(&self.start.year()) {
            return Err(OptionsError::Start(self.start));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_simulated_is_refused_with_what_can() {
        assert!("dirty".parse::<Scenario>().unwrap_err().to_string().contains("'dirty'"));
        for scenario in [Scenario::Clean, Scenario::Hard, Scenario::NoReEntry] {
            assert_eq!(scenario.as_str().parse(), Ok(scenario));
        }
        assert_eq!(Options::default().check(), Ok(()));
        assert_eq!(Options { staff: 0, ..Options::default() }.check(), Err(OptionsError::Staff(0)));
        assert_eq!(Options { weeks: 521, ..Options::default() }.check(), Err(OptionsError::Weeks(521)));
        let tuesday = Options::default().start.succ_opt().unwrap();
        assert_eq!(Options { start: tuesday, ..Options::default() }.check(), Err(OptionsError::Start(tuesday)));
    }
}
