//! From admitted rows to rows in `spans`, each exactly once.
//!
//! ```text
//! submit ─▶ seen? ─▶ log ─▶ (fdatasync) ─▶ acknowledged
//!                      └──▶ pending ─▶ committer ─▶ `spans`, `intake` ─▶ segment removed
//! ```
//!
//! Invariants:
//! - Nothing is acknowledged before it, and what it repeats, is on the disk. The check against what was seen and the
//!   place in the log's queue are taken together, so a repeat stands behind its original.
//! - A row is in `spans` once: each commit carries the log sequence up to which it goes, and asks the table first.
//! - A segment of the log goes only after its rows are committed to both tables.
//! - What the disk refused was not seen: it is refused with everything that stood behind it in the log's queue, forgotten
//!   before the log takes more, and new when it comes again. Nobody has to restart anything.
//! - What waits is bounded: by bytes, from the door until the commit. No sender can take all of that room. Whoever finds
//!   none waits a little and is then told to come again; while many of a sender wait, nothing more is taken from it.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, Weak},
    time::Duration,
};

use arrow::array::RecordBatch;
use tokio::{
    sync::{Notify, mpsc, oneshot},
    task::JoinHandle,
};

use crate::{
    Error, ErrorKind,
    disk::Disk,
    gate::{Admitted, IntakeCounts},
    log::{Log, Options, Record, Replayed, Sink, Submission, replay},
    share::{Asked, Held, Rule, Sender, Stock},
    store::Writer,
    telemetry::Telemetry,
};

mod committer;
mod pending;
mod recover;
mod seen;
#[cfg(test)]
mod tests;
pub mod upkeep;

use committer::{Command, Committer};
use pending::{Pending, Waiting};
use seen::Seen;

/// So many submissions of a sender may wait for room; more are not even read.
const WAITING_MAX: usize = 16;
/// Room is given out in units of so many bytes.
const ROOM_UNIT: usize = 1 << 10;

/// How the pipeline is sized. The defaults suit a machine with a few gigabytes.
#[derive(Debug, Clone)]
pub struct Config {
    /// Rows are committed when so many wait …
    pub commit_rows: usize,
    /// … or after so long, whichever comes first.
    pub commit_after: Duration,
    /// Bytes of rows that may wait for their commit, log queue included. A sender may take as much as it leaves for the
    /// others, so alone at most half; at a fourth, and whenever somebody waits for room, a commit starts.
    pub waiting_bytes_max: usize,
    /// How long a submission waits for room before it is told that there is none.
    pub patience: Duration,
    /// A segment of the log is closed at this size.
    pub segment_bytes_max: u64,
    /// How long after a failed write, of the log or of a table, the disk is tried again; commits that fail again and again
    /// wait up to sixteen times as long.
    pub retry_after: Duration,
    /// How many spans are remembered so that repeats of them are dropped; each takes 16 bytes.
    pub seen_max: usize,
    /// For how long they are remembered, unless there are more than `seen_max`; five days at most.
    pub seen_for: Duration,
    /// A day with more files than this is merged by [`Pipeline::compact`].
    pub files_per_day_max: usize,
    /// The clock, in Unix microseconds.
    pub clock: fn() -> i64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            commit_rows: 400_000,
            commit_after: Duration::from_secs(10),
            waiting_bytes_max: 768 << 20,
            patience: Duration::from_secs(5),
            segment_bytes_max: 64 << 20,
            retry_after: Duration::from_secs(1),
            seen_max: 8_000_000,
            seen_for: Duration::from_hours(25),
            files_per_day_max: 1,
            clock: || chrono::Utc::now().timestamp_micros(),
        }
    }
}

impl Config {
    /// Whether so much waits that a commit is due before its time.
    fn is_crowded(&self, waiting: Waiting) -> bool {
        waiting.rows >= self.commit_rows || waiting.bytes >= self.waiting_bytes_max / 4
    }
}

