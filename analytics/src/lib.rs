//! Spans to facts to views to answers.
pub mod facts;
pub mod findings;
pub mod local_time;
pub mod operators;
pub mod parameters;
pub mod refresh;
pub mod statistics;
pub mod tables;
