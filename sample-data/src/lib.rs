//! A simulated estate with known truth: what real case systems would send over a few weeks, and what really happened,
//! second by second, so that the measurement can be held against it.
//!
//! The flow: [`estate`] (TOML → systems, screens, tasks, people) → [`simulate()`] (seeded, no clock; a day at a time) →
//! [`interaction`] (what happened) → [`otlp`] (what the systems send) and [`truth`] (what the measure should find).
//!
//! [`case_systems`] stand apart: real web applications for a real browser, in which what happens is up to who uses them.
//!
//! Invariants:
//! - the same estate and [`Options`] give the same bytes, on every run;
//! - the truth is never worked out by the code that it tests: nothing here depends on the analytics, and nothing there
//!   on this crate;
//! - no real person, address, telephone number or case.

pub mod case_systems;
pub mod estate;
pub mod faults;
pub mod files;
pub mod interaction;
pub mod options;
pub mod otlp;
mod random;
pub mod reference;
pub mod simulate;
pub mod truth;
pub mod world;

pub use estate::{Estate, EstateError};
pub use options::{Options, OptionsError, Scenario};
pub use simulate::{Day, Simulation, simulate};
