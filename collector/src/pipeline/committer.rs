//! The one task that writes `spans` and `intake` while the collector runs.

use std::{sync::Arc, time::Instant};

use arrow::array::{ArrayRef, Int64Array, RecordBatch, TimestampMicrosecondArray};
use tokio::sync::{Notify, mpsc, oneshot};
use tracing::Instrument as _;

use super::{Config, beside, pending::Pending, upkeep::IDENTITY};
use crate::{
    Error, ErrorKind,
    gate::IntakeCounts,
    log::{Record, Remover},
    schema::{INTAKE, SPANS},
    share::Stock,
    store::Writer,
    telemetry::{Telemetry, untraced},
};

/// Files of `intake` are merged above this many: each commit adds one of a single row.
const INTAKE_FILES_MAX: usize = 64;

/// The pause after a commit that failed is doubled so often at most.
const RETRIES_DOUBLED: u32 = 4;

/// What is asked of the committer.
#[derive(Debug)]
pub(super) enum Command {
    /// Commit everything that waits when the command is taken up.
    Commit(oneshot::Sender<Result<(), Error>>),
    /// The same, and merge small files.
    Compact(oneshot::Sender<Result<(), Error>>),
    /// Commit everything, remove the log and end. The log is closed already.
    Stop(oneshot::Sender<Result<(), Error>>),
}

/// The task's own.
pub(super) struct Committer {
    writer: Arc<Writer>,
    pending: Arc<Pending>,
    room: Arc<Stock>,
    segments: Remover,
    telemetry: Arc<Telemetry>,
    config: Config,
    /// How often in a row a commit failed.
    failures: u32,
    not_before: Option<tokio::time::Instant>,
}

impl Committer {
    pub(super) const fn new(
        writer: Arc<Writer>,
        pending: Arc<Pending>,
        room: Arc<Stock>,
        segments: Remover,
        telemetry: Arc<Telemetry>,
        config: Config,
    ) -> Self {
        Self { writer, pending, room, segments, telemetry, config, failures: 0, not_before: None }
    }