/// The running pipeline. Clones are handles of the same one.
#[derive(Debug, Clone)]
pub struct Pipeline {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: Config,
    /// What was seen. Held from there until the place in the log's queue is taken, so by one submission at a time.
    seen: Arc<Mutex<Seen>>,
    /// None once the pipeline stops.
    log: RwLock<Option<Log<Held>>>,
    /// One unit for each [`ROOM_UNIT`] that may wait.
    room: Arc<Stock>,
    pending: Arc<Pending>,
    telemetry: Arc<Telemetry>,
    commands: mpsc::UnboundedSender<Command>,
    /// Tells the committer that much waits.
    crowded: Arc<Notify>,
    committer: tokio::sync::Mutex<Option<JoinHandle<()>>>,
    /// Not held, so that the lock is free once the committer has ended.
    writer: Weak<Writer>,
}

/// Where the log's records go.
struct Stored {
    seen: Arc<Mutex<Seen>>,
    pending: Arc<Pending>,
    room: Arc<Stock>,
    crowded: Arc<Notify>,
    config: Config,
}

impl Sink<Held> for Stored {
    fn stored(&mut self, record: Record, hold: Held) {
        let bytes = hold.units() * ROOM_UNIT;
        if self.config.is_crowded(self.pending.push(record, bytes, hold)) || self.room.is_wanted() {
            self.crowded.notify_one();
        }
    }

    fn refused(&mut self, rows: &RecordBatch) {
        if let Err(error) = lock(&self.seen).unsee(rows) {
            tracing::error!(%error, "rows that were refused are taken for seen");
        }
    }
}

/// Figures about a running pipeline.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// Rows on the disk that are not in `spans` yet.
    pub pending_rows: usize,
    /// Memory that they take, with what was given room for them.
    pub pending_bytes: usize,
    /// Memory that they may take.
    pub waiting_bytes_max: usize,
    /// Age of the oldest of them; zero if there is none.
    pub lag: Duration,
    /// Log sequence up to which rows are in `spans`.
    pub committed: u64,
    /// Duplicates dropped since the start.
    pub duplicated: u64,
    /// Spans forgotten before their time, because more came than are remembered: repeats of them are not told.
    pub forgotten: u64,
}

