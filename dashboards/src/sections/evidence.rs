//! What was claimed in public, and how a working week divides.

use gilbreth_analytics::findings::{Claim, Findings};

use super::Section;
use crate::number::{self, percent, plain};
use crate::table::{Cell, Column, Table, numbers, text, words};
use crate::words::{capital, counted};

/// The claims, each with its figure, interval, evidence and verdict.
pub(super) fn claims(findings: &Findings) -> Section {
    let rows = &findings.claims.rows;
    let judged = |word: &str| rows.iter().filter(|r| r.verdict.starts_with(word)).count() as i64;
    Section {
        id: "claims",
        about: "Claims made in public",
        finding: format!(
            "Of {}, these data support {}, do not support {} and cannot judge {}",
            counted(rows.len() as i64, "claim made in public", "claims made in public"),
            judged("supported"),
            judged("not supported"),
            judged("not available"),
        ),
        lead: vec![
            "Each claim stands or falls by one figure; its verdict names what stands beside it. Measured figures come from \
             what people did, reported ones from what staff said, estimated ones rest on assumptions that the method names."
                .to_owned(),
        ],
        figures: Vec::new(),
        table: Table {
            caption: "Claims, and what the data say of them".into(),
            columns: vec![
                words("number", "No."),
                words("claim", "Claim"),
                words("figure", "Figure"),
                words("interval", "95% interval"),
                words("grade", "Evidence"),
                words("verdict", "Verdict"),
            ],
            rows: rows
                .iter()
                .map(|r| {
                    vec![
                        text(r.number.to_string()),
                        text(&r.claim),
                        text(figure(r)),
                        text(interval(r)),
                        text(&r.grade),
                        text(capital(&r.verdict)),
                    ]
                })
                .collect(),
        },
        view: "claims",
        sql: findings.claims.sql.clone(),
    }
}

/// How a working week divides, where anything but the systems is known of it.
pub(super) fn time_use(findings: &Findings) -> Section {
    let rows = &findings.time_use.rows;
    let contact = rows.iter().find(|r| r.activity == "contact").and_then(|r| r.share);
    Section {
        id: "time-use",
        about: "Time use",
        finding: contact.map_or_else(
            || "How a working week divides cannot be said: that needs a diary, and a whole week in the ledger".to_owned(),
            |share| format!("{} of the working week is direct contact", percent(share)),
        ),
        lead: vec![
            "Contact and other come from a diary or from observation, the systems from what they sent. What is not contact \
             is not all administration."
                .to_owned(),
        ],
        figures: Vec::new(),
        table: Table {
            caption: "A working week".into(),
            columns: vec![
                words("activity", "Activity"),
                numbers("hours_per_person_week", "Hours per person-week"),
                Column { numeric: true, ..words("share", "Share") },
                words("grade", "Evidence"),
                words("note", "Note"),
            ],
            rows: rows
                .iter()
                .map(|r| {
                    vec![
                        text(capital(&r.activity)),
                        Cell::Number(r.hours_per_person_week),
                        text(r.share.map_or(number::NONE.into(), percent)),
                        text(&r.grade),
                        text(capital(&r.note)),
                    ]
                })
                .collect(),
        },
        view: "time_use",
        sql: findings.time_use.sql.clone(),
    }
}

/// The figure of a claim with its unit; a share as a percentage.
fn figure(r: &Claim) -> String {
    match (r.figure, r.unit.strip_prefix("share")) {
        (None, _) => number::NONE.to_owned(),
        (Some(share), Some(of)) => format!("{}{of}", percent(share)),
        (Some(value), None) => format!("{} {}", plain(value), r.unit),
    }
}

fn interval(r: &Claim) -> String {
    let shown = |value| if r.unit.starts_with("share") { percent(value) } else { plain(value) };
    r.low.zip(r.high).map_or(number::NONE.into(), |(low, high)| format!("{} to {}", shown(low), shown(high)))
}
