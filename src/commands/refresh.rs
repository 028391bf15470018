//! `gilbreth refresh`: brings the facts up to date with the spans.

use std::{process::ExitCode, sync::Arc};

use gilbreth_collector::store::Store;

use crate::{cli, config::Config, progress::Step, tidy};

pub(crate) async fn run(options: cli::Refresh) -> anyhow::Result<ExitCode> {
    let config = Config::load(options.config.as_deref())?;
    let writer = Arc::new(Store::open(&options.store)?.lock()?);
    tidy::expire(&writer, &config).await?;
    let step = Step::begin("facts", 0);
    let refreshed = gilbreth_analytics::refresh::run(&writer, &config.measurement, options.full).await?;
    step.done(&refreshed.to_string());
    // Each refresh makes a version: where no service runs, nobody else would let the old ones go.
    tidy::vacuum(&writer, &config).await?;
    Ok(ExitCode::SUCCESS)
}