impl Pipeline {
    /// Replays the log of the writer's store and begins to take work.
    ///
    /// # Errors
    /// `Corrupt` if the log or a table contradicts itself; `Unavailable` if the disk refuses.
    pub async fn start(writer: Arc<Writer>, config: Config) -> Result<Self, Error> {
        let folder: PathBuf = writer.store().root().join("log");
        let committed = recover::committed(&writer).await?;
        let disk = Arc::clone(writer.store().disk());
        let replayed = replay_beside(Arc::clone(&disk), folder.clone(), committed.least()).await?;
        let next = replayed.last.max(committed.most()) + 1;
        let telemetry = Arc::new(Telemetry::default());
        telemetry.log_replayed(&replayed);
        let seen = recover::seen(&writer, &config, &replayed.records).await?;
        let room = Stock::new(units(config.waiting_bytes_max), Rule::LeaveAsMuch);
        let pending = Arc::new(Pending::new(committed.spans, replayed.records, &room));
        let (commands, received) = mpsc::unbounded_channel();
        let crowded = Arc::new(Notify::new());
        let segments: Vec<_> = replayed.segments.iter().map(|segment| segment.path(&folder)).collect();
        let disk = telemetry.timed(disk, &segments);
        let seen = Arc::new(Mutex::new(seen));
        let sink = Stored {
            seen: Arc::clone(&seen),
            pending: Arc::clone(&pending),
            room: Arc::clone(&room),
            crowded: Arc::clone(&crowded),
            config: config.clone(),
        };
        let options = Options { segment_bytes_max: config.segment_bytes_max, retry_after: config.retry_after };
        let log = Log::start(disk, &folder, replayed.segments, next, options, sink)?;
        let weak = Arc::downgrade(&writer);
        let (reporting, clearing) = (Arc::clone(&telemetry), log.remover());
        let committer =
            Committer::new(writer, Arc::clone(&pending), Arc::clone(&room), clearing, reporting, config.clone());
        let committer = tokio::spawn(committer.run(received, Arc::clone(&crowded)));
        let log = RwLock::new(Some(log));
        let committer = tokio::sync::Mutex::new(Some(committer));
        let inner = Inner { config, seen, log, room, pending, telemetry, commands, crowded, committer, writer: weak };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Takes rows; returns when they are on the disk, and so is every earlier row that they repeat. Rows seen before
    /// are dropped and counted.
    ///
    /// If the caller goes away before the answer, the rows may or may not have been kept: sending them again is safe.
    ///
    /// # Errors
    /// `Overloaded` if there was no room for a while; `Unavailable` once the log cannot be written, or when stopping.
    pub async fn submit(&self, sender: Sender, admitted: Admitted, counts: IntakeCounts) -> Result<(), Error> {
        self.take(sender, admitted.rows(), counts).await
    }

    /// Whether something that this sender begins to send now could be stored, as far as is known: so that it is refused
    /// before it is read.
    ///
    /// # Errors
    /// `Unavailable` while the log cannot be written, `Overloaded` while much of this sender waits for room already.
    pub fn takes(&self, sender: Sender) -> Result<(), Error> {
        match self.inner.log().as_ref() {
            None => return Err(closed()),
            Some(log) if !log.is_open() => return Err(refused()),
            Some(_) => {}
        }
        if self.inner.room.wanted_by(sender) >= WAITING_MAX { Err(overloaded()) } else { Ok(()) }
    }

    async fn take(&self, sender: Sender, rows: &RecordBatch, counts: IntakeCounts) -> Result<(), Error> {
        let hold = self.room_for(sender, rows).await?;
        let (done, answer) = oneshot::channel();
        {
            let mut seen = lock(&self.inner.seen);
            let log = self.inner.log();
            let log = log.as_ref().ok_or_else(closed)?;
            if !log.is_open() {
                return Err(refused());
            }
            let (rows, duplicated) = seen.only_new(rows, (self.inner.config.clock)())?;
            let counts = IntakeCounts { duplicated: counts.duplicated + duplicated, ..counts };
            if let Err(error) = log.submit(Submission { rows: rows.clone(), counts, done, hold }) {
                seen.unsee(&rows)?;
                return Err(error);
            }
        }
        answer.await.map_err(|_| closed())?
    }

    /// Waits for room, for a while. Whoever waits is seen by the committer, and a commit makes room.
    async fn room_for(&self, sender: Sender, rows: &RecordBatch) -> Result<Held, Error> {
        let wanted = units(rows.get_array_memory_size().min(self.inner.config.waiting_bytes_max / 2));
        let asked = self.inner.room.ask(sender, wanted);
        if matches!(asked, Asked::Waits(_)) {
            self.inner.crowded.notify_one();
        }
        asked.within(self.inner.config.patience).await.ok_or_else(overloaded)
    }

    /// Commits everything that is in the log now to `spans`; returns when that is done, whatever comes meanwhile.
    ///
    /// # Errors
    /// What the store says; the rows stay in the log.
    pub async fn commit_now(&self) -> Result<(), Error> {
        self.ask(Command::Commit).await
    }

    /// Commits everything, then merges the small files of each day.
    ///
    /// # Errors
    /// What the store says.
    pub async fn compact(&self) -> Result<(), Error> {
        self.ask(Command::Compact).await
    }

    /// Takes no more work, commits everything, removes the log, and lets go of the writer. Calling it again does nothing.
    ///
    /// # Errors
    /// What the store says; the rows stay in the log, for the next start.
    pub async fn shutdown(&self) -> Result<(), Error> {
        let mut committer = self.inner.committer.lock().await;
        let Some(task) = committer.take() else { return Ok(()) };
        let log = self.inner.log.write().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut log) = log {
            let closing = tokio::task::spawn_blocking(move || log.close());
            closing
                .await
                .map_err(|error| Error::new(ErrorKind::Internal, "the log could not be closed").caused_by(error))?;
        }
        let finished = self.ask(Command::Stop).await;
        let ended = task.await;
        finished?;
        ended.map_err(|error| Error::new(ErrorKind::Internal, "the committer broke").caused_by(error))
    }

