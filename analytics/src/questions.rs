//! Two questions about all spans that SQL can ask and answers slowly: by sorting every row. Here one pass answers each.
//!
//! - [`first_sources`]: where was a value held first that was entered into another system? A hash pass by case and
//!   digest.
//! - [`active_time`]: how long was each worker active on each day? Rows come sorted by worker and start within files,
//!   so that a worker's day is mostly one slice that is appended as it is.
//!
//! The SQL under `analytics/sql/questions` says what the answers are; a property test holds the two equal. A session has
//! each as a table. [`passes`] reads the spans, as many partitions at once as there are cores, and bounds the memory.

pub mod active_time;
pub mod first_sources;
pub mod passes;
mod provider;

#[cfg(test)]
mod tests;

pub(crate) use provider::Provider;

use gilbreth_collector::schema::Table;

use crate::parameters::Parameters;

/// A question with an operator of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// See [`first_sources`].
    FirstSources,
    /// See [`active_time`].
    ActiveTime,
}

impl Question {
    /// Every question.
    pub const ALL: [Self; 2] = [Self::FirstSources, Self::ActiveTime];

    /// Name, grain and columns of the answer. It is stored nowhere.
    #[must_use]
    pub const fn table(self) -> &'static Table {
        match self {
            Self::FirstSources => &first_sources::TABLE,
            Self::ActiveTime => &active_time::TABLE,
        }
    }

    /// What it is for.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::FirstSources => first_sources::ABOUT,
            Self::ActiveTime => active_time::ABOUT,
        }
    }
}

/// The parameters that decide the answers, microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// How old a source may be when a target starts.
    pub look_back: i64,
    /// Longer gaps are no active time.
    pub idle: i64,
}

impl Rules {
    /// The rules of a measurement.
    #[must_use]
    pub fn of(parameters: &Parameters) -> Self {
        Self {
            look_back: (parameters.look_back_days * 86_400e6) as i64,
            idle: (parameters.idle_threshold_s * 1e6) as i64,
        }
    }
}
