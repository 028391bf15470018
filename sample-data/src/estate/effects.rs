//! Changes of a known size that a simulation may plant: releases, and an interface that goes live in one company after
//! the other.

use chrono::{Days, NaiveDate};

use super::SystemId;
use crate::options::Options;

/// What is planted.
#[derive(Debug, Clone, Default)]
pub struct Effects {
    /// Releases.
    pub releases: Vec<Release>,
    /// The interface between a system and the companies' own.
    pub interface: Option<Interface>,
}

/// A release that changes how long people wait.
#[derive(Debug, Clone)]
pub struct Release {
    /// Of which system.
    pub system: SystemId,
    /// Its name.
    pub name: String,
    /// The share of the weeks after which it comes.
    pub after: f64,
    /// Seconds that each task waits longer in that system, once.
    pub wait_s: f64,
}

/// An interface that spares companies keying what another system holds.
#[derive(Debug, Clone)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// The system that it takes values from.
    pub from: SystemId,
    /// When every company should have had it.
    pub due_on: NaiveDate,
    /// Since when those companies have it that have had it all along.
    pub had_since: NaiveDate,
    /// The companies in which it goes live, by place in the list, each with the share of the weeks after which it does.
    pub goes_live: Vec<(usize, f64)>,
}

/// The Monday that begins the week in which a share of a simulation's weeks is over.
#[must_use]
pub fn monday(options: &Options, after: f64) -> NaiveDate {
    let weeks = (after * f64::from(options.weeks)).floor() as u64;
    options.start.checked_add_days(Days::new(weeks * 7)).expect("options bound start and weeks")
}

impl Interface {
    /// The day on which it goes live in a company, if it does.
    #[must_use]
    pub fn goes_live_on(&self, company: usize, options: &Options) -> Option<NaiveDate> {
        self.goes_live.iter().find(|(place, _)| *place == company).map(|(_, after)| monday(options, *after))
    }
}

impl Effects {
    /// The release of a system on a day that differs from the one that it began with.
    #[must_use]
    pub fn release(&self, system: SystemId, date: NaiveDate, options: &Options) -> Option<&Release> {
        self.releases.iter().rev().find(|release| release.system == system && monday(options, release.after) <= date)
    }
}
