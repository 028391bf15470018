//! What there is to say: each section states its finding in a sentence computed from the rows, draws it, tables it,
//! and names the SQL behind it. The report and the pages arrange sections; they add no figure of their own.

mod changes;
mod evidence;
mod lost;
mod people;
mod re_entry;
mod remedies;

pub(crate) use people::few;

use gilbreth_analytics::findings::Findings;

use crate::chart::{Bar, BarChart, Figure, Layout, bars};
use crate::table::Table;

/// A finding and all that supports it.
#[derive(Debug, Clone)]
pub(crate) struct Section {
    /// Its anchor, and what it is about in two or three words.
    pub(crate) id: &'static str,
    /// The same for the list of contents.
    pub(crate) about: &'static str,
    /// The finding, in one sentence without a full stop.
    pub(crate) finding: String,
    /// What a reader should know beside it.
    pub(crate) lead: Vec<String>,
    /// The chart, wide and narrow.
    pub(crate) figures: Vec<Figure>,
    /// The table under the chart.
    pub(crate) table: Table,
    /// The view whose rows stand behind it.
    pub(crate) view: &'static str,
    /// The SQL that gives these rows.
    pub(crate) sql: String,
}

/// All sections in the order of the report; claims, too few cases, time use, releases and go-lives where
/// there are any.
pub(crate) fn all(findings: &Findings) -> Vec<Section> {
    let mut sections = Vec::new();
    if !findings.claims.rows.is_empty() {
        sections.push(evidence::claims(findings));
    }
    sections.extend([
        lost::by_system(findings),
        re_entry::matrix(findings),
        re_entry::hotspots(findings),
        re_entry::constants(findings),
    ]);
    if !findings.too_few.rows.is_empty() {
        sections.push(re_entry::too_few(findings));
    }
    sections.extend([lost::by_task(findings), remedies::fixes(findings)]);
    if !findings.time_use.rows.is_empty() {
        sections.push(evidence::time_use(findings));
    }
    if !findings.releases.rows.is_empty() {
        sections.push(changes::releases(findings));
    }
    if !findings.go_lives.rows.is_empty() {
        sections.push(changes::go_lives(findings));
    }
    sections.push(remedies::quality(findings));
    sections
}

/// How many pairs of fields agree on too few cases, while no pair is established: all that is seen of re-entry as yet.
pub(crate) fn undecided(findings: &Findings) -> Option<i64> {
    let too_few = &findings.too_few;
    (findings.hotspots.rows.is_empty() && !too_few.rows.is_empty()).then_some(too_few.of as i64)
}

/// What the key figures are made of: time lost by cause.
pub(crate) fn causes(findings: &Findings) -> Section {
    lost::by_cause(findings)
}

/// Names of the figures, as in `figures/NAME.svg`.
pub const FIGURES: [&str; 6] =
    ["time-lost-by-cause", "time-lost-by-system", "re-entry-matrix", "re-entry-hotspots", "time-lost-by-task", "fixes"];

/// A figure as an SVG file of its own; none where there is no such figure.
pub fn figure(findings: &Findings, name: &str) -> Option<String> {
    let mut sections = all(findings);
    sections.push(causes(findings));
    let figure = sections.iter().flat_map(|section| &section.figures).find(|figure| figure.name == name)?;
    Some(figure.standalone())
}

/// A bar chart in both layouts.
fn both(chart: &BarChart<'_>) -> Vec<Figure> {
    vec![bars(chart, Layout::Wide), bars(chart, Layout::Narrow)]
}

/// Rows added up by a key, in the order in which keys come first.
fn grouped<'a, Row>(
    rows: &'a [Row],
    key: impl Fn(&'a Row) -> &'a str,
    value: impl Fn(&Row) -> f64,
) -> Vec<(&'a str, f64)> {
    let mut out: Vec<(&str, f64)> = Vec::new();
    for row in rows {
        let key = key(row);
        match out.iter_mut().find(|(known, _)| *known == key) {
            Some((_, sum)) => *sum += value(row),
            None => out.push((key, value(row))),
        }
    }
    out
}

/// The same, greatest first; equals by name.
fn ranked<'a, Row>(
    rows: &'a [Row],
    key: impl Fn(&'a Row) -> &'a str,
    value: impl Fn(&Row) -> f64,
) -> Vec<(&'a str, f64)> {
    let mut out = grouped(rows, key, value);
    out.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(b.0)));
    out
}

/// A bar of one value, with its interval where it has one.
fn bar(label: Vec<String>, value: f64, interval: Option<(f64, f64)>) -> Bar {
    Bar { label, values: vec![value], interval }
}

/// What the lines over bars are, for the words of a chart; nothing where there are none.
fn whiskers(bars: &[Bar]) -> &'static str {
    match bars.iter().any(|bar| bar.interval.is_some()) {
        true => " The line over a bar is its 95% interval; the table gives its ends.",
        false => "",
    }
}

/// `part / whole`, nothing where there is no whole.
fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}
