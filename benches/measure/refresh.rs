//! A refresh of everything.

use std::path::Path;

use gilbreth_analytics::{parameters::Parameters, scope::Scope, session::Session};
use gilbreth_collector::store::Store;

use crate::{sizes, stores};

/// Works all facts of a store out anew and says how fast that was.
pub(crate) fn run(store: &Path) -> anyhow::Result<()> {
    let interactions = tokio::runtime::Runtime::new()?.block_on(interactions(store))?;
    for run in 1..=sizes::runs() {
        let took = stores::refresh(store, &["--full"])?;
        println!(
            "full refresh          {interactions} interactions, run {run}: {:.1} s, {:.0} interactions/s, peak {:.0} MiB",
            took.seconds,
            interactions as f64 / took.seconds,
            took.peak_mib
        );
    }
    Ok(())
}

/// How many spans with a kind there are.
async fn interactions(store: &Path) -> anyhow::Result<i64> {
    let session = Session::open(&Store::open(store)?, &Scope::default(), &Parameters::default(), Vec::new()).await?;
    let rows = session.sql("SELECT count(kind) FROM spans").await?;
    Ok(arrow::array::AsArray::as_primitive::<arrow::datatypes::Int64Type>(rows[0].column(0)).value(0))
}
