//! `gilbreth report`: the report of a store.

use std::process::ExitCode;

use crate::{cli, config::Config, progress::Step};

pub(crate) async fn run(options: cli::Report) -> anyhow::Result<ExitCode> {
    let config = Config::load(options.config.as_deref())?;
    let session = super::session(&options.store, &options.scope, &config).await?;
    let step = Step::begin("report", 0);
    let findings = gilbreth_analytics::findings::gather(&session).await?;
    gilbreth_dashboards::report::write(&options.out, &findings)?;
    step.done(&options.out.join("report.html").display().to_string());
    Ok(ExitCode::SUCCESS)
}
