//! What changed when something changed: effects of releases and of interfaces going live.
//!
//! ```text
//! releases, task_weeks, lost_weeks ─▶ release  (difference in differences, workers resampled) ─▶ release_effects
//! go_lives, interface outcome      ─▶ go_live  (group-time effects, go-live dates permuted)   ─▶ go_live_effects
//! ```
//! Estimates are pure functions of panels: plain rows of worker or organisation, week and value. Panels are sorted
//! before anything is drawn, so that no result depends on the order of rows.

pub mod go_live;
pub mod release;
mod resample;
mod rows;

/// Days of a week.
pub(crate) const WEEK: i32 = 7;
