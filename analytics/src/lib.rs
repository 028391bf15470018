//! Spans to facts to views to answers.
pub mod catalogue;
pub mod conversation;
pub mod effects;
pub mod error;
pub mod facts;
pub mod findings;
pub mod local_time;
pub mod operators;
pub mod parameters;
pub mod query;
pub mod questions;
pub mod reference;
pub mod refresh;
mod rows;
pub mod scope;
pub mod score;
pub mod script;
pub mod session;
pub mod statistics;
pub mod tables;
pub mod versions;

pub use error::Error;
