//! A simulated estate with known truth.
