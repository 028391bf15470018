//! The frame of every page: language, landmarks, a link past the navigation, and style. No page has a script.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::Page;
use crate::chart;

/// Where a page is shown.
pub(super) enum Look {
    /// As a file of its own: the style is inside.
    Report,
    /// On the web port, as one of its pages or none of them.
    Web(Option<Page>),
}

/// The style sheet of all pages.
pub fn stylesheet() -> String {
    format!("{}\n{}", include_str!("../../assets/gilbreth.css"), chart::style())
}

/// The whole page. Control characters in names become the replacement character: HTML allows none of them.
pub(super) fn frame(look: &Look, title: &str, body: &Markup) -> String {
    let html = html! {
        (DOCTYPE)
        html lang="en-GB" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light";
                title { (title) " – Gilbreth" }
                @match look {
                    Look::Report => { style { (PreEscaped(stylesheet())) } }
                    Look::Web(_) => { link rel="stylesheet" href="/assets/gilbreth.css"; }
                }
            }
            body {
                a.skip href="#main" { "Skip to the content" }
                header.top { div.wide {
                    p.brand { @match look {
                        Look::Report => { "Gilbreth" }
                        Look::Web(_) => { a href="/" { "Gilbreth" } }
                    } span { "Working time lost to case systems" } }
                    @if let Look::Web(current) = look {
                        nav aria-label="Pages" { ul { @for page in Page::ALL { li {
                            a href=(page.path()) aria-current=[(Some(page) == *current).then_some("page")] { (page.name()) }
                        } } } }
                    }
                } }
                main #main tabindex="-1" { (body) }
                footer { div.wide { p {
                    "Made by Gilbreth " (env!("CARGO_PKG_VERSION")) ". No person is shown, and nothing that anybody typed is stored."
                } } }
            }
        }
    };
    html.into_string().replace(|c: char| c.is_control() && c != '\n' && c != '\t', "\u{fffd}")
}
