//! Spans to facts to views to answers.
pub mod findings;
pub mod parameters;
pub mod tables;
