//! `gilbreth refresh`: brings the facts up to date with the spans.

use std::process::ExitCode;

use gilbreth_collector::store::Store;

use crate::{cli, config::Config, progress::Step};

pub(crate) async fn run(options: cli::Refresh) -> anyhow::Result<ExitCode> {
    let config = Config::load(options.config.as_deref())?;
    let writer = Store::open(&options.store)?.lock()?;
    let step = Step::begin("facts", 0);
    let refreshed = gilbreth_analytics::refresh::run(&writer, &config.measurement, options.full).await?;
    step.done(&refreshed.to_string());
    Ok(ExitCode::SUCCESS)
}
