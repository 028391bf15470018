//! `gilbreth versions`: what can be pinned.

use std::process::ExitCode;

use gilbreth_collector::store::Store;

use crate::{cli, output};

pub(crate) async fn run(options: cli::Versions) -> anyhow::Result<ExitCode> {
    let versions = gilbreth_analytics::versions::list(&Store::open(&options.store)?)?;
    match options.format {
        cli::ListFormat::Table => output::print(&versions.to_string())?,
        cli::ListFormat::Json => output::print(&format!("{}\n", serde_json::to_string_pretty(&versions)?))?,
    }
    Ok(ExitCode::SUCCESS)
}
