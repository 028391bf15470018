//! `gilbreth import`: user-interaction logs, by a mapping file.

use std::process::ExitCode;

use gilbreth_collector::{
    import::{self, Mapping, Summary},
    store::Store,
};

use crate::{cli, config::Config, feed, progress::Step};

pub(crate) async fn run(options: cli::Import) -> anyhow::Result<ExitCode> {
    let config = Config::load(options.config.as_deref())?;
    let mapping = Mapping::load(&options.mapping)?;
    // Every log is read before the store is touched: a wrong mapping leaves nothing behind.
    let mut read = Vec::new();
    let mut bad_rows = 0;
    for log in &options.logs {
        let imported = import::read(log, &mapping)?;
        let summary = &imported.summary;
        for row in &summary.bad {
            eprintln!("gilbreth: {}: line {}: {}", log.display(), row.line, row.why);
        }
        for (what, rows) in &summary.unknown {
            eprintln!(
                "gilbreth: {}: {rows} rows of {what}, which the mapping does not know, are left out",
                log.display()
            );
        }
        bad_rows += summary.bad_rows;
        let Summary { rows, spans, cases, bad_rows: bad, .. } = summary;
        eprintln!("{}: {rows} rows, {spans} interactions, {cases} cases, {bad} bad rows", log.display());
        read.push(imported);
    }
    let store = Store::open_or_create(&options.store, config.manifest())?;
    let step = Step::begin(format!("import {} logs", read.len()), 0);
    let exports = read.into_iter().flat_map(import::Imported::exports).map(|export| Ok(export?));
    let fed = feed::all(&store, &config.collector, exports, |spans| step.advance(spans, "")).await?;
    step.done(&fed.to_string());
    Ok(if bad_rows == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
