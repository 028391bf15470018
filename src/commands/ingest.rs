//! `gilbreth ingest`: files of OTLP through the same gate as the network.

use std::process::ExitCode;

use gilbreth_collector::{receive::files::Exports, store::Store};

use crate::{cli, config::Config, feed, progress::Step};

pub(crate) async fn run(options: cli::Ingest) -> anyhow::Result<ExitCode> {
    let config = Config::load(options.config.as_deref())?;
    // Every file is opened before the first is read, so that a misspelled name costs nothing.
    let opened = options.files.iter().map(|file| Exports::open(file)).collect::<Result<Vec<_>, _>>()?;
    let store = Store::open_or_create(&options.store, config.manifest())?;
    let step = Step::begin(format!("ingest {} files", opened.len()), 0);
    let exports = opened.into_iter().flatten().map(|export| Ok(export?));
    let fed = feed::all(&store, &config.collector, exports, |spans| step.advance(spans, "")).await?;
    step.done(&fed.to_string());
    Ok(if fed.unreadable == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
