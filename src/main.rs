//! The one binary; its commands are being joined.
fn main() {}
