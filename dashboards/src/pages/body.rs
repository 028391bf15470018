//! The parts of which pages are made.

use gilbreth_analytics::findings::{Findings, Measure, Provenance};
use maud::{Markup, PreEscaped, html};

use super::Page;
use crate::chart::Figure;
use crate::data;
use crate::number;
use crate::sections::{self, Section};
use crate::table::{Cell, Table, numbers, text, words};
use crate::words::{TELLING, counted, measure};

/// Key figures shown large; the rest is in the table.
const LARGE_MAX: usize = 4;

/// The title, and what was measured, when and on whom.
pub(super) fn title(findings: &Findings, title: &str) -> Markup {
    let who = findings.headline.rows.iter().max_by_key(|r| r.person_weeks);
    html! {
        div.title {
            h1 { (title) }
            dl.about {
                div { dt { "Estate" } dd { @if findings.estate.is_empty() { "not named" } @else { (findings.estate) } } }
                @if !findings.from.is_empty() {
                    div { dt { "Period" } dd { (day(&findings.from)) " to " (day(&findings.to)) } }
                }
                @if let Some(who) = who {
                    div { dt { "Measured" } dd {
                        (counted(who.people, "person", "people")) ", " (counted(who.person_weeks, "person-week", "person-weeks"))
                    } }
                }
                @if !findings.scope.is_empty() {
                    div { dt { "Looked at" } dd { "only " (findings.scope.iter().map(|(name, value)| {
                        format!("{} {}", name.replace('-', " "), day(value))
                    }).collect::<Vec<_>>().join(", ")) } }
                }
                @if findings.version > 0 { div { dt { "Version of the data" } dd { (findings.version) } } }
            }
        }
    }
}

/// What a reader must know before the first figure.
pub(super) fn notices(findings: &Findings) -> Markup {
    let few = sections::few(findings);
    html! {
        @if findings.provenance == Provenance::Simulation {
            div.notice { p { strong { "Simulated data. " }
                "These figures come from a simulated estate whose truth is known. They show that the measurement works; \
                 they say nothing about real staff or real systems." } }
        } @else if findings.provenance == Provenance::Recording {
            div.notice { p { strong { "A recording. " }
                "These figures describe the sessions that were recorded, and cannot be carried over to a workforce." } }
        }
        @if few > 0 {
            div.notice { p { strong { "Not for publication as it stands. " }
                (counted(few as i64, "row rests", "rows rest")) " on fewer than ten people." } }
        }
    }
}

/// Where the page about re-entry has an answer as yet only of pairs with too few cases: that, and where they are.
pub(super) fn undecided(findings: &Findings, page: Page) -> Markup {
    let pairs = sections::undecided(findings);
    let there = if page == Page::ReEntry { "#too-few".to_owned() } else { format!("{}#too-few", Page::ReEntry.path()) };
    html! {
        @if let Some(pairs) = pairs { p {
            (counted(pairs, "pair of fields agrees", "pairs of fields agree"))
            " as if values were keyed again, but on "
            a href=(there) { "too few cases to tell" } "."
        } }
    }
}

/// The headline, large, and every measure in a table.
pub(super) fn key_figures(findings: &Findings) -> Markup {
    let rows = &findings.headline.rows;
    let intervals = rows.iter().any(|r| interval(r).is_some());
    html! {
        section aria-labelledby="key-figures" {
            h2 #key-figures { "Key figures" }
            dl.large { @for r in telling(rows) {
                div { dt { (measure(&r.measure)) } dd {
                    @let (figure, unit) = large(r);
                    (figure) span { (unit) }
                    @if let Some(ends) = interval(r) { span { "95% interval " (ends) } }
                } }
            } }
            @if !intervals { p.quiet { "No 95% intervals: they need ten people, seen in whole weeks." } }
            (headline(rows).html())
            (behind(findings, "headline", &findings.headline.sql))
            @let causes = sections::causes(findings);
            h3.drawn { (causes.finding) "." }
            (drawn(&causes))
            p.quiet { "Added up over systems, from the rows of " code { "time_lost_by_system" } " below." }
        }
    }
}

/// A section: the finding, the chart, the table, the rows and SQL behind them.
pub(super) fn section(findings: &Findings, section: &Section) -> Markup {
    html! {
        section aria-labelledby=(section.id) {
            p.eyebrow { (section.about) }
            h2 id=(section.id) { (section.finding) "." }
            @for sentence in &section.lead { p { (sentence) } }
            (drawn(section))
            (behind(findings, section.view, &section.sql))
        }
    }
}

/// The chart of a section and the table under it. Only a chart that may be wider than its page is a box that scrolls.
fn drawn(section: &Section) -> Markup {
    let pictures = html! { @for figure in &section.figures { (PreEscaped(figure.inline())) } };
    html! {
        @if let Some(first) = section.figures.first() {
            figure {
                figcaption { (first.title) }
                @if section.figures.iter().any(Figure::is_wider_than_its_page) {
                    div.scroll role="region" tabindex="0" aria-label={ "Chart: " (first.title) } { (pictures) }
                } @else { (pictures) }
            }
        }
        (section.table.html())
    }
}

