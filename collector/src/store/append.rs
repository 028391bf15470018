//! Appending what the log holds, exactly once.

use arrow::array::RecordBatch;
use deltalake::{
    kernel::Action,
    protocol::{DeltaOperation, SaveMode},
};
use futures::stream;

use super::{
    Writer,
    delta::{Commit, IfChanged},
    files::Files,
    order::Ordered,
    replace::partition_by,
};
use crate::{Error, schema::Table};

/// Rows handed to the encoder at a time.
const SLICE_ROWS: usize = 16 << 10;

impl Writer {
    /// Appends rows in one commit that carries the log sequence of the last of them. What is committed already, as the
    /// table itself says, is left out: `rows` gets the sequence up to which it is, and gives the rows above it.
    pub(crate) async fn append(
        &self,
        table: &Table,
        sequence: u64,
        rows: impl FnOnce(u64) -> Vec<RecordBatch> + Send,
    ) -> Result<(), Error> {
        let _committing = self.committing(table).await;
        let before = self.store().ensure(table, IfChanged::Refuse).await?;
        let committed = self.store().sequence_in(table, &before).await?;
        if committed >= sequence {
            return Ok(());
        }
        let rows = rows(committed);
        let ordered = Ordered::by(table, &rows)?;
        let written = Files::of(table, &before)?.write_all(stream::iter(ordered.slices(SLICE_ROWS))).await;
        let written = self.store().keep_or_discard(table, written).await?;
        let actions = written.into_iter().map(Action::Add).collect();
        let operation =
            DeltaOperation::Write { mode: SaveMode::Append, partition_by: partition_by(table), predicate: None };
        self.store().commit(table, before, Commit { actions, operation, sequence: Some(sequence) }).await?;
        Ok(())
    }
}
