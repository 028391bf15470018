//! What to fix first, and how good the data are.

use gilbreth_analytics::findings::{Findings, Fix};

use super::{Section, bar, both, whiskers};
use crate::chart::BarChart;
use crate::number::{self, fixed, percent, plain};
use crate::table::{Cell, Table, numbers, text, words};
use crate::words::{capital, counted, fix, place, spaced};

/// Bars of the chart; the table goes on.
const DRAWN_MAX: usize = 10;
/// Rows of the table; more are in the full rows below it.
const TABLED_MAX: usize = 25;

/// What to fix first.
pub(super) fn fixes(findings: &Findings) -> Section {
    let rows = &findings.fixes.rows;
    // Rates need a whole week; where the data hold none, as in a recording of an hour, hours are all there is to say.
    let rates = rows.iter().any(|r| r.hours_per_week.is_finite());
    let value = |r: &Fix| if rates { r.hours_per_week } else { r.hours };
    let unit = if rates { "hours a week" } else { "hours" };
    let finding = match rows.first() {
        Some(first) if rates => first_of(first, &format!("{} a week", number::rate(first.hours_per_week))),
        Some(first) => first_of(first, &number::time(first.hours)),
        None => "Nothing to fix was found".to_owned(),
    };
    let lead = if rows.is_empty() {
        Vec::new()
    } else {
        let what = if rates { "Hours a week" } else { "Hours" };
        vec![
            format!(
                "{what} are those that staff lose there now, over all who were observed. They are the most that a fix \
                 could give back, not a forecast, and hours of one thing may overlap with those of another."
            ),
            "In brackets: the 95% interval of the hours, and the best and worst place that a thing could have. Things whose \
             places overlap are not told apart by these data. Intervals need ten people. A cost is what the hours cost to \
             employ, and no saving in cash."
                .to_owned(),
        ]
    };
    let bars: Vec<_> =
        rows.iter().take(DRAWN_MAX).map(|r| bar(label(r), value(r), r.low.zip(r.high).filter(|_| rates))).collect();
    let chart = BarChart {
        name: "fixes",
        title: if rates { "Hours lost a week, by what could be fixed" } else { "Hours lost, by what could be fixed" }
            .into(),
        description: format!(
            "Bars in order of hours. {finding}. The table that follows holds the reasons.{}",
            whiskers(&bars)
        ),
        unit,
        series: vec![unit.into()],
        bars,
    };
    let costs = rows.iter().any(|r| r.cost_per_year.is_some());
    let mut columns = vec![numbers("rank", "Rank"), words("kind", "What to do"), words("place", "Where")];
    if rates {
        columns.push(numbers("hours_per_week", "Hours a week"));
    }
    columns.push(numbers("hours", "Hours in all"));
    if costs {
        columns.push(numbers("cost_per_year", "Cost of these hours a year, £"));
    }
    columns.extend([numbers("people", "People"), words("why", "Why")]);
    let row = |r: &Fix| {
        let mut row =
            vec![Cell::Place(r.rank, r.rank_low.zip(r.rank_high)), text(fix(&r.kind, &r.cause)), text(place(r))];
        if rates {
            row.push(Cell::Estimate(r.hours_per_week, r.low.zip(r.high)));
        }
        row.push(Cell::Number(Some(r.hours)));
        if costs {
            row.push(Cell::Number(r.cost_per_year));
        }
        row.extend([Cell::Count(r.people), text(&r.why)]);
        row
    };
    let table = Table {
        caption: match findings.fixes.of {
            of if of > TABLED_MAX => format!("What to fix, in order of hours: the first {TABLED_MAX} of {of}"),
            _ => "What to fix, in order of hours".into(),
        },
        columns,
        rows: rows.iter().take(TABLED_MAX).map(row).collect(),
    };
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
fn first_of(r: &Fix, time: &str) -> String {
    match (r.cause.as_str(), &r.from_field, &r.from_system) {
        ("re_entry", Some(field), Some(from)) if *from != r.system => {
            format!("Passing {field} on from {from} to {} comes first: {time} go into keying it again", r.system)
        }
        ("re_entry", Some(field), _) => {
            format!("Asking for {field} once in {} comes first: {time} go into keying it again", r.system)
        }
        _ => format!("{}: {} comes first, with {time} lost", fix(&r.kind, &r.cause), place(r)),
    }
}

/// Lines of the label of a bar.
fn label(r: &Fix) -> Vec<String> {
    let mut lines = vec![fix(&r.kind, &r.cause)];
    match place(r).split_once(" → ") {
        Some((from, to)) => lines.extend([from.to_owned(), format!("→ {to}")]),
        None => lines.push(place(r)),
    }
    lines
}
