//! Re-entry: which entries agree with a value that the estate held already, and how often that is chance.
//!
//! - [`agree`]: when two values agree;
//! - [`index`]: posting lists of everything held, gathered case by case;
//! - [`case`]: one case's targets and sources;
//! - [`hits`], [`chance`]: what the same target would find on other cases;
//! - [`lists`]: the sources of a target in order of preference;
//! - [`output`]: what the counts look like as tables.

pub mod agree;
pub mod case;
pub mod chance;
pub mod hits;
pub mod index;
pub mod lists;
pub mod output;

#[cfg(test)]
mod tests;
