//! Answers to pages, pictures and printed reports.
//!
//! ```text
//! findings ─▶ sections (a sentence, a chart, a table, its SQL each) ─▶ pages ─▶ routes (web port)
//!                                                                        └───▶ report (files)
//! ```
//!
//! Everything up to the rim is pure: the same findings give the same bytes, with no clock, disk or chance in between.
//! Deliberately absent: scripts, anything loaded from elsewhere, and any row about one worker or one case.

mod chart;
mod data;
pub mod number;
mod pages;
pub mod report;
mod routes;
mod sections;
mod table;
pub mod words;

pub use data::{VIEWS, csv};
pub use pages::{Page, page, report as report_page, stylesheet};
pub use routes::{Probes, Source, router, serve};
pub use sections::{FIGURES, figure};

#[cfg(test)]
mod fixture;
