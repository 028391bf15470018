//! What releases and interfaces going live changed.

use gilbreth_analytics::findings::Findings;

use super::Section;
use crate::number::rate;
use crate::table::{Cell, Table, numbers, text, words};
use crate::words::{capital, counted};

/// What each release did to the tasks that lose time in its system.
pub(super) fn releases(findings: &Findings) -> Section {
    let rows = &findings.releases.rows;
    let known: Vec<_> = rows.iter().filter(|r| r.difference.is_some()).collect();
    let beyond = known.iter().filter(|r| r.low.is_some_and(|low| low > 0.0) || r.high.is_some_and(|high| high < 0.0));
    let finding = match known.len() {
        0 => {
            format!("None of {} of releases on tasks can be estimated", counted(rows.len() as i64, "effect", "effects"))
        }
        n => format!(
            "{} of releases on tasks can be estimated; {} beyond chance",
            counted(n as i64, "effect", "effects"),
            match beyond.count() {
                1 => "1 is".to_owned(),
                count => format!("{count} are"),
            }
        ),
    };
    Section {
        id: "releases",
        about: "Releases",
        finding,
        lead: vec![
            "Minutes lost in the system each time a task is done, in up to four clean weeks before a release and in those \
             after its first week, less what changed at the same time in the same workers’ other systems. The effect at \
             placebo dates, weeks without a release, should be about nought; among many effects some go beyond chance by \
             chance."
                .to_owned(),
        ],
        figures: Vec::new(),
        table: Table {
            caption: "Effects of releases, the latest first".into(),
            columns: vec![
                words("release", "Release"),
                words("task", "Task"),
                numbers("before", "Minutes before"),
                numbers("after", "after"),
                numbers("difference", "Effect"),
                numbers("low", "95% from"),
                numbers("high", "to"),
                numbers("placebo", "At placebo dates"),
                numbers("people", "People"),
                words("note", "Note"),
            ],
            rows: rows
                .iter()
                .map(|r| {
                    vec![
                        text(format!("{} {}, {}", r.system, r.release, r.released_on)),
                        text(capital(&r.task)),
                        Cell::Number(r.before),
                        Cell::Number(r.after),
                        Cell::Number(r.difference),
                        Cell::Number(r.low),
                        Cell::Number(r.high),
                        Cell::Number(r.placebo),
                        Cell::Count(r.people),
                        text(r.reason.as_ref().map_or(String::new(), |reason| format!("Not estimable: {reason}"))),
                    ]
                })
                .collect(),
        },
        view: "release_effects",
        sql: findings.releases.sql.clone(),
    }
}

/// What each interface did where it went live.
pub(super) fn go_lives(findings: &Findings) -> Section {
    let rows = &findings.go_lives.rows;
    let mean = rows.iter().find(|r| r.weeks_since.is_none() && r.difference.is_some());
    let finding = mean.and_then(|r| Some((r, r.difference?))).map_or_else(
        || "What interfaces did cannot be estimated".to_owned(),
        |(r, difference)| {
            format!(
                "Since {} went live, keying again what it carries takes {} per person-week {}",
                r.interface,
                rate(difference.abs()),
                if difference < 0.0 { "less" } else { "more" }
            )
        },
    );
    Section {
        id: "go-lives",
        about: "Interfaces going live",
        finding,
        lead: vec![
            "Each organisation is compared with those that did not have the interface yet. The p-value says how often dates \
             dealt out among the organisations by lot would give as great an effect; it and the interval hold if \
             organisations could as well have had each other’s dates. Weeks before going live should show no effect."
                .to_owned(),
        ],
        figures: Vec::new(),
        table: Table {
            caption: "Effects of interfaces, by weeks since they went live".into(),
            columns: vec![
                words("interface", "Interface"),
                words("weeks_since", "Weeks since"),
                numbers("before", "Hours before"),
                numbers("after", "then"),
                numbers("difference", "Effect"),
                numbers("low", "95% from"),
                numbers("high", "to"),
                numbers("p", "p"),
                numbers("organisations", "Organisations"),
                words("note", "Note"),
            ],
            rows: rows
                .iter()
                .map(|r| {
                    vec![
                        text(&r.interface),
                        text(r.weeks_since.map_or("all from 0 on".into(), |weeks| weeks.to_string().replace('-', "−"))),
                        Cell::Number(r.before),
                        Cell::Number(r.after),
                        Cell::Number(r.difference),
                        Cell::Number(r.low),
                        Cell::Number(r.high),
                        Cell::Number(r.p),
                        Cell::Count(r.organisations),
                        text(r.reason.as_ref().map_or(String::new(), |reason| format!("Not estimable: {reason}"))),
                    ]
                })
                .collect(),
        },
        view: "go_live_effects",
        sql: findings.go_lives.sql.clone(),
    }
}
