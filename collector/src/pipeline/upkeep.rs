//! Background work on the store of a running service: merges, checkpoints, retention, vacuum.
//!
//! All of it goes through the one writer, one piece at a time; commits of spans go between, since a piece holds a table's
//! lock for its own commit alone. Each piece runs on a thread of its own, and ends with the future that asked for it:
//! what it had written by then is in no table, and goes with a later vacuum.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use arrow::array::RecordBatch;
use tokio::sync::oneshot;

use super::{Pipeline, beside, closed};
use crate::{
    Error, ErrorKind,
    config::Retention,
    gate::IntakeCounts,
    log::{DAMAGED, Submission, unavailable},
    schema::{INTAKE, SPANS, SPANS_SCHEMA, Table},
    share::Sender,
    store::{Compacted, Expiry, Keep, Vacuumed, Writer},
};

/// What tells a span from others.
pub(crate) const IDENTITY: [&str; 2] = ["trace_id", "span_id"];
/// A log of no more than this holds no rows.
const EMPTY_LOG_BYTES: u64 = 4 << 10;

/// Merges small files as they are due, and makes checkpoints of these tables where there were many commits.
///
/// # Errors
/// What the store says; what was merged until then is.
pub async fn merge(writer: &Arc<Writer>, tables: &[&'static Table], now_us: i64) -> Result<Compacted, Error> {
    let (writer, tables) = (Arc::clone(writer), tables.to_vec());
    beside(async move {
        let merged = writer.compact_due(&SPANS, &IDENTITY, now_us).await?;
        writer.compact_due(&INTAKE, &[], now_us).await?;
        for table in tables {
            writer.checkpoint(table).await?;
        }
        Ok(merged)
    })
    .await
}

/// Removes expired rows from the tables, and spans from the disk; gives what there was of spans. Facts that were made from
/// them go with the next refresh, everything else with the vacuum after it.
///
/// # Errors
/// What the store says.
pub async fn expire(writer: &Arc<Writer>, retention: &Retention, now_us: i64) -> Result<Expiry, Error> {
    let (writer, retention) = (Arc::clone(writer), retention.clone());
    beside(async move {
        if let Some(since_us) = retention.intake_since_us(now_us) {
            writer.expire_rows(&INTAKE, "at", since_us).await?;
        }
        let Some(since) = retention.spans_since(now_us) else { return Ok(Expiry::default()) };
        for path in damaged_before(&writer, since)? {
            let failed = |error| unavailable(&path, "removed", error);
            writer.store().disk().remove(&path).map_err(failed)?;
        }
        writer.expire_days(&SPANS, since).await
    })
    .await
}

/// Removes what no version needs that is kept, of these tables.
///
/// # Errors
/// What the store says; what went until then is gone.
pub async fn vacuum(
    writer: &Arc<Writer>,
    tables: &[&'static Table],
    keep: Keep,
    now_us: i64,
) -> Result<Vacuumed, Error> {
    let (writer, tables) = (Arc::clone(writer), tables.to_vec());
    beside(async move { writer.vacuum(&tables, &keep, now_us).await }).await
}

/// Looks for what should have expired, in tables, folders and logs of tables: after [`expire`], a refresh and [`vacuum`]
/// there is nothing.
///
/// # Errors
/// What the store says.
pub async fn leftovers(writer: &Writer, retention: &Retention, now_us: i64) -> Result<Vec<PathBuf>, Error> {
    let mut found = Vec::new();
    if let Some(since) = retention.spans_since(now_us) {
        found = writer.older_than(&SPANS, since).await?;
        found.extend(damaged_before(writer, since)?);
    }
    if let Some(since_us) = retention.intake_since_us(now_us) {
        let since = i32::try_from(since_us.div_euclid(86_400_000_000)).unwrap_or(i32::MIN);
        found.extend(writer.older_than(&INTAKE, since).await?);
    }
    Ok(found)
}

/// Parts of the log that were set aside, and may hold rows of days before one: they were before the part was.
fn damaged_before(writer: &Writer, since: i32) -> Result<Vec<PathBuf>, Error> {
    let folder = writer.store().root().join("log").join(DAMAGED);
    let entries = writer.store().disk().list(&folder).map_err(|error| unavailable(&folder, "listed", error))?;
    let since = UNIX_EPOCH + Duration::from_secs(u64::try_from(since).unwrap_or(0) * 86_400);
    Ok(entries.into_iter().filter(|entry| entry.modified < since).map(|entry| entry.path).collect())
}

impl Pipeline {
    /// Commits everything and begins a new segment of the log, so that the log holds no row that was received before.
    ///
    /// # Errors
    /// What the log and the store say.
    pub async fn turn_log(&self) -> Result<(), Error> {
        self.commit_now().await?;
        let Some(writer) = self.inner.writer.upgrade() else { return Err(closed()) };
        let folder = writer.store().root().join("log");
        let disk = Arc::clone(writer.store().disk());
        let failed = |error| {
            Error::new(ErrorKind::Unavailable, format!("{} cannot be tidied", folder.display())).caused_by(error)
        };
        let entries = disk.list(&folder).map_err(failed)?;
        if entries.iter().filter(|entry| !entry.is_folder).map(|entry| entry.size).sum::<u64>() <= EMPTY_LOG_BYTES {
            return Ok(());
        }
        let rows = RecordBatch::new_empty(SPANS_SCHEMA.clone());
        let hold = self.room_for(Sender::Process, &rows).await?;
        let (done, answer) = oneshot::channel();
        {
            let log = self.inner.log();
            let log = log.as_ref().ok_or_else(closed)?;
            log.turn();
            log.submit(Submission { rows, counts: IntakeCounts::default(), done, hold })?;
        }
        answer.await.map_err(|_| closed())??;
        self.commit_now().await?;
        // A segment that came back with the power would bring its rows back.
        disk.sync_folder(&folder).map_err(failed)
    }
}
