//! `gilbreth score`: what was measured against the truth of a simulation.

use std::process::ExitCode;

use crate::{cli, config::Config, output};

pub(crate) async fn run(options: cli::Score) -> anyhow::Result<ExitCode> {
    let config = Config::load(options.config.as_deref())?;
    // The truth is of the whole estate: a score has a pin, and no other scope.
    let scope = cli::Scope { as_of: options.as_of, ..cli::Scope::default() };
    let session = super::session(&options.store, &scope, &config).await?;
    let scores = gilbreth_analytics::score::run(&session, &options.truth).await?;
    match options.format {
        cli::ListFormat::Table => output::print(&scores.to_string())?,
        cli::ListFormat::Json => output::print(&format!("{}\n", serde_json::to_string_pretty(&scores)?))?,
    }
    Ok(if scores.hold() { ExitCode::SUCCESS } else { ExitCode::from(3) })
}
