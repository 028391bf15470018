//! Decoding beside `prost`, with the allocator of the system: what a library meets.

mod measure;

fn main() -> anyhow::Result<()> {
    measure::run()
}
