//! What each file of reference data must be, beyond the names and types of its columns.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use gilbreth_collector::schema::{Column, ColumnType, Table};

use super::{
    faults::Faults,
    rows::{Cell, Row},
    tables::{CATEGORIES, DIARY, DIRECTORY, GO_LIVES, HOLIDAYS, STAFFING, SURVEY},
};
use crate::session::built_in;

/// The gate cuts names here; a longer one would never agree with what is stored.
const TEXT_CHARS_MAX: usize = 80;
/// Minutes of a day.
const DAY_MINUTES: f64 = 1440.0;
/// Hours of a week.
const WEEK_HOURS: f64 = 168.0;
const GROUPS: [&str; 4] = ["useful", "overhead", "lost", "outside"];

/// A CSV of reference data.
pub(super) struct Format {
    pub(super) table: &'static Table,
    /// Columns that together are different in each row; none where rows may be alike.
    key: &'static [&'static str],
    /// What else must hold between rows that are good by themselves.
    across: fn(&[Row], &mut Faults),
}

static FORMATS: [Format; 7] = [
    Format { table: &STAFFING, key: &["organisation", "role"], across: |_, _| {} },
    Format { table: &DIRECTORY, key: &[], across: directory },
    Format { table: &HOLIDAYS, key: &["day"], across: |_, _| {} },
    Format { table: &SURVEY, key: &[], across: |_, _| {} },
    Format { table: &DIARY, key: &[], across: diary },
    Format { table: &GO_LIVES, key: &["interface", "organisation"], across: |_, _| {} },
    Format { table: &CATEGORIES, key: &["category"], across: categories },
];

/// The format of a table's file; none for the task catalogue, which is TOML.
pub(super) fn of(table: &'static Table) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.table.name == table.name)
}

impl Format {
    /// Checks what must hold between rows. `rows` are those that are good by themselves.
    pub(super) fn check(&self, rows: &[Row], faults: &mut Faults) {
        if !self.key.is_empty() {
            let mut first: HashMap<Vec<String>, u64> = HashMap::new();
            for row in rows {
                let before = *first.entry(row.key(self.key)).or_insert(row.line);
                if before != row.line {
                    faults.cell(
                        row.line,
                        self.key.join(", "),
                        format!("is as on line {before}, and must be there only once"),
                    );
                }
            }
        }
        (self.across)(rows, faults);
    }
}

/// What the text of a cell, trimmed and not empty, says; or what it must be.
pub(super) fn cell(text: &str, table: &Table, column: &Column) -> Result<Cell, String> {
    let good = match column.kind {
        ColumnType::Binary => (!text.contains(char::is_control)).then(|| Cell::Person(text.to_owned())),
        ColumnType::Integer => text.parse().ok().filter(|number| *number >= 0).map(Cell::Integer),
        ColumnType::Double => number(text).filter(|number| *number <= greatest(table, column)).map(Cell::Double),
        ColumnType::Date => day(text).map(Cell::Day),
        _ => {
            let fits = text.chars().nth(TEXT_CHARS_MAX).is_none() && !text.contains(char::is_control);
            fits.then(|| Cell::Text(text.to_owned()))
        }
    };
    good.ok_or_else(|| expected(table, column))
}

/// What a cell of a column must be.
pub(super) fn expected(table: &Table, column: &Column) -> String {
    match column.kind {
        ColumnType::Binary => "must be one line of text".to_owned(),
        ColumnType::Integer => "must be a whole number of 0 or more".to_owned(),
        ColumnType::Double => match greatest(table, column) {
            f64::INFINITY => "must be a number of 0 or more, such as 27.5".to_owned(),
            most => format!("must be a number from 0 to {most}, such as 7.5"),
        },
        ColumnType::Date => "must be a day that exists, such as 2026-10-05".to_owned(),
        _ => format!("must be one line of text of at most {TEXT_CHARS_MAX} characters"),
    }
}

fn greatest(table: &Table, column: &Column) -> f64 {
    match (table.name, column.name) {
        ("diary", "minutes") => DAY_MINUTES,
        ("survey", "hours_per_week") => WEEK_HOURS,
        _ => f64::INFINITY,
    }
}

fn number(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    // A sum of minus nought and nought is nought.
    text.parse::<f64>().ok().filter(|number| plain && number.is_finite()).map(|number| number + 0.0)
}

fn day(text: &str) -> Option<NaiveDate> {
    let digits = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    digits.then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()).flatten()
}

/// A login is one person at a time, and holds no longer than it began.
fn directory(rows: &[Row], faults: &mut Faults) {
    let mut logins: BTreeMap<Vec<String>, Vec<(NaiveDate, NaiveDate, u64)>> = BTreeMap::new();
    for row in rows {
        let from = row.day("valid_from").unwrap_or(NaiveDate::MIN);
        let to = row.day("valid_to").unwrap_or(NaiveDate::MAX);
        if to < from {
            faults.cell(row.line, "valid_to", "must not be before valid_from");
        } else {
            logins.entry(row.key(&["system", "login"])).or_default().push((from, to, row.line));
        }
    }
    let mut overlaps = Vec::new();
    for mut holds in logins.into_values() {
        holds.sort_unstable();
        let mut latest: Option<(NaiveDate, u64)> = None;
        for (from, to, line) in holds {
            if let Some((until, before)) = latest
                && from <= until
            {
                overlaps.push((line.max(before), line.min(before)));
            }
            if latest.is_none_or(|(until, _)| to > until) {
                latest = Some((to, line));
            }
        }
    }
    overlaps.sort_unstable();
    for (line, before) in overlaps {
        faults.cell(
            line,
            "system, login, valid_from",
            format!("holds on days on which line {before} holds: a login is one person at a time"),
        );
    }
}

/// A person's day has so many minutes.
fn diary(rows: &[Row], faults: &mut Faults) {
    let mut days: HashMap<Vec<String>, f64> = HashMap::new();
    for row in rows {
        let minutes = row.double("minutes").unwrap_or_default();
        let sum = days.entry(row.key(&["person", "day"])).or_default();
        let fitted = *sum <= DAY_MINUTES;
        *sum += minutes;
        if fitted && *sum > DAY_MINUTES {
            faults.cell(row.line, "minutes", format!("this person's day has more than {DAY_MINUTES} minutes with it"));
        }
    }
}

/// All fourteen categories, and nothing else.
fn categories(rows: &[Row], faults: &mut Faults) {
    let known = || built_in::CATEGORIES.into_iter().map(|(category, _)| category);
    for row in rows {
        if known().all(|category| row.text("category") != Some(category)) {
            let list = known().collect::<Vec<_>>().join(", ");
            faults.cell(row.line, "category", format!("must be one of {list}"));
        }
        if GROUPS.into_iter().all(|group| row.text("category_group") != Some(group)) {
            faults.cell(row.line, "category_group", format!("must be one of {}", GROUPS.join(", ")));
        }
    }
    // A category on a line that is wrong by itself is not missing.
    if faults.count() == 0 {
        for missing in known().filter(|category| rows.iter().all(|row| row.text("category") != Some(category))) {
            faults.whole(format!("there must be a line for the category {missing}"));
        }
    }
}
