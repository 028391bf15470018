//! Replacing the content of a table, or of some days of it, in one commit.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use arrow::datatypes::Date32Type;
use datafusion::{error::DataFusionError, execution::SendableRecordBatchStream};
use deltalake::{
    DeltaTable,
    kernel::Action,
    protocol::{DeltaOperation, SaveMode},
};
use futures::{StreamExt as _, TryStreamExt as _};
use tokio::task::JoinSet;

use super::{
    Writer,
    delta::{Commit, IfChanged, day_column, day_of, failed},
    files::{Files, Written},
    sort::sorted,
};
use crate::{Error, ErrorKind, schema::Table};

impl Writer {
    /// Replaces the whole content of a table in one commit (and makes the table if it is not there). Rows need not be
    /// sorted or grouped by partition: that is done here, in bounded memory. Columns are found by name and cast to the
    /// table's types. Returns the Delta version.
    ///
    /// Dropping the future, or an error of the stream, leaves the table as it was.
    pub async fn replace(&self, table: &Table, rows: SendableRecordBatchStream) -> Result<u64, Error> {
        let _committing = self.committing(table).await;
        let before = self.store().ensure(table, IfChanged::Empty).await?;
        let order: Vec<&str> = table.partition.iter().chain(table.sort).copied().collect();
        let rows = sorted(rows, &order)?.map_err(|error| unworked(table, error));
        let mut actions = removals(table, &before, true)?;
        let written = Files::of(table, &before)?.write_all(rows).await;
        let written = self.store().keep_or_discard(table, written).await?;
        actions.extend(written.into_iter().map(Action::Add));
        self.commit_write(table, before, actions, SaveMode::Overwrite, None).await
    }

    /// The same with rows that come in several streams at once, for which files are written side by side. Each batch is
    /// in the order of the table's partition and sort columns; where a stream comes back to a partition, that gets one
    /// more file.
    pub async fn replace_sorted(&self, table: &Table, streams: Vec<SendableRecordBatchStream>) -> Result<u64, Error> {
        let _committing = self.committing(table).await;
        let before = self.store().ensure(table, IfChanged::Empty).await?;
        let mut actions = removals(table, &before, true)?;
        let written = write_streams(table, &before, streams, None).await?;
        let written = self.store().keep_or_discard(table, written).await?;
        actions.extend(written.into_iter().map(Action::Add));
        self.commit_write(table, before, actions, SaveMode::Overwrite, None).await
    }

    /// Replaces the content of some days of a table that is partitioned by one date column, in one commit: the files of
    /// `days` (days since 1970-01-01, of whatever that column says) are removed and the rows of `streams` are written,
    /// in order as for [`Writer::replace_sorted`] and all of them of these days. The files of other days stay as they
    /// are. For a table without partitions `days` is not asked: the rows are added to what is there. Returns the Delta
    /// version: of the new commit, or the present one if there was nothing to remove and nothing to add.
    ///
    /// A table that was never made, or whose columns or partitions are defined otherwise by now, is made empty first:
    /// its days outside `days` are then without rows, and stay so if the rest fails.
    ///
    /// A row of a day not among `days` is an error ([`ErrorKind::Internal`]). That, an error of a stream, or dropping
    /// the future leaves the table as it was.
    pub async fn replace_days(
        &self,
        table: &Table,
        days: &BTreeSet<i32>,
        streams: Vec<SendableRecordBatchStream>,
    ) -> Result<u64, Error> {
        let column = day_column(table)?;
        let _committing = self.committing(table).await;
        let before = self.store().ensure(table, IfChanged::Empty).await?;
        let only = column.map(|_| Arc::new(days.clone()));
        let mut actions = column.map_or_else(|| Ok(Vec::new()), |column| removals_of(table, &before, column, days))?;
        let written = write_streams(table, &before, streams, only).await?;
        let written = self.store().keep_or_discard(table, written).await?;
        actions.extend(written.into_iter().map(Action::Add));
        if actions.is_empty() {
            return version_of(table, &before);
        }
        let (mode, predicate) = match column {
            Some(column) => (SaveMode::Overwrite, Some(predicate(column, days))),
            None => (SaveMode::Append, None),
        };
        self.commit_write(table, before, actions, mode, predicate).await
    }

