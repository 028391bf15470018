//! Decoding beside `prost`, with the allocator of the program. It spares `prost` half of its time, and columns little.

mod measure;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    measure::run()
}
