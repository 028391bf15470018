//! What was claimed in public, how a working week divides, and what other parameters would give.

use serde::Serialize;

use crate::{Error, rows::Row};

/// A claim, and what the data say of it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Claim {
    /// Its number.
    pub number: i64,
    /// What is claimed.
    pub claim: String,
    /// What was found; null when not available.
    pub figure: Option<f64>,
    /// Lower end of the 95 % interval.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// Unit of the figure.
    pub unit: String,
    /// Evidence grade.
    pub grade: String,
    /// Supported, not supported or not available, and why.
    pub verdict: String,
    /// The SQL that gives the figure.
    pub query: String,
}

/// A part of the working week.
#[derive(Debug, Clone, Default, Serialize)]
pub struct TimeUse {
    /// `contact`, `instrumented systems` or `other`.
    pub activity: String,
    /// Hours in a person's week; null when not available.
    pub hours_per_person_week: Option<f64>,
    /// Share of the working week, 0 to 1; null when not available.
    pub share: Option<f64>,
    /// Evidence grade.
    pub grade: String,
    /// What it rests on, or why it is not available.
    pub note: String,
}

/// Lost hours with one parameter at another value.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Tried {
    /// The parameter, whose name ends with the unit.
    pub parameter: String,
    /// Its value.
    pub value: Option<f64>,
    /// Whether that is the value of all other figures.
    pub in_force: bool,
    /// Lost hours per person-week with it; null when not available.
    pub hours_per_person_week: Option<f64>,
    /// How far that is from those with the value in force.
    pub difference: Option<f64>,
}

pub(super) fn tried(row: Row<'_>) -> Result<Tried, Error> {
    Ok(Tried {
        parameter: row.name("parameter")?,
        value: row.double("value")?,
        in_force: row.name("in_force")? == "yes",
        hours_per_person_week: row.double("hours_per_person_week")?,
        difference: row.double("difference")?,
    })
}

pub(super) fn claim(row: Row<'_>) -> Result<Claim, Error> {
    Ok(Claim {
        number: row.count("number")?,
        claim: row.name("claim")?,
        figure: row.double("figure")?,
        low: row.double("low")?,
        high: row.double("high")?,
        unit: row.name("unit")?,
        grade: row.name("grade")?,
        verdict: row.name("verdict")?,
        query: row.name("query")?,
    })
}

pub(super) fn time_use(row: Row<'_>) -> Result<TimeUse, Error> {
    Ok(TimeUse {
        activity: row.name("activity")?,
        hours_per_person_week: row.double("hours_per_person_week")?,
        share: row.double("share")?,
        grade: row.name("grade")?,
        note: row.name("note")?,
    })
}
