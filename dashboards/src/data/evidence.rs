//! Rows of claims, time use, releases and go-lives.

use gilbreth_analytics::findings::Findings;

use crate::table::{Cell, Table, numbers, text, words};

pub(super) fn claims(findings: &Findings) -> Table {
    let rows = findings.claims.rows.iter().map(|r| {
        vec![
            Cell::Count(r.number),
            text(&r.claim),
            Cell::Number(r.figure),
            Cell::Number(r.low),
            Cell::Number(r.high),
            text(&r.unit),
            text(&r.grade),
            text(&r.verdict),
            text(&r.query),
        ]
    });
    Table {
        caption: "Claims: every row".into(),
        columns: vec![
            numbers("number", "No."),
            words("claim", "Claim"),
            numbers("figure", "Figure"),
            numbers("low", "Low"),
            numbers("high", "High"),
            words("unit", "Unit"),
            words("grade", "Evidence"),
            words("verdict", "Verdict"),
            words("query", "SQL that gives the figure"),
        ],
        rows: rows.collect(),
    }
}

pub(super) fn time_use(findings: &Findings) -> Table {
    let rows = findings.time_use.rows.iter().map(|r| {
        vec![
            text(&r.activity),
            Cell::Number(r.hours_per_person_week),
            Cell::Number(r.share),
            text(&r.grade),
            text(&r.note),
        ]
    });
    Table {
        caption: "Time use: every row".into(),
        columns: vec![
            words("activity", "Activity"),
            numbers("hours_per_person_week", "Hours per person-week"),
            numbers("share", "Share"),
            words("grade", "Evidence"),
            words("note", "Note"),
        ],
        rows: rows.collect(),
    }
}

pub(super) fn sensitivity(findings: &Findings) -> Table {
    let rows = findings.sensitivity.rows.iter().map(|r| {
        vec![
            text(&r.parameter),
            Cell::Number(r.value),
            text(if r.in_force { "yes" } else { "no" }),
            Cell::Number(r.hours_per_person_week),
            Cell::Number(r.difference),
        ]
    });
    Table {
        caption: "Lost hours with other parameters".into(),
        columns: vec![
            words("parameter", "Parameter"),
            numbers("value", "Value"),
            words("in_force", "In force"),
            numbers("hours_per_person_week", "Lost hours per person-week"),
            numbers("difference", "Difference"),
        ],
        rows: rows.collect(),
    }
}

pub(super) fn releases(findings: &Findings) -> Table {
    let rows = findings.releases.rows.iter().map(|r| {
        vec![
            text(&r.system),
            text(&r.release),
            text(&r.released_on),
            text(&r.task),
            Cell::Number(r.before),
            Cell::Number(r.after),
            Cell::Number(r.difference),
            Cell::Number(r.low),
            Cell::Number(r.high),
            Cell::Number(r.placebo),
            Cell::Count(r.people),
            text(r.reason.as_deref().unwrap_or_default()),
        ]
    });
    Table {
        caption: "Effects of releases: every row".into(),
        columns: vec![
            words("system", "System"),
            words("release", "Release"),
            words("released_on", "First seen"),
            words("task", "Task"),
            numbers("before", "Minutes before"),
            numbers("after", "Minutes after"),
            numbers("difference", "Effect"),
            numbers("low", "Low"),
            numbers("high", "High"),
            numbers("placebo", "At placebo dates"),
            numbers("people", "People"),
            words("reason", "Why not estimable"),
        ],
        rows: rows.collect(),
    }
}

pub(super) fn go_lives(findings: &Findings) -> Table {
    let rows = findings.go_lives.rows.iter().map(|r| {
        vec![
            text(&r.interface),
            text(r.weeks_since.map_or(String::new(), |weeks| weeks.to_string())),
            Cell::Number(r.before),
            Cell::Number(r.after),
            Cell::Number(r.difference),
            Cell::Number(r.low),
            Cell::Number(r.high),
            Cell::Number(r.p),
            Cell::Count(r.organisations),
            text(r.reason.as_deref().unwrap_or_default()),
        ]
    });
    Table {
        caption: "Effects of interfaces: every row".into(),
        columns: vec![
            words("interface", "Interface"),
            words("weeks_since", "Weeks since"),
            numbers("before", "Hours before"),
            numbers("after", "Hours then"),
            numbers("difference", "Effect"),
            numbers("low", "Low"),
            numbers("high", "High"),
            numbers("p", "p"),
            numbers("organisations", "Organisations"),
            words("reason", "Why not estimable"),
        ],
        rows: rows.collect(),
    }
}
