//! Any bytes as JSON: read as `serde` reads them where it can, or refused.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gilbreth_collector_fuzz::checks::json(bytes));
