//! The rows of each view as a table: what `data/*.csv` and `/api/data/{view}.csv` hold, and pages show in full.

use gilbreth_analytics::findings::{Agreement, Findings};

use crate::table::{Cell, Table, numbers, text, words};

mod evidence;

/// Names of the views, as in `data/NAME.csv`.
pub const VIEWS: [&str; 15] = [
    "claims",
    "headline",
    "time_lost_by_system",
    "time_lost_by_task",
    "re_entry_matrix",
    "re_entry_hotspots",
    "constants",
    "too_few",
    "fixes",
    "time_use",
    "release_effects",
    "go_live_effects",
    "data_quality",
    "sensitivity",
    "parameters",
];

/// The rows of a view as CSV; none where there is no such view.
pub fn csv(findings: &Findings, view: &str) -> Option<String> {
    table(findings, view).map(|table| table.csv())
}

/// The rows of a view.
pub(crate) fn table(findings: &Findings, view: &str) -> Option<Table> {
    Some(match view {
        "claims" => evidence::claims(findings),
        "time_use" => evidence::time_use(findings),
        "release_effects" => evidence::releases(findings),
        "go_live_effects" => evidence::go_lives(findings),
        "headline" => headline(findings),
        "time_lost_by_system" => by_system(findings),
        "time_lost_by_task" => by_task(findings),
        "re_entry_matrix" => matrix(findings),
        "re_entry_hotspots" => hotspots(findings),
        "constants" => agreements("Cannot be told from a default: rows of the answer", &findings.constants.rows),
        "too_few" => agreements("Agree on too few cases to tell: rows of the answer", &findings.too_few.rows),
        "fixes" => fixes(findings),
        "data_quality" => quality(findings),
        "sensitivity" => evidence::sensitivity(findings),
        "parameters" => parameters(findings),
        _ => return None,
    })
}

/// How many rows a view has, of which answers may give the first alone.
pub(crate) fn rows_in_all(findings: &Findings, view: &str) -> usize {
    match view {
        "re_entry_hotspots" => findings.hotspots.of,
        "constants" => findings.constants.of,
        "too_few" => findings.too_few.of,
        "fixes" => findings.fixes.of,
        // The others are never cut.
        _ => 0,
    }
}

fn headline(findings: &Findings) -> Table {
    let rows = findings.headline.rows.iter().map(|r| {
        vec![
            text(&r.measure),
            Cell::Number(r.value),
            Cell::Number(r.low),
            Cell::Number(r.high),
            text(&r.unit),
            Cell::Count(r.people),
            Cell::Count(r.person_weeks),
            Cell::Number(r.coverage),
            text(&r.grade),
        ]
    });
    Table {
        caption: "Key figures: every row".into(),
        columns: vec![
            words("measure", "Measure"),
            numbers("value", "Value"),
            numbers("low", "Low"),
            numbers("high", "High"),
            words("unit", "Unit"),
            numbers("people", "People"),
            numbers("person_weeks", "Person-weeks"),
            numbers("coverage", "Of the workforce"),
            words("grade", "Evidence"),
        ],
        rows: rows.collect(),
    }
}

fn by_system(findings: &Findings) -> Table {
    let rows = findings.by_system.rows.iter().map(|r| {
        vec![
            text(&r.system),
            text(&r.cause),
            Cell::Number(Some(r.hours)),
            Cell::Number(Some(r.hours_per_person_week)),
            Cell::Number(r.low),
            Cell::Number(r.high),
            Cell::Share(r.share),
            Cell::Count(r.people),
        ]
    });
    Table {
        caption: "Hours lost by system and cause: every row".into(),
        columns: vec![
            words("system", "System"),
            words("cause", "Cause"),
            numbers("hours", "Hours"),
            numbers("hours_per_person_week", "Hours per person-week"),
            numbers("low", "Low"),
            numbers("high", "High"),
            numbers("share", "Share of lost time"),
            numbers("people", "People"),
        ],
        rows: rows.collect(),
    }
}

fn by_task(findings: &Findings) -> Table {
    let rows = findings.by_task.rows.iter().map(|r| {
        vec![
            text(&r.task),
            text(&r.cause),
            Cell::Number(Some(r.hours)),
            Cell::Number(Some(r.hours_per_person_week)),
            Cell::Number(r.low),
            Cell::Number(r.high),
            Cell::Share(r.share),
            Cell::Count(r.instances),
            Cell::Number(r.minutes_per_instance),
        ]
    });
    Table {
        caption: "Hours lost by task and cause: every row".into(),
        columns: vec![
            words("task", "Task"),
            words("cause", "Cause"),
            numbers("hours", "Hours"),
            numbers("hours_per_person_week", "Hours per person-week"),
            numbers("low", "Low"),
            numbers("high", "High"),
            numbers("share", "Share of lost time"),
            numbers("instances", "Times done"),
            numbers("minutes_per_instance", "Minutes lost each time"),
        ],
        rows: rows.collect(),
    }
}

fn matrix(findings: &Findings) -> Table {
    let rows = findings.matrix.rows.iter().map(|r| {
        vec![
            text(&r.from_system),
            text(&r.to_system),
            Cell::Number(Some(r.re_entries)),
            Cell::Number(Some(r.hours)),
            Cell::Number(Some(r.hours_per_person_week)),
            Cell::Count(r.cases),
        ]
    });
    Table {
        caption: "Re-entry from system to system: every row".into(),
        columns: vec![
            words("from_system", "Held in"),
            words("to_system", "Keyed again into"),
            numbers("re_entries", "Re-entries (expected number)"),
            numbers("hours", "Hours"),
            numbers("hours_per_person_week", "Hours per person-week"),
            numbers("cases", "Cases"),
        ],
        rows: rows.collect(),
    }
}

