//! What SQL cannot say well: verdicts on pairs of fields, and how sure a figure is.
//!
//! ```text
//! observed_workers ─▶ strata ─▶ draws ─┐
//! pair_trials ─────▶ certainties ──────┼─▶ ratios ─▶ bootstrap_t ─▶ intervals
//! figure_parts ────▶ figures ──────────┘      └────▶ ranks ───────▶
//! coverage ────────▶ workforce (the same over cells of organisation and role)
//! ```
//! People are resampled, not events: the weeks of one person, and what one person keys, go together. Everything drawn
//! comes from one seed, is drawn for people in the order of their hashes, and so depends neither on the order of rows
//! nor on the number of cores.

pub mod bootstrap_t;
pub mod certainties;
pub mod draws;
pub mod intervals;
mod parts;
pub mod ranks;
pub mod ratios;
pub mod strata;
mod verdicts;
mod workforce;

#[cfg(test)]
mod tests;

pub use verdicts::{benjamini_hochberg, binomial_tail, binomial_tail_udf};
