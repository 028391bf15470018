//! Journeys through the platform, seen from outside: the program is started as its users start it.
#![allow(clippy::unwrap_used, reason = "a journey that cannot go on fails, and says where")]

mod access;
mod architecture;
mod bad_input;
mod bounds;
mod canary;
mod conformance;
mod demo;
mod full_disk;
mod kill;
mod measure;
mod pins;
mod reference;
mod sdk;
mod store;
mod student_record;
mod telemetry;

/// The program that cargo built for this run.
fn program() -> gilbreth_tests::program::Program {
    gilbreth_tests::program::Program::new(env!("CARGO_BIN_EXE_gilbreth"))
}
