//! Spans to facts to views to answers: what was sent becomes hours, each second of a worker's time with one cause.
//!
//! ```text
//! spans ─▶ facts (by operators) ─▶ views (SQL; statistics and effects where SQL cannot) ─▶ answers: query, findings, score
//! ```
//! - **Facts** depend on spans, parameters and reference data alone, never on a verdict; one number names a set of all
//!   tables that belong together ([`refresh`], [`versions`]).
//! - **Views** weigh: chance and certainty live there, so that an auditor can read them in `sql/views`.
//! - **Nobody** is named: workers and cases are keyed hashes, which nothing here can undo.
//!
//! Deliberately absent: the truth of a simulation as an input (only [`score`] reads it, afterwards), sampling where an
//! exact count is meant, and state that a table does not hold.

// From spans to facts.
pub mod facts;
pub mod operators;
pub mod parameters;
pub mod reference;
pub mod refresh;
pub mod tables;

// From facts to views.
pub mod catalogue;
pub mod effects;
pub mod questions;
pub mod scope;
pub mod session;
pub mod statistics;
pub mod versions;

// From views to answers.
pub mod conversation;
pub mod findings;
pub mod query;
pub mod score;
pub mod script;

// What all of them use.
pub mod error;
pub mod local_time;
mod rows;

pub use error::Error;
