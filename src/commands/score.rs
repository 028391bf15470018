//! `gilbreth score`: what was measured against the truth of a simulation.

use std::process::ExitCode;

use crate::{cli, config::Config, output};

pub(crate) async fn run(options: cli::Score) -> anyhow::Result<ExitCode> {
    let config = Config::load(options.config.as_deref())?;
    let session = super::session(&options.store, &cli::Scope::default(), &config).await?;
    let scores = gilbreth_analytics::score::run(&session, &options.truth).await?;
    match options.format {
        cli::ScoreFormat::Table => output::print(&scores.to_string())?,
        cli::ScoreFormat::Json => output::print(&format!("{}\n", serde_json::to_string_pretty(&scores)?))?,
    }
    Ok(if scores.hold() { ExitCode::SUCCESS } else { ExitCode::from(3) })
}
