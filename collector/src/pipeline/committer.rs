//! The one task that writes `spans` and `intake` while the collector runs.

use std::{sync::Arc, time::Duration};

use arrow::array::{ArrayRef, Int64Array, RecordBatch, TimestampMicrosecondArray};
use tokio::sync::{mpsc, oneshot};

use super::{Config, pending::Pending};
use crate::{
    Error, ErrorKind,
    gate::IntakeCounts,
    log::{Record, Remover},
    schema::{INTAKE, SPANS},
    store::Writer,
};

/// Files of `intake` are merged above this many: each commit adds one of a single row.
const INTAKE_FILES_MAX: usize = 64;
/// After a failed commit the next is tried no sooner.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// What is asked of the committer.
#[derive(Debug)]
pub(super) enum Command {
    /// Much waits: commit before it is time.
    Crowded,
    /// Commit everything.
    Commit(oneshot::Sender<Result<(), Error>>),
    /// Commit everything and merge small files.
    Compact(oneshot::Sender<Result<(), Error>>),
    /// The same, then remove the log and end. The log is closed already.
    Stop(oneshot::Sender<Result<(), Error>>),
}

/// The task's own.
pub(super) struct Committer {
    writer: Arc<Writer>,
    pending: Arc<Pending>,
    segments: Remover,
    config: Config,
    not_before: Option<tokio::time::Instant>,
}

impl Committer {
    pub(super) const fn new(writer: Arc<Writer>, pending: Arc<Pending>, segments: Remover, config: Config) -> Self {
        Self { writer, pending, segments, config, not_before: None }
    }

    /// Runs until it is told to stop, or until nobody can tell it any more.
    pub(super) async fn run(mut self, mut commands: mpsc::UnboundedReceiver<Command>) {
        let mut time = tokio::time::interval(self.config.commit_after);
        time.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let command = tokio::select! {
                command = commands.recv() => command,
                _ = time.tick() => Some(Command::Crowded),
            };
            match command {
                Some(Command::Crowded) => self.commit_unasked().await,
                Some(Command::Commit(reply)) => {
                    let _ = reply.send(self.commit_all().await);
                }
                Some(Command::Compact(reply)) => {
                    let _ = reply.send(self.commit_and_compact().await);
                }
                Some(Command::Stop(reply)) => {
                    let finished = self.commit_and_compact().await;
                    // Whoever is told that it is over may take the lock.
                    drop(self);
                    let _ = reply.send(finished);
                    return;
                }
                None => return,
            }
        }
    }

    /// What failed is tried again later: the rows are in the log, and in memory.
    async fn commit_unasked(&mut self) {
        if self.not_before.is_some_and(|at| tokio::time::Instant::now() < at) {
            return;
        }
        self.not_before = None;
        let (_, waiting) = self.pending.standing();
        let crowded = waiting.rows >= self.config.commit_rows || waiting.bytes >= self.config.waiting_bytes_max / 2;
        tracing::debug!(waiting.rows, waiting.bytes, crowded, "committing");
        if let Err(error) = self.commit_all().await {
            tracing::warn!(%error, "spans cannot be committed; they stay in the log");
            self.not_before = Some(tokio::time::Instant::now() + RETRY_AFTER);
        }
    }

    async fn commit_and_compact(&mut self) -> Result<(), Error> {
        self.commit_all().await?;
        let writer = Arc::clone(&self.writer);
        let files_max = self.config.files_per_day_max;
        beside(async move {
            writer.compact(&SPANS, files_max, &["trace_id", "span_id"]).await?;
            writer.compact(&INTAKE, INTAKE_FILES_MAX, &[]).await
        })
        .await?;
        Ok(())
    }

    /// Commits what waits now, in portions.
    async fn commit_all(&mut self) -> Result<(), Error> {
        loop {
            let records = self.pending.oldest(self.config.commit_rows);
            let Some(last) = records.last().map(|record| record.sequence) else { break };
            let (writer, now) = (Arc::clone(&self.writer), (self.config.clock)());
            let committed = beside(async move { commit(&writer, &records, last, now).await }).await;
            if self.writer.store().is_doubtful() {
                self.pending.fail();
                tracing::error!("a table could not be written to the end; nothing more is taken until a restart");
                return Err(committed.err().unwrap_or_else(in_doubt));
            }
            committed?;
            self.pending.forget(last);
        }
        let (committed, _) = self.pending.standing();
        let segments = self.segments.clone();
        tokio::task::spawn_blocking(move || segments.remove_up_to(committed))
            .await
            .map_err(|error| Error::new(ErrorKind::Internal, "the log could not be tidied").caused_by(error))?
            .map_err(|error| {
                Error::new(ErrorKind::Unavailable, format!("a segment of the log cannot be removed: {error}"))
                    .caused_by(error)
            })
    }
}

/// Commits records to both tables. Either may have been committed already by a run that ended in between.
#[tracing::instrument(name = "commit", skip_all, fields(records = records.len(), last))]
async fn commit(writer: &Writer, records: &[Record], last: u64, now_us: i64) -> Result<(), Error> {
    let rows = |committed: u64| {
        records
            .iter()
            .filter(|record| record.sequence > committed && record.rows.num_rows() > 0)
            .map(|record| record.rows.clone())
            .collect()
    };
    writer.append(&SPANS, last, rows).await?;
    let counts = |committed: u64| {
        let mut sum = IntakeCounts::default();
        for record in records.iter().filter(|record| record.sequence > committed) {
            sum += record.counts;
        }
        intake_row(&sum, now_us).into_iter().collect()
    };
    writer.append(&INTAKE, last, counts).await
}

/// One row of [`INTAKE`]; its schema is fixed, so that there always is one.
fn intake_row(counts: &IntakeCounts, now_us: i64) -> Option<RecordBatch> {
    let IntakeCounts { received, refused, duplicated, late, attributes_dropped, names_masked } = *counts;
    let mut columns: Vec<ArrayRef> = vec![Arc::new(TimestampMicrosecondArray::from(vec![now_us]).with_timezone("UTC"))];
    for count in [received, refused, duplicated, late, attributes_dropped, names_masked] {
        columns.push(Arc::new(Int64Array::from(vec![i64::try_from(count).unwrap_or(i64::MAX)])));
    }
    RecordBatch::try_new(INTAKE.arrow_schema(), columns).ok()
}

/// Runs work that computes for long away from the threads that answer requests.
async fn beside<T: Send + 'static>(work: impl Future<Output = Result<T, Error>> + Send + 'static) -> Result<T, Error> {
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || runtime.block_on(work))
        .await
        .map_err(|error| Error::new(ErrorKind::Internal, "a commit broke off").caused_by(error))?
}

fn in_doubt() -> Error {
    Error::new(ErrorKind::Unavailable, "a table could not be written to the end")
}
