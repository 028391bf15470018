//! Any bytes as protobuf: read as `prost` reads them, or refused by both.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gilbreth_collector_fuzz::checks::protobuf(bytes));