    /// The rows that are on the disk and not yet in `spans`, and the log sequence above which they are: together with
    /// the snapshot of `spans` that has exactly that watermark they are everything.
    #[must_use]
    pub fn pending(&self) -> (u64, Vec<RecordBatch>) {
        self.inner.pending.rows()
    }

    /// Whether it can take work.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.why_not_ready().is_none()
    }

    /// Why it cannot take work, in words; `None` if it can.
    #[must_use]
    pub fn why_not_ready(&self) -> Option<&'static str> {
        let log_is_open = self.inner.log().as_ref().map(Log::is_open);
        match log_is_open {
            None => Some("the collector is stopping"),
            Some(false) => {
                Some("the log cannot be written: the disk is full, or it fails; it is tried again by itself")
            }
            Some(true) if self.inner.commands.is_closed() => Some("rows are no longer committed: restart"),
            Some(true) if self.inner.telemetry.is_failing() && self.inner.is_crowded() => {
                Some("many rows wait and cannot be committed: see to the disk")
            }
            Some(true) => None,
        }
    }

    /// What it measures of itself.
    #[must_use]
    pub fn telemetry(&self) -> &Arc<Telemetry> {
        &self.inner.telemetry
    }

    /// How it stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let (committed, waiting) = self.inner.pending.standing();
        let seen = lock(&self.inner.seen);
        Standing {
            pending_rows: waiting.rows,
            pending_bytes: waiting.bytes,
            waiting_bytes_max: self.inner.config.waiting_bytes_max,
            lag: self.inner.pending.oldest_age(),
            committed,
            duplicated: seen.duplicated(),
            forgotten: seen.forgotten(),
        }
    }

    async fn ask(&self, command: impl FnOnce(oneshot::Sender<Result<(), Error>>) -> Command) -> Result<(), Error> {
        let (reply, answer) = oneshot::channel();
        self.inner.commands.send(command(reply)).map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }
}

impl Inner {
    fn log(&self) -> RwLockReadGuard<'_, Option<Log<Held>>> {
        self.log.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_crowded(&self) -> bool {
        self.room.is_wanted() || self.config.is_crowded(self.pending.standing().1)
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

fn units(bytes: usize) -> usize {
    bytes.div_ceil(ROOM_UNIT).max(1)
}

/// Reads the log away from the threads that answer requests.
async fn replay_beside(disk: Arc<dyn Disk>, folder: PathBuf, after: u64) -> Result<Replayed, Error> {
    tokio::task::spawn_blocking(move || replay(disk.as_ref(), &folder, after))
        .await
        .map_err(|error| Error::new(ErrorKind::Internal, "the log's reading broke off").caused_by(error))?
}

/// Runs work that computes for long away from the threads that answer requests, until nobody waits for it any more.
async fn beside<T: Send + 'static>(work: impl Future<Output = Result<T, Error>> + Send + 'static) -> Result<T, Error> {
    let runtime = tokio::runtime::Handle::current();
    let (_waiting, gone) = oneshot::channel::<()>();
    let stopped = || Error::new(ErrorKind::Unavailable, "the work was given up");
    tokio::task::spawn_blocking(move || {
        runtime.block_on(async move {
            tokio::select! {
                done = work => done,
                _ = gone => Err(stopped()),
            }
        })
    })
    .await
    .map_err(|error| Error::new(ErrorKind::Internal, "work on the store broke off").caused_by(error))?
}

fn overloaded() -> Error {
    Error::new(ErrorKind::Overloaded, "too many rows wait to be stored: send again later")
}

fn closed() -> Error {
    Error::new(ErrorKind::Unavailable, "the collector takes no work: it is stopping")
}

fn refused() -> Error {
    Error::new(ErrorKind::Unavailable, "the disk takes nothing now: send again later")
}
