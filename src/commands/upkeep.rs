//! `gilbreth upkeep`: what a running service does in the background, once, by hand.

use std::{process::ExitCode, sync::Arc};

use gilbreth_collector::{
    pipeline::{Pipeline, upkeep},
    store::Store,
};

use crate::{cli, config::Config, progress::Step, tidy};

pub(crate) async fn run(options: cli::Upkeep) -> anyhow::Result<ExitCode> {
    let config = Config::load(options.config.as_deref())?;
    let writer = Arc::new(Store::open(&options.store)?.lock()?);
    let step = Step::begin("commit and merge", 0);
    // What a service that was killed left in the log may have expired, too.
    Pipeline::start(Arc::clone(&writer), config.collector.pipeline()).await?.shutdown().await?;
    let merged = upkeep::merge(&writer, &tidy::tables(), tidy::now_us()).await?;
    step.done(&format!("{} files became {}", merged.files_before, merged.files_after));
    let step = Step::begin("expire and vacuum", 0);
    if tidy::expire(&writer, &config).await? {
        gilbreth_analytics::refresh::run(&writer, &config.measurement, false).await?;
    }
    let vacuumed = tidy::vacuum(&writer, &config).await?;
    step.done(&tidy::said(&vacuumed));
    let left = tidy::leftovers(&writer, &config).await?;
    for path in &left {
        eprintln!("expired, and still there: {}", path.display());
    }
    Ok(if left.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(3) })
}
