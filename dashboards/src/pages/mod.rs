//! Findings to HTML: the report as one file, and the pages of the web port. All of it is pure: the same findings give
//! the same bytes.

mod body;
mod frame;
mod method;

pub use frame::stylesheet;

use gilbreth_analytics::findings::Findings;
use maud::{Markup, html};

use frame::{Look, frame};

use crate::sections::{self, Section};

/// A page of the web port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// Everything, as in the report.
    Overview,
    /// Time lost by system.
    Systems,
    /// Re-entry: systems and fields.
    ReEntry,
    /// Time lost by task.
    Tasks,
    /// What to fix first.
    Fixes,
    /// What releases and interfaces going live changed.
    Releases,
    /// Checks on the data.
    Quality,
    /// Definitions, parameters and limits.
    Method,
}

impl Page {
    /// Every page in the order of the navigation.
    pub const ALL: [Self; 8] = [
        Self::Overview,
        Self::Systems,
        Self::ReEntry,
        Self::Tasks,
        Self::Fixes,
        Self::Releases,
        Self::Quality,
        Self::Method,
    ];

    /// Its path.
    pub fn path(self) -> &'static str {
        match self {
            Self::Overview => "/",
            Self::Systems => "/systems",
            Self::ReEntry => "/re-entry",
            Self::Tasks => "/tasks",
            Self::Fixes => "/fixes",
            Self::Releases => "/releases",
            Self::Quality => "/quality",
            Self::Method => "/method",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Systems => "Systems",
            Self::ReEntry => "Re-entry",
            Self::Tasks => "Tasks",
            Self::Fixes => "Fixes",
            Self::Releases => "Releases",
            Self::Quality => "Data quality",
            Self::Method => "Method",
        }
    }

    /// Anchors of the sections that it shows.
    fn sections(self) -> &'static [&'static str] {
        match self {
            Self::Overview => &["systems", "re-entry", "hotspots", "tasks", "fixes", "time-use"],
            Self::Systems => &["systems"],
            Self::ReEntry => &["re-entry", "hotspots", "too-few", "constants"],
            Self::Tasks => &["tasks"],
            Self::Fixes => &["fixes"],
            Self::Releases => &["releases", "go-lives"],
            Self::Quality => &["quality"],
            Self::Method => &[],
        }
    }
}

/// The report: one file that needs no other.
pub fn report(findings: &Findings) -> String {
    let sections = sections::all(findings);
    let body = html! {
        (body::title(findings, "Time lost to case systems"))
        @if is_empty(findings) { (body::no_data()) } @else {
            (body::notices(findings))
            @for claims in sections.iter().filter(|section| section.id == "claims") { (body::section(findings, claims)) }
            (body::key_figures(findings))
            nav.contents aria-labelledby="contents" {
                h2 #contents { "Contents" }
                ol {
                    @for section in &sections { li { a href={ "#" (section.id) } { (section.about) } ": " (section.finding) } }
                    li { a href="#method" { "Method" } ": what is measured, and how far it can be trusted" }
                }
            }
            @for section in sections.iter().filter(|section| section.id != "claims") { (body::section(findings, section)) }
        }
        (method::method(findings))
    };
    frame(&Look::Report, &format!("Time lost to case systems: {}", name(findings)), &body)
}

/// A page of the web port.
pub fn page(findings: &Findings, page: Page) -> String {
    let body = html! {
        (body::title(findings, match page { Page::Overview => "Time lost to case systems", other => other.name() }))
        @if page == Page::Method { (method::method(findings)) }
        @else if is_empty(findings) { (body::no_data()) }
        @else {
            (body::notices(findings))
            @if matches!(page, Page::Overview | Page::ReEntry) { (body::undecided(findings, page)) }
            @if page == Page::Overview {
                @for claims in sections::all(findings).iter().filter(|section| section.id == "claims") {
                    (body::section(findings, claims))
                }
                (body::key_figures(findings))
                p { "The same, to keep or print: " a href="/report.html" { "the report as one file" } "." }
            }
            @if page == Page::Releases && findings.releases.rows.is_empty() && findings.go_lives.rows.is_empty() {
                p { "No system changed its release while the data ran, and no date of an interface going live was loaded." }
            }
            @for section in shown(findings, page) { (body::section(findings, &section)) }
        }
    };
    frame(&Look::Web(Some(page)), &format!("{}: {}", page.name(), name(findings)), &body)
}

/// The sections of a page. While nothing else is seen of re-entry, pairs with too few cases come first on its page.
fn shown(findings: &Findings, page: Page) -> Vec<Section> {
    let mut shown = sections::all(findings);
    shown.retain(|section| page.sections().contains(&section.id));
    if page == Page::ReEntry && sections::undecided(findings).is_some() {
        shown.sort_by_key(|section| section.id != "too-few");
    }
    shown
}

/// What is shown where there is no such page.
pub(crate) fn not_found() -> String {
    let body: Markup = html! {
        h1 { "There is no such page" }
        p { "The address may be mistyped. Everything starts at the " a href="/" { "overview" } "." }
    };
    frame(&Look::Web(None), "There is no such page", &body)
}

/// Whether nothing has been measured yet.
fn is_empty(findings: &Findings) -> bool {
    findings.from.is_empty()
}

fn name(findings: &Findings) -> &str {
    if findings.estate.is_empty() { "Gilbreth" } else { &findings.estate }
}

#[cfg(test)]
mod tests;
