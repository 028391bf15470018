//! What to fix first, and how good the data are.

use gilbreth_analytics::findings::{Findings, Fix};

use super::{Section, bar, both, whiskers};
use crate::chart::BarChart;
use crate::number::{fixed, percent, plain};
use crate::table::{Cell, Table, numbers, text, words};
use crate::words::{capital, counted, fix, path, spaced};

const DRAWN_MAX: usize = 10;

/// What to fix first.
pub(super) fn fixes(findings: &Findings) -> Section {
    let rows = &findings.fixes.rows;
    let finding = match rows.first() {
        Some(first) => first_of(first),
        None => "Nothing to fix was found".to_owned(),
    };
    let lead = if rows.is_empty() {
        Vec::new()
    } else {
        vec![
            "Hours a week are those that staff lose there now, over all who were observed. They are the most that a fix \
             could give back, not a forecast, and hours of one thing may overlap with those of another."
                .to_owned(),
            "In brackets: the 95% interval of the hours, and the best and worst place that a thing could have. Things whose \
             places overlap are not told apart by these data. Intervals need ten people. A cost is what the hours cost to \
             employ, and no saving in cash."
                .to_owned(),
        ]
    };
    let bars: Vec<_> =
        rows.iter().take(DRAWN_MAX).map(|r| bar(label(r), r.hours_per_week, r.low.zip(r.high))).collect();
    let chart = BarChart {
        name: "fixes",
        title: "Hours lost a week, by what could be fixed".into(),
        description: format!(
            "Bars in order of hours. {finding}. The table that follows holds the reasons.{}",
            whiskers(&bars)
        ),
        unit: "hours a week",
        series: vec!["hours a week".into()],
        bars,
    };
    let costs = rows.iter().any(|r| r.cost_per_year.is_some());
    let mut columns = vec![
        numbers("rank", "Rank"),
        words("kind", "What to do"),
        words("place", "Where"),
        numbers("hours_per_week", "Hours a week"),
    ];
    if costs {
        columns.push(numbers("cost_per_year", "Cost of these hours a year, £"));
    }
    columns.extend([numbers("people", "People"), words("why", "Why")]);
    let cells = |r: &Fix| {
        let mut cells = vec![
            Cell::Place(r.rank, r.rank_low.zip(r.rank_high)),
            text(fix(&r.kind)),
            text(place(r)),
            Cell::Estimate(r.hours_per_week, r.low.zip(r.high)),
        ];
        if costs {
            cells.push(Cell::Number(r.cost_per_year));
        }
        cells.extend([Cell::Count(r.people), text(&r.why)]);
        cells
    };
    let caption = "What to fix, in order of hours".to_owned();
    let table = Table { caption, columns, rows: rows.iter().map(cells).collect() };
    Section {
        id: "fixes",
        about: "What to fix first",
        finding,
        lead,
        figures: both(&chart),
        table,
        view: "fixes",
        sql: findings.fixes.sql.clone(),
    }
}

/// How good the data are.
pub(super) fn quality(findings: &Findings) -> Section {
    let rows = &findings.quality.rows;
    let finding = match rows.len() {
        0 => "The data were not checked".to_owned(),
        n => format!("{} on the data behind these figures", counted(n as i64, "check", "checks")),
    };
    Section {
        id: "quality",
        about: "Data quality",
        finding,
        lead: vec![
            "What was refused, doubled, late or without a worker or case has no part in the figures above, or a lesser one. \
             Where these numbers are large, read the figures with care."
                .to_owned(),
        ],
        figures: Vec::new(),
        table: Table {
            caption: "Checks on the data".into(),
            columns: vec![
                words("check", "Check"),
                numbers("value", "Value"),
                words("unit", "Unit"),
                words("meaning", "What it means"),
            ],
            rows: rows
                .iter()
                .map(|r| {
                    let value = match r.value {
                        share if r.unit == "share" => percent(share),
                        whole if whole.fract() == 0.0 => fixed(whole, 0),
                        other => plain(other),
                    };
                    vec![text(capital(&spaced(&r.check))), text(value), text(&r.unit), text(&r.meaning)]
                })
                .collect(),
        },
        view: "data_quality",
        sql: findings.quality.sql.clone(),
    }
}

/// The first fix as a finding.
fn first_of(r: &Fix) -> String {
    let hours = plain(r.hours_per_week);
    match (&r.from_field, &r.from_system) {
        (Some(field), Some(from)) => format!(
            "Passing {field} on from {from} to {} comes first: {hours} hours a week go into keying it again",
            r.system
        ),
        _ => format!("{}: {} comes first, with {hours} hours lost a week", fix(&r.kind), place(r)),
    }
}

/// Lines of the label of a bar.
fn label(r: &Fix) -> Vec<String> {
    let mut lines = vec![fix(&r.kind)];
    match place(r).split_once(" → ") {
        Some((from, to)) => lines.extend([from.to_owned(), format!("→ {to}")]),
        None => lines.push(place(r)),
    }
    lines
}

/// Where a fix belongs: for an integration, from which field to which.
fn place(r: &Fix) -> String {
    let part = |part: &Option<String>| part.clone().unwrap_or_default();
    let to = path([r.system.as_str(), &part(&r.screen), &part(&r.field)]);
    match &r.from_system {
        Some(from) => format!("{} → {to}", path([from.as_str(), &part(&r.from_screen), &part(&r.from_field)])),
        None => to,
    }
}
