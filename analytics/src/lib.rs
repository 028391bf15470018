//! Spans to facts to views to answers.
pub mod findings;
pub mod local_time;
pub mod parameters;
pub mod statistics;
pub mod tables;
