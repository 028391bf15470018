//! Decoded exports from files go through the same gate and pipeline as those of the network, two at a time through the
//! gate and several at a time to the log, so that one sync serves many.

use std::{sync::Arc, time::Duration};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use gilbreth_collector::{
    Sender,
    agent::Rulebook,
    config,
    decode::Decoded,
    gate::{self, IntakeCounts, Policy, Source},
    key::StoreKey,
    pipeline::{self, Pipeline},
    store::{Store, Writer},
};

const IN_GATE: usize = 2;
const IN_LOG: usize = 4;

/// What came of a feed.
#[derive(Debug, Default)]
pub(crate) struct Fed {
    /// Counts of the gate.
    pub(crate) counts: IntakeCounts,
    /// Exports or rows that could not be read; each was named on standard error.
    pub(crate) unreadable: u64,
}

impl std::fmt::Display for Fed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} spans received, {} refused", self.counts.received, self.counts.refused)?;
        if self.unreadable > 0 {
            write!(formatter, ", {} unreadable", self.unreadable)?;
        }
        Ok(())
    }
}

/// Feeds every export into a store, then commits and compacts it. `seen` is told of each export's spans as they are safe.
/// An export that cannot be read is named and left out, the rest goes on.
pub(crate) async fn all(
    store: &Store,
    config: &config::Config,
    exports: impl Iterator<Item = anyhow::Result<Decoded>> + Send,
    mut seen: impl FnMut(u64),
) -> anyhow::Result<Fed> {
    let writer: Arc<Writer> = Arc::new(store.lock()?);
    let policy = Arc::new(Policy::new(&StoreKey::of(&writer)?, config));
    let names = Arc::new(Rulebook::load(config)?.names());
    // Nobody waits for an answer: there is all the time that the disk takes.
    let sized = pipeline::Config { patience: Duration::MAX, ..config.pipeline() };
    let pipeline = Pipeline::start(Arc::clone(&writer), sized).await?;
    let mut unreadable = 0_u64;
    let readable = exports.filter_map(|export| match export {
        Ok(decoded) => Some(decoded),
        Err(error) => {
            unreadable += 1;
            eprintln!("gilbreth: {error:#}");
            None
        }
    });
    let admissions = stream::iter(readable)
        .map(|decoded| {
            let (policy, names) = (Arc::clone(&policy), Arc::clone(&names));
            let received_at_us = chrono::Utc::now().timestamp_micros();
            tokio::task::spawn_blocking(move || gate::admit(&decoded, &policy, Source::File, received_at_us, &names))
        })
        .buffered(IN_GATE);
    let counts = admissions
        .map(|admission| async {
            let admission = admission??;
            let counts = admission.counts;
            pipeline.submit(Sender::Process, admission.admitted, counts).await?;
            anyhow::Ok(counts)
        })
        .buffered(IN_LOG)
        .inspect_ok(|counts| seen(counts.received))
        .try_fold(IntakeCounts::default(), async |mut sum, counts| {
            sum += counts;
            Ok(sum)
        })
        .await?;
    pipeline.compact().await?;
    pipeline.shutdown().await?;
    Ok(Fed { counts, unreadable })
}
