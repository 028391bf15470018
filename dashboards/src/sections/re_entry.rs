//! Values keyed again: from which system into which, and the fields where it happens.

use gilbreth_analytics::findings::{Agreement, Answer, Findings, Hotspot};

use super::{Section, bar, both, ranked, ratio, undecided, whiskers};
use crate::chart::{Bar, BarChart, Grid, Layout, matrix as heat_map};
use crate::number::{percent, time};
use crate::table::{Cell, Table, numbers, text, words};
use crate::words::{counted, path, spaced};

/// Bars of a chart of hotspots; the table goes on.
const DRAWN_MAX: usize = 12;
/// Rows of the table; all of them are in the full rows below it.
const TABLED_MAX: usize = 25;

/// From which system into which.
pub(super) fn matrix(findings: &Findings) -> Section {
    let rows = &findings.matrix.rows;
    let all: f64 = rows.iter().map(|r| r.hours).sum();
    let greatest = rows.iter().max_by(|a, b| a.hours.total_cmp(&b.hours));
    let finding = match greatest {
        Some(r) if r.from_system == r.to_system => format!(
            "{} of re-entry is within {}: {} go into keying what it holds on another screen",
            share_of(r.hours, all),
            r.to_system,
            time(r.hours)
        ),
        Some(r) => format!(
            "{} of re-entry is keying into {} what {} holds already: {}",
            share_of(r.hours, all),
            r.to_system,
            r.from_system,
            time(r.hours)
        ),
        None if undecided(findings).is_some() => "No value is established as keyed again yet".to_owned(),
        None => "No value was found to be keyed again".to_owned(),
    };
    let across: f64 = rows.iter().filter(|r| r.from_system != r.to_system).map(|r| r.hours).sum();
    let lead = if rows.is_empty() {
        Vec::new()
    } else {
        vec![format!(
            "Re-entry took {}; {} of that crosses from one system to another. The rest is keyed again within a system.",
            time(all),
            percent(ratio(across, all))
        )]
    };
    let mut names: Vec<&str> =
        ranked(rows, |r| &r.from_system, |r| r.hours).into_iter().map(|(name, _)| name).collect();
    for (name, _) in ranked(rows, |r| &r.to_system, |r| r.hours) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let cell = |from: &str, to: &str| {
        let mut hours = rows.iter().filter(|r| r.from_system == from && r.to_system == to).map(|r| r.hours).peekable();
        hours.peek().is_some().then(|| hours.sum::<f64>())
    };
    let cells: Vec<Vec<Option<f64>>> =
        names.iter().map(|from| names.iter().map(|to| cell(from, to)).collect()).collect();
    let labels: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let grid = Grid {
        name: "re-entry-matrix",
        title: "Hours of re-entry, from system to system".into(),
        description: format!(
            "A grid. Rows are the systems that held a value, columns those into which it was keyed again. {finding}. \
             The table that follows holds every number."
        ),
        rows_are: "held in",
        columns_are: "keyed again into (hours)",
        rows: labels.clone(),
        columns: labels.clone(),
        cells,
    };
    let table = Table {
        caption: "Re-entry from system to system".into(),
        columns: vec![
            words("from_system", "Held in"),
            words("to_system", "Keyed again into"),
            numbers("re_entries", "Re-entries"),
            numbers("hours", "Hours"),
            numbers("hours_per_person_week", "Hours per person-week"),
            numbers("cases", "Cases"),
        ],
        rows: rows
            .iter()
            .map(|r| {
                vec![
                    text(&r.from_system),
                    text(&r.to_system),
                    Cell::Count(r.re_entries.round() as i64),
                    Cell::Number(Some(r.hours)),
                    Cell::Number(Some(r.hours_per_person_week)),
                    Cell::Count(r.cases),
                ]
            })
            .collect(),
    };
    Section {
        id: "re-entry",
        about: "Re-entry between systems",
        finding,
        lead,
        figures: vec![heat_map(&grid, Layout::Wide), heat_map(&grid, Layout::Narrow)],
        table,
        view: "re_entry_matrix",
        sql: findings.matrix.sql.clone(),
    }
}

