//! What releases and interfaces going live changed.

use serde::Serialize;

use crate::{Error, rows::Row};

/// What a release did to a task.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ReleaseEffect {
    /// The system.
    pub system: String,
    /// Its release.
    pub release: String,
    /// First local day on which it is seen, ISO.
    pub released_on: String,
    /// The task.
    pub task: String,
    /// Minutes lost in the system per instance before.
    pub before: Option<f64>,
    /// The same after.
    pub after: Option<f64>,
    /// The change beyond that of the same workers' other systems; null when not estimable.
    pub difference: Option<f64>,
    /// Lower end of the 95 % interval.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// Mean difference at placebo dates.
    pub placebo: Option<f64>,
    /// Workers behind it.
    pub people: i64,
    /// Why it cannot be estimated; null where it can.
    pub reason: Option<String>,
}

/// What an interface did, some weeks since it went live.
#[derive(Debug, Clone, Default, Serialize)]
pub struct GoLiveEffect {
    /// The interface.
    pub interface: String,
    /// Weeks since the week of going live; null for the mean over all from then on.
    pub weeks_since: Option<i64>,
    /// Avoidable re-entry before, hours per person-week.
    pub before: Option<f64>,
    /// The same at the week looked at.
    pub after: Option<f64>,
    /// The change beyond that of organisations not live yet; null when not estimable.
    pub difference: Option<f64>,
    /// Lower end of the 95 % interval.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// How often dates dealt out at random give as great an effect.
    pub p: Option<f64>,
    /// Organisations whose effect it is.
    pub organisations: i64,
    /// Why it cannot be estimated; null where it can.
    pub reason: Option<String>,
}

pub(super) fn release(row: Row<'_>) -> Result<ReleaseEffect, Error> {
    Ok(ReleaseEffect {
        system: row.name("system")?,
        release: row.name("release")?,
        released_on: row.name("released_on")?,
        task: row.name("task")?,
        before: row.double("before")?,
        after: row.double("after")?,
        difference: row.double("difference")?,
        low: row.double("low")?,
        high: row.double("high")?,
        placebo: row.double("placebo")?,
        people: row.count("people")?,
        reason: row.text("reason")?,
    })
}

pub(super) fn go_live(row: Row<'_>) -> Result<GoLiveEffect, Error> {
    Ok(GoLiveEffect {
        interface: row.name("interface")?,
        weeks_since: row.whole("weeks_since")?,
        before: row.double("before")?,
        after: row.double("after")?,
        difference: row.double("difference")?,
        low: row.double("low")?,
        high: row.double("high")?,
        p: row.double("p")?,
        organisations: row.count("organisations")?,
        reason: row.text("reason")?,
    })
}