    /// Runs until it is told to stop, or until nobody can tell it any more. `crowded` is told whenever much waits: once
    /// or often is the same.
    pub(super) async fn run(mut self, mut commands: mpsc::UnboundedReceiver<Command>, crowded: Arc<Notify>) {
        // The first turn comes after one, too: an interval's own would be at once, with whatever little is there.
        let first = tokio::time::Instant::now() + self.config.commit_after;
        let mut time = tokio::time::interval_at(first, self.config.commit_after);
        time.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let command = tokio::select! {
                // Whoever asks is served before what comes by itself, which under load never ends.
                biased;
                command = commands.recv() => command,
                () = crowded.notified() => {
                    if self.commit_crowd().await {
                        crowded.notify_one();
                    }
                    continue;
                }
                _ = time.tick() => {
                    self.commit_in_time().await;
                    continue;
                }
                () = until(self.not_before) => {
                    self.commit_in_time().await;
                    continue;
                }
            };
            match command {
                Some(Command::Commit(reply)) => {
                    let committed = self.commit_all().await;
                    self.note(&committed);
                    let _ = reply.send(committed);
                }
                Some(Command::Compact(reply)) => {
                    let _ = reply.send(self.commit_and_compact().await);
                }
                Some(Command::Stop(reply)) => {
                    let finished = self.commit_all().await;
                    // Whoever is told that it is over may take the lock.
                    drop(self);
                    let _ = reply.send(finished);
                    return;
                }
                None => return,
            }
        }
    }

    /// Commits one portion if still so much waits; says whether there is another.
    async fn commit_crowd(&mut self) -> bool {
        if !self.is_crowded() || self.is_too_soon() {
            return false;
        }
        let up_to = self.pending.newest().unwrap_or(0);
        let committed = self.commit_portion(up_to).await;
        self.note(&committed);
        committed.is_ok() && self.is_crowded()
    }

    /// Whether a commit is due before its time; there must be something to commit.
    fn is_crowded(&self) -> bool {
        let (_, waiting) = self.pending.standing();
        self.config.is_crowded(waiting) || (waiting.bytes > 0 && self.room.is_wanted())
    }

    /// It is time: what waits now is committed, however little it is.
    async fn commit_in_time(&mut self) {
        if !self.is_too_soon() {
            let committed = self.commit_all().await;
            self.note(&committed);
        }
    }

    fn is_too_soon(&self) -> bool {
        self.not_before.is_some_and(|at| tokio::time::Instant::now() < at)
    }

    /// What failed is tried again later, and each time after twice as long: the rows are in the log, and in memory.
    fn note<T>(&mut self, committed: &Result<T, Error>) {
        let Err(error) = committed else {
            (self.failures, self.not_before) = (0, None);
            return;
        };
        tracing::warn!(%error, "spans cannot be committed; they stay in the log");
        self.telemetry.commit_failed();
        let doubled = self.failures.min(RETRIES_DOUBLED);
        self.failures = self.failures.saturating_add(1);
        self.not_before = Some(tokio::time::Instant::now() + self.config.retry_after * (1 << doubled));
    }

    async fn commit_and_compact(&mut self) -> Result<(), Error> {
        let committed = self.commit_all().await;
        self.note(&committed);
        committed?;
        let writer = Arc::clone(&self.writer);
        let files_max = self.config.files_per_day_max;
        let began = Instant::now();
        let merge = async move {
            writer.compact(&SPANS, files_max, &IDENTITY).await?;
            writer.compact(&INTAKE, INTAKE_FILES_MAX, &[]).await
        };
        if self.telemetry.others.since_compaction() {
            beside(merge.instrument(tracing::info_span!("compact"))).await?;
        } else {
            beside(merge).await?;
        }
        self.telemetry.compacted(began.elapsed());
        Ok(())
    }

    /// Commits what waits now, in portions. What comes meanwhile is left for the next time: under a steady load there
    /// would be no end.
    async fn commit_all(&mut self) -> Result<(), Error> {
        let Some(up_to) = self.pending.newest() else { return self.tidy_log().await };
        while self.commit_portion(up_to).await? {}
        Ok(())
    }

    /// Commits the oldest that wait up to a sequence, about `commit_rows` of them; says whether there are more.
    async fn commit_portion(&mut self, up_to: u64) -> Result<bool, Error> {
        let records = self.pending.oldest(up_to, self.config.commit_rows);
        let Some(last) = records.last().map(|record| record.sequence) else { return Ok(false) };
        let (writer, now) = (Arc::clone(&self.writer), (self.config.clock)());
        let (began, rows) = (Instant::now(), records.iter().map(|record| record.rows.num_rows() as u64).sum());
        let is_traced = self.telemetry.others.since_commit();
        let committed = beside(async move {
            let commit = commit(&writer, &records, last, now);
            if is_traced { commit.await } else { untraced(commit).await }
        })
        .await;
        committed?;
        // The log may forget the rows only now: what a table shows may still vanish with the power.
        self.writer.store().settle().await?;
        self.pending.forget(last);
        self.telemetry.committed(began.elapsed(), rows, now);
        self.tidy_log().await?;
        Ok(last < up_to)
    }

    /// Removes the segments of the log that hold nothing uncommitted.
    async fn tidy_log(&self) -> Result<(), Error> {
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

/// Until that time; for ever if there is none.
async fn until(time: Option<tokio::time::Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
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
        vec![intake_row(&sum, now_us)]
    };
    writer.append(&INTAKE, last, counts).await
}

/// One row of [`INTAKE`].
fn intake_row(counts: &IntakeCounts, now_us: i64) -> RecordBatch {
    let IntakeCounts { received, refused, duplicated, late, attributes_dropped, names_masked } = *counts;
    let mut columns: Vec<ArrayRef> = vec![Arc::new(TimestampMicrosecondArray::from(vec![now_us]).with_timezone("UTC"))];
    for count in [received, refused, duplicated, late, attributes_dropped, names_masked] {
        columns.push(Arc::new(Int64Array::from(vec![i64::try_from(count).unwrap_or(i64::MAX)])));
    }
    RecordBatch::try_new(INTAKE.arrow_schema(), columns).expect("its schema is fixed, and these are its columns")
}
