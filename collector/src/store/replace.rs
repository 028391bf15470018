//! Replacing the whole content of a table in one commit.

use datafusion::{error::DataFusionError, execution::SendableRecordBatchStream};
use deltalake::{
    DeltaTable,
    kernel::Action,
    protocol::{DeltaOperation, SaveMode},
};
use futures::TryStreamExt;
use tokio::task::JoinSet;

use super::{
    Writer,
    delta::{Commit, IfChanged, failed},
    files::Files,
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
        let mut rows = sorted(rows, &order)?;
        let mut files = Files::of(table, &before)?;
        while let Some(batch) = rows.try_next().await.map_err(|error| unworked(table, error))? {
            files.write(&batch).await?;
        }
        let mut actions = removals(table, &before, true)?;
        actions.extend(files.finish().await?.into_iter().map(Action::Add));
        self.overwrite(table, before, actions).await
    }

    /// The same with rows that come in several streams at once, for which files are written side by side. Each batch is
    /// in the order of the table's partition and sort columns; where a stream comes back to a partition, that gets one
    /// more file.
    pub async fn replace_sorted(&self, table: &Table, streams: Vec<SendableRecordBatchStream>) -> Result<u64, Error> {
        let _committing = self.committing(table).await;
        let before = self.store().ensure(table, IfChanged::Empty).await?;
        let mut writing = JoinSet::new();
        for mut rows in streams {
            let (table, mut files) = (*table, Files::of(table, &before)?);
            writing.spawn(async move {
                while let Some(batch) = rows.try_next().await.map_err(|error| unworked(&table, error))? {
                    files.write(&batch).await?;
                }
                files.finish().await
            });
        }
        let mut actions = removals(table, &before, true)?;
        while let Some(written) = writing.join_next().await {
            let written = written.map_err(|error| {
                Error::new(ErrorKind::Internal, format!("the writing of {} stopped", table.name)).caused_by(error)
            })?;
            actions.extend(written?.into_iter().map(Action::Add));
        }
        self.overwrite(table, before, actions).await
    }

    async fn overwrite(&self, table: &Table, before: DeltaTable, actions: Vec<Action>) -> Result<u64, Error> {
        let operation =
            DeltaOperation::Write { mode: SaveMode::Overwrite, partition_by: partition_by(table), predicate: None };
        let after = self.store().commit(table, before, Commit { actions, operation, sequence: None }).await?;
        version_of(table, &after)
    }
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

/// The partition columns as Delta's history names them.
pub(crate) fn partition_by(table: &Table) -> Option<Vec<String>> {
    (!table.partition.is_empty()).then(|| table.partition.iter().map(|&name| name.to_owned()).collect())
}

pub(super) fn version_of(table: &Table, at: &DeltaTable) -> Result<u64, Error> {
    at.version().ok_or_else(|| Error::new(ErrorKind::Internal, format!("the table {} was not loaded", table.name)))
}