/// What a store without data shows.
pub(super) fn no_data() -> Markup {
    html! {
        section aria-labelledby="no-data" {
            h2 #no-data { "No data yet" }
            p { "Nothing has been measured so far. Send OpenTelemetry spans of your case systems by OTLP/HTTP to the \
                 collector, by default " code { "http://127.0.0.1:4318/v1/traces" } ", or read files with "
                code { "gilbreth ingest" } " or " code { "gilbreth import" } "." }
            p { "Figures appear here once the facts have been refreshed; load the page again then. "
                code { "gilbreth demo" } " shows the whole with a simulated estate." }
        }
    }
}

/// The rows of a view, and its SQL with the options that narrow it to the same scope.
fn behind(findings: &Findings, view: &str, sql: &str) -> Markup {
    let table = data::table(findings, view);
    let (shown, of) = (table.as_ref().map_or(0, |table| table.rows.len()), data::rows_in_all(findings, view));
    html! {
        details {
            summary {
                @if of > shown { "The first " (shown) " of " (of) " rows of " } @else { "Every row of " }
                code { (view) } ", and the SQL that made " @if shown == 1 { "it" } @else { "them" }
            }
            @if let Some(table) = table { (table.html()) }
            @if !findings.scope.is_empty() { p { "Narrowed to the same scope by "
                code { (scope_options(findings)) } "." } }
            @if sql.is_empty() { p { "No SQL is recorded for these rows." } }
            @else { pre tabindex="0" aria-label={ "SQL of " (view) } { code { (sql.trim()) } } }
        }
    }
}

/// The options of the command line that give the scope, quoted for a shell.
fn scope_options(findings: &Findings) -> String {
    let plain = |value: &str| value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    let option = |(name, value): &(String, String)| match value {
        value if !value.is_empty() && plain(value) => format!("--{name} {value}"),
        value => format!("--{name} '{}'", value.replace('\'', r"'\''")),
    };
    findings.scope.iter().map(option).collect::<Vec<_>>().join(" ")
}

/// The measures to show large: the most telling of those that have a value, or the first where none is known.
fn telling(rows: &[Measure]) -> Vec<&Measure> {
    let valued = || rows.iter().filter(|r| r.value.is_some_and(f64::is_finite));
    let known: Vec<&Measure> = TELLING.iter().filter_map(|name| valued().find(|r| r.measure == *name)).collect();
    let chosen = if known.is_empty() { valued().collect() } else { known };
    chosen.into_iter().take(LARGE_MAX).collect()
}

fn headline(rows: &[Measure]) -> Table {
    let covered = rows.iter().any(|r| r.coverage.is_some());
    let mut columns = vec![
        words("measure", "Measure"),
        numbers("value", "Value (95% interval)"),
        words("unit", "Unit"),
        numbers("people", "People"),
        numbers("person_weeks", "Person-weeks"),
    ];
    if covered {
        columns.push(numbers("coverage", "Of the workforce"));
    }
    columns.push(words("grade", "Evidence"));
    let row = |r: &Measure| {
        let value = interval(r).map_or_else(|| shown(r), |ends| format!("{} ({ends})", shown(r)));
        let mut row = vec![
            text(measure(&r.measure)),
            text(value),
            text(unit(r)),
            Cell::Count(r.people),
            Cell::Count(r.person_weeks),
        ];
        if covered {
            row.push(r.coverage.map_or(Cell::Number(None), Cell::Share));
        }
        row.push(text(&r.grade));
        row
    };
    Table { caption: "Key figures".into(), columns, rows: rows.iter().map(row).collect() }
}

/// The ends of the interval of a measure, with the decimals of its value.
fn interval(r: &Measure) -> Option<String> {
    let (value, low, high) = (r.value?, r.low?, r.high?);
    Some(if r.unit.starts_with("share") {
        format!("{} to {}", number::percent(low), number::percent(high))
    } else {
        let decimals = number::decimals(value);
        format!("{} to {}", number::fixed(low, decimals), number::fixed(high, decimals))
    })
}

fn shown(r: &Measure) -> String {
    r.value.map_or(number::NONE.into(), |value| figure(r, value))
}

/// The value shown large, and its unit. With an interval beside it, it keeps to the unit of that.
fn large(r: &Measure) -> (String, String) {
    match r.value {
        Some(hours) if r.unit == "hours" && interval(r).is_none() => {
            let (figure, unit) = number::amount(hours);
            (figure, unit.to_owned())
        }
        _ => (shown(r), unit(r)),
    }
}

/// Shares are shown as percentages, counts without decimals, other numbers as suits them.
fn figure(r: &Measure, value: f64) -> String {
    match r.unit.as_str() {
        unit if unit.starts_with("share") => number::percent(value),
        "people" | "person-weeks" | "entries" => number::fixed(value, 0),
        _ => number::plain(value),
    }
}

/// The unit beside a number: `share of active hours` is `of active hours` after a percentage.
fn unit(r: &Measure) -> String {
    r.unit.strip_prefix("share").map_or_else(|| r.unit.clone(), |of| of.trim_start().to_owned())
}

/// `2026-11-02` as `2 November 2026`; anything else as it is.
fn day(iso: &str) -> String {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let parts: Vec<Option<usize>> = iso.split('-').map(|part| part.parse().ok()).collect();
    match parts[..] {
        [Some(year), Some(month @ 1..=12), Some(day)] => format!("{day} {} {year}", MONTHS[month - 1]),
        _ => iso.to_owned(),
    }
}