    async fn commit_write(
        &self,
        table: &Table,
        before: DeltaTable,
        actions: Vec<Action>,
        mode: SaveMode,
        predicate: Option<String>,
    ) -> Result<u64, Error> {
        let operation = DeltaOperation::Write { mode, partition_by: partition_by(table), predicate };
        let after = self.store().commit(table, before, Commit { actions, operation, sequence: None }).await?;
        version_of(table, &after)
    }
}

/// Writes the files of several streams side by side; says what was written, and whether that is all. With `days`, rows of
/// other days are refused. The first error ends the other streams, too.
async fn write_streams(
    table: &Table,
    before: &DeltaTable,
    streams: Vec<SendableRecordBatchStream>,
    days: Option<Arc<BTreeSet<i32>>>,
) -> Result<Written, Error> {
    let mut writing = JoinSet::new();
    // Streams are not cut off: whoever knows what it has written must live to say it.
    let failed = Arc::new(AtomicBool::new(false));
    for rows in streams {
        let (table, mut files) = (*table, Files::of(table, before)?);
        if let Some(days) = &days {
            files = files.within(Arc::clone(days));
        }
        let others = Arc::clone(&failed);
        let rows = rows.map(move |rows| match rows {
            Ok(_) if others.load(Ordering::Relaxed) => Err(stopped(&table)),
            rows => rows.map_err(|error| unworked(&table, error)),
        });
        writing.spawn(files.write_all(rows));
    }
    let mut all = Written { adds: Vec::new(), ended: Ok(()) };
    while let Some(written) = writing.join_next().await {
        let one =
            written.unwrap_or_else(|error| Written { adds: Vec::new(), ended: Err(stopped(table).caused_by(error)) });
        all.adds.extend(one.adds);
        // The first error stands: those that come after it were made to end.
        if all.ended.is_ok() && one.ended.is_err() {
            failed.store(true, Ordering::Relaxed);
            all.ended = one.ended;
        }
    }
    Ok(all)
}

fn stopped(table: &Table) -> Error {
    Error::new(ErrorKind::Internal, format!("the writing of {} stopped", table.name))
}

/// The rows themselves could not be had.
fn unworked(table: &Table, error: DataFusionError) -> Error {
    Error::new(ErrorKind::Internal, format!("the rows of {} cannot be computed", table.name)).caused_by(error)
}

/// The removal of every file of the table at hand.
pub(super) fn removals(table: &Table, at: &DeltaTable, data_change: bool) -> Result<Vec<Action>, Error> {
    let state = at.snapshot().map_err(|error| failed(table, "be read", error))?;
    Ok(state.log_data().iter().map(|file| Action::Remove(file.remove_action(data_change))).collect())
}

/// The removal of the files of some days of the table at hand.
fn removals_of(table: &Table, at: &DeltaTable, column: &str, days: &BTreeSet<i32>) -> Result<Vec<Action>, Error> {
    let state = at.snapshot().map_err(|error| failed(table, "be read", error))?;
    let mut removed = Vec::new();
    for file in state.log_data().iter() {
        if days.contains(&day_of(table, column, &file)?) {
            removed.push(Action::Remove(file.remove_action(true)));
        }
    }
    Ok(removed)
}

/// What a commit replaces, as SQL: for the table's history, and for Delta Lake to see which rows the commit counted on,
/// had a rival committed meanwhile.
fn predicate(column: &str, days: &BTreeSet<i32>) -> String {
    let dates: Vec<String> = days
        .iter()
        .filter_map(|&day| Date32Type::to_naive_date_opt(day))
        .map(|date| format!("date '{date}'"))
        .collect();
    format!("{column} in ({})", dates.join(", "))
}

/// The partition columns as Delta's history names them.
pub(crate) fn partition_by(table: &Table) -> Option<Vec<String>> {
    (!table.partition.is_empty()).then(|| table.partition.iter().map(|&name| name.to_owned()).collect())
}

pub(super) fn version_of(table: &Table, at: &DeltaTable) -> Result<u64, Error> {
    at.version().ok_or_else(|| Error::new(ErrorKind::Internal, format!("the table {} was not loaded", table.name)))
}
