//! What a start must know of the runs before it.

use std::time::Duration;

use deltalake::DeltaTable;
use futures::TryStreamExt;

use super::{Config, seen::Seen};
use crate::{
    Error, ErrorKind,
    log::Record,
    schema::{INTAKE, SPANS},
    store::Writer,
};

/// Log sequences up to which each table has been committed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Committed {
    pub(super) spans: u64,
    pub(super) intake: u64,
}

impl Committed {
    /// Above this something is missing from one of them.
    pub(super) fn least(self) -> u64 {
        self.spans.min(self.intake)
    }

    /// No record above this was ever committed.
    pub(super) fn most(self) -> u64 {
        self.spans.max(self.intake)
    }
}

/// What the tables say.
pub(super) async fn committed(writer: &Writer) -> Result<Committed, Error> {
    let store = writer.store();
    Ok(Committed { spans: store.committed_sequence(&SPANS).await?, intake: store.committed_sequence(&INTAKE).await? })
}

/// What was seen: the rows of the log, and those of the files of `spans` written within the time that is remembered,
/// the newest first. A file's time of writing is no earlier than the receipt of its rows, so nothing is left out.
pub(super) async fn seen(writer: &Writer, config: &Config, log: &[Record]) -> Result<Seen, Error> {
    let now = (config.clock)();
    let mut seen = Seen::new(config.seen_max, config.seen_for, now);
    for record in log {
        seen.remember(&record.rows, now)?;
    }
    let Some(spans) = writer.store().newest(&SPANS).await? else { return Ok(seen) };
    for file in recent_files(&spans, now, config.seen_for)? {
        if seen.is_full() {
            seen.leave_out(file.rows);
            continue;
        }
        let mut rows = writer.read_files(&SPANS, &spans, vec![file.path], &["trace_id", "span_id"]).await?;
        while let Some(batch) = rows.try_next().await.map_err(|error| {
            Error::new(ErrorKind::Unavailable, "the spans received last cannot be read").caused_by(error)
        })? {
            seen.remember(&batch, file.written_us)?;
        }
    }
    if seen.forgotten() > 0 {
        tracing::warn!(
            forgotten = seen.forgotten(),
            seen_max = config.seen_max,
            "more recent spans than are remembered: repeats of the older go unseen"
        );
    }
    Ok(seen)
}

struct File {
    path: String,
    rows: u64,
    written_us: i64,
}

fn recent_files(spans: &DeltaTable, now_us: i64, within: Duration) -> Result<Vec<File>, Error> {
    let state = spans
        .snapshot()
        .map_err(|error| Error::new(ErrorKind::Internal, "the table spans was not loaded").caused_by(error))?;
    let oldest = now_us.saturating_sub(i64::try_from(within.as_micros()).unwrap_or(i64::MAX));
    let mut files: Vec<File> = state
        .log_data()
        .iter()
        .map(|file| File {
            path: file.path().into_owned(),
            rows: file.num_records().unwrap_or(0) as u64,
            written_us: file.modification_time().saturating_mul(1000),
        })
        .filter(|file| file.written_us >= oldest)
        .collect();
    files.sort_by_key(|file| std::cmp::Reverse(file.written_us));
    Ok(files)
}
