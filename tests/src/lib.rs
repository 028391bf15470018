//! What the journeys in `journeys/` stand on: the `gilbreth` program started as a user starts it, and spans as a case
//! system sends them.

pub mod conformance;
pub mod hog;
pub mod http;
pub mod program;
pub mod prometheus;
pub mod spans;
