//! How fast: `cargo bench --bench measure` runs all of it on a small simulated estate, `-- refresh growth views
//! questions` what is named. `docs/benchmarks.md` says how to run the long form, and what was measured.
//!
//! Nothing here asserts a time: machines differ, and what a bound means is said beside the figures.

mod growth;
mod questions;
mod refresh;
mod sizes;
mod stores;
mod views;

use std::path::Path;

use anyhow::Context as _;

const PARTS: [&str; 4] = ["refresh", "growth", "views", "questions"];

fn main() -> anyhow::Result<()> {
    // Cargo passes options of its own.
    let named: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    if let Some(unknown) = named.iter().find(|name| !PARTS.contains(&name.as_str())) {
        anyhow::bail!("there is no benchmark `{unknown}`: there are {}", PARTS.join(", "));
    }
    let wanted = |part: &str| named.is_empty() || named.iter().any(|name| name == part);
    let scratch = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).context("no folder to work in")?;
    if wanted("growth") {
        growth::run(scratch.path())?;
    }
    if !wanted("refresh") && !wanted("views") && !wanted("questions") {
        return Ok(());
    }
    let store = match sizes::store() {
        Some(store) => store,
        None => stores::simulated(&scratch.path().join("store"), sizes::estate())?,
    };
    after_one_store(&store, wanted)
}

fn after_one_store(store: &Path, wanted: impl Fn(&str) -> bool) -> anyhow::Result<()> {
    if wanted("refresh") {
        refresh::run(store)?;
    }
    if wanted("views") || wanted("questions") {
        let runtime = tokio::runtime::Runtime::new()?;
        if wanted("questions") {
            runtime.block_on(questions::run(store))?;
        }
        if wanted("views") {
            runtime.block_on(views::run(store))?;
        }
    }
    Ok(())
}