fn hotspots(findings: &Findings) -> Table {
    let rows = findings.hotspots.rows.iter().map(|r| {
        let mut row = vec![Cell::Count(r.rank)];
        row.extend(r.from.iter().chain(&r.to).map(text));
        row.extend([
            text(&r.scope),
            Cell::Count(r.n),
            Cell::Count(r.m),
            Cell::Number(Some(r.expected)),
            Cell::Number(Some(r.re_entries)),
            Cell::Number(Some(r.hours)),
            Cell::Number(Some(r.hours_per_person_week)),
            Cell::Number(r.low),
            Cell::Number(r.high),
            rank(r.rank_low),
            rank(r.rank_high),
            Cell::Count(r.cases),
            Cell::Count(r.people),
        ]);
        row
    });
    Table {
        caption: "Fields keyed again: rows of the view".into(),
        columns: vec![
            numbers("rank", "Rank"),
            words("from_system", "Held in system"),
            words("from_screen", "Held in screen"),
            words("from_field", "Held in field"),
            words("to_system", "Keyed again in system"),
            words("to_screen", "Keyed again in screen"),
            words("to_field", "Keyed again in field"),
            words("scope", "Scope"),
            numbers("n", "Cases with both"),
            numbers("m", "Cases that agree"),
            numbers("expected", "Expected by chance"),
            numbers("re_entries", "Re-entries (expected number)"),
            numbers("hours", "Hours"),
            numbers("hours_per_person_week", "Hours per person-week"),
            numbers("low", "Low"),
            numbers("high", "High"),
            numbers("rank_low", "Best rank"),
            numbers("rank_high", "Worst rank"),
            numbers("cases", "Cases"),
            numbers("people", "People"),
        ],
        rows: rows.collect(),
    }
}

fn agreements(caption: &str, rows: &[Agreement]) -> Table {
    let rows = rows.iter().map(|r| {
        let mut row: Vec<Cell> = r.from.iter().chain(&r.to).map(text).collect();
        row.extend([text(&r.agreement), Cell::Count(r.n), Cell::Count(r.m), Cell::Number(Some(r.expected))]);
        row
    });
    Table {
        caption: caption.into(),
        columns: vec![
            words("from_system", "Held in system"),
            words("from_screen", "Held in screen"),
            words("from_field", "Held in field"),
            words("to_system", "Entered in system"),
            words("to_screen", "Entered in screen"),
            words("to_field", "Entered in field"),
            words("match", "Agreement"),
            numbers("n", "Cases with both"),
            numbers("m", "Cases that agree"),
            numbers("expected", "Expected by chance"),
        ],
        rows: rows.collect(),
    }
}

fn fixes(findings: &Findings) -> Table {
    let rows = findings.fixes.rows.iter().map(|r| {
        let place = [&r.screen, &r.field, &r.from_system, &r.from_screen, &r.from_field];
        let mut row = vec![Cell::Count(r.rank), text(&r.kind), text(&r.cause), text(&r.system)];
        row.extend(place.map(|part| text(part.as_deref().unwrap_or_default())));
        row.extend([Some(r.hours), Some(r.hours_per_week), r.low, r.high, r.cost_per_year].map(Cell::Number));
        row.extend([Cell::Count(r.people), rank(r.rank_low), rank(r.rank_high), text(&r.why)]);
        row
    });
    Table {
        caption: "What to fix: rows of the view".into(),
        columns: vec![
            numbers("rank", "Rank"),
            words("kind", "Kind"),
            words("cause", "Cause"),
            words("system", "System"),
            words("screen", "Screen"),
            words("field", "Field"),
            words("from_system", "Held in system"),
            words("from_screen", "Held in screen"),
            words("from_field", "Held in field"),
            numbers("hours", "Hours in all"),
            numbers("hours_per_week", "Hours a week"),
            numbers("low", "Low"),
            numbers("high", "High"),
            numbers("cost_per_year", "Cost of these hours a year, £"),
            numbers("people", "People"),
            numbers("rank_low", "Best rank"),
            numbers("rank_high", "Worst rank"),
            words("why", "Why"),
        ],
        rows: rows.collect(),
    }
}

/// A place in an order, where it is known.
fn rank(place: Option<i64>) -> Cell {
    place.map_or_else(|| text(""), Cell::Count)
}

fn quality(findings: &Findings) -> Table {
    let rows = findings
        .quality
        .rows
        .iter()
        .map(|r| vec![text(&r.check), Cell::Number(Some(r.value)), text(&r.unit), text(&r.meaning)]);
    Table {
        caption: "Checks on the data: every row".into(),
        columns: vec![
            words("check", "Check"),
            numbers("value", "Value"),
            words("unit", "Unit"),
            words("meaning", "Meaning"),
        ],
        rows: rows.collect(),
    }
}

fn parameters(findings: &Findings) -> Table {
    let rows = findings.parameters.iter().map(|(name, value, unit)| vec![text(name), text(value), text(unit)]);
    Table {
        caption: "Parameters of the measurement".into(),
        columns: vec![words("parameter", "Parameter"), numbers("value", "Value"), words("unit", "Unit")],
        rows: rows.collect(),
    }
}