/// The fields where it happens.
pub(super) fn hotspots(findings: &Findings) -> Section {
    let rows = &findings.hotspots.rows;
    let all: f64 = rows.iter().map(|r| r.hours).sum();
    let first = rows.len().min(3);
    let top: f64 = rows.iter().take(first).map(|r| r.hours).sum();
    let finding = match rows.first() {
        None => "No field is established as keyed again".to_owned(),
        Some(r) if rows.len() <= 3 => format!("{} of {} is keyed again: {}", r.to[2], r.to[0], time(r.hours)),
        Some(_) => {
            format!(
                "{first} of {} pairs of fields make up {} of the hours of re-entry",
                findings.hotspots.of,
                percent(ratio(top, all))
            )
        }
    };
    let lead = vec![
        "A pair of fields is listed when the values of one agree with those that the other held for the \
         same case far more often than chance would have it. Yes and no, today’s date and constants agree by chance and are not counted."
            .to_owned(),
    ];
    // Rates have intervals; minutes, because hours of one field per person-week are small numbers.
    let rates = rows.iter().any(|r| r.hours_per_person_week.is_finite() && r.hours_per_person_week > 0.0);
    let (unit, of) = if rates { ("minutes per person-week", "Minutes") } else { ("hours", "Hours") };
    let per = if rates { " per person-week" } else { "" };
    let drawn = |r: &Hotspot| if rates { r.hours_per_person_week * 60.0 } else { r.hours };
    let bars: Vec<Bar> = rows
        .iter()
        .take(DRAWN_MAX)
        .map(|r| {
            let label = vec![place(&r.from), format!("→ {}", place(&r.to))];
            bar(label, drawn(r), minutes(r).filter(|_| rates))
        })
        .collect();
    let chart = BarChart {
        name: "re-entry-hotspots",
        title: match rows.len() {
            n if n > DRAWN_MAX => {
                format!("{of} of re-entry{per}, the {DRAWN_MAX} greatest of {} pairs of fields", findings.hotspots.of)
            }
            _ => format!("{of} of re-entry{per}, by pair of fields"),
        },
        description: format!(
            "Bars, from where a value was held to where it was keyed again. {finding}. \
            The table that follows holds the numbers.{}",
            whiskers(&bars)
        ),
        unit,
        series: vec![unit.into()],
        bars,
    };
    let table = Table {
        caption: match rows.len() {
            n if n > TABLED_MAX => format!("Fields keyed again: the first {TABLED_MAX} of {}", findings.hotspots.of),
            _ => "Fields keyed again".into(),
        },
        columns: vec![
            numbers("rank", "Rank"),
            words("from", "Held in"),
            words("to", "Keyed again in"),
            words("scope", "Scope"),
            numbers("re_entries", "Re-entries"),
            numbers("expected", "Expected by chance"),
            numbers("hours", "Hours"),
            numbers("minutes_per_person_week", "Minutes per person-week"),
            numbers("cases", "Cases"),
            numbers("people", "People"),
        ],
        rows: rows.iter().take(TABLED_MAX).map(row).collect(),
    };
    Section {
        id: "hotspots",
        about: "Fields keyed again",
        finding,
        lead: if rows.is_empty() {
            vec![]
        } else {
            let mut lead = lead;
            let cases: i64 = rows.iter().map(|r| r.cases).max().unwrap_or(0);
            lead.push(format!("The most widespread of them touches {}.", counted(cases, "case", "cases")));
            lead
        },
        figures: both(&chart),
        table,
        view: "re_entry_hotspots",
        sql: findings.hotspots.sql.clone(),
    }
}

/// What is left out, because it cannot be told from a default.
pub(super) fn constants(findings: &Findings) -> Section {
    let finding = match findings.constants.of {
        0 => "No pair of fields agrees as defaults do".to_owned(),
        n => format!(
            "{} {} as a default would, and {} not counted as re-entry",
            counted(n as i64, "pair of fields", "pairs of fields"),
            if n == 1 { "agrees" } else { "agree" },
            if n == 1 { "is" } else { "are" },
        ),
    };
    let table = agreements("Cannot be told from a default", &findings.constants);
    Section {
        id: "constants",
        about: "Cannot be told from a default",
        finding,
        lead: vec![
            "Where most cases hold the same value, two fields agree whether or not anybody keys a value again. Some of \
             this may be re-entry; since it cannot be told, none of it is called lost."
                .to_owned(),
        ],
        figures: Vec::new(),
        table,
        view: "constants",
        sql: findings.constants.sql.clone(),
    }
}

/// What may be re-entry once more cases have both fields.
pub(super) fn too_few(findings: &Findings) -> Section {
    let many = findings.too_few.of;
    Section {
        id: "too-few",
        about: "Too few cases to tell",
        finding: format!(
            "{} {} on fewer than ten cases: too few to tell re-entry from chance",
            counted(many as i64, "pair of fields", "pairs of fields"),
            if many == 1 { "agrees" } else { "agree" },
        ),
        lead: vec![
            "A value that was keyed into one field, and then into another of the same case, may have been keyed again, or \
             be equal by chance. That is judged once ten cases have both fields; until then, none of it is called lost."
                .to_owned(),
        ],
        figures: Vec::new(),
        table: agreements("Too few cases to tell", &findings.too_few),
        view: "too_few",
        sql: findings.too_few.sql.clone(),
    }
}

/// Pairs of fields that agree, with what chance alone would give.
fn agreements(caption: &str, answer: &Answer<Agreement>) -> Table {
    Table {
        caption: match answer.of {
            of if of > TABLED_MAX => format!("{caption}: the first {TABLED_MAX} of {of}"),
            _ => caption.into(),
        },
        columns: vec![
            words("from", "Held in"),
            words("to", "Entered in"),
            numbers("n", "Cases with both"),
            numbers("m", "Cases that agree"),
            numbers("expected", "Expected by chance"),
        ],
        rows: answer
            .rows
            .iter()
            .take(TABLED_MAX)
            .map(|r| {
                vec![
                    text(place(&r.from)),
                    text(place(&r.to)),
                    Cell::Count(r.n),
                    Cell::Count(r.m),
                    Cell::Number(Some(r.expected)),
                ]
            })
            .collect(),
    }
}

fn row(r: &Hotspot) -> Vec<Cell> {
    vec![
        Cell::Place(r.rank, r.rank_low.zip(r.rank_high)),
        text(place(&r.from)),
        text(place(&r.to)),
        text(spaced(&r.scope)),
        Cell::Count(r.re_entries.round() as i64),
        Cell::Number(Some(r.expected)),
        Cell::Number(Some(r.hours)),
        Cell::Estimate(r.hours_per_person_week * 60.0, minutes(r)),
        Cell::Count(r.cases),
        Cell::Count(r.people),
    ]
}

/// The ends of the interval of minutes per person-week.
fn minutes(r: &Hotspot) -> Option<(f64, f64)> {
    r.low.zip(r.high).map(|(low, high)| (low * 60.0, high * 60.0))
}

fn place(parts: &[String; 3]) -> String {
    path(parts.iter().map(String::as_str))
}

fn share_of(part: f64, whole: f64) -> String {
    crate::words::capital(&percent(ratio(part, whole)))
}
