//! Where facts go.

use std::{collections::BTreeSet, future::Future};

use arrow::array::RecordBatch;
use datafusion::{
    error::Result, execution::SendableRecordBatchStream, physical_plan::stream::RecordBatchStreamAdapter,
};
use futures::TryStreamExt;
use gilbreth_collector::schema::Table;

use crate::operators::columns::column;

/// Takes the tables of the facts, each once: a store, or memory in tests.
pub trait Sink: Send {
    /// Replaces a table's content.
    fn write(
        &mut self,
        table: &'static Table,
        rows: SendableRecordBatchStream,
    ) -> impl Future<Output = Result<()>> + Send;

    /// Replaces a table's content by rows that come in several streams at once, each batch in the order of the table's
    /// partition and sort columns. With `days`, only that of these partitions; to a table without partitions, rows are
    /// added then.
    fn write_sorted(
        &mut self,
        table: &'static Table,
        days: Option<&BTreeSet<i32>>,
        rows: Vec<SendableRecordBatchStream>,
    ) -> impl Future<Output = Result<()>> + Send;
}

/// The columns of a table, by name, each cast to its type.
#[must_use]
pub fn conform(rows: SendableRecordBatchStream, table: &'static Table) -> SendableRecordBatchStream {
    let rows = rows.and_then(move |batch| futures::future::ready(conformed(&batch, table)));
    Box::pin(RecordBatchStreamAdapter::new(table.arrow_schema(), rows))
}

/// The same of a batch.
pub fn conformed(batch: &RecordBatch, table: &'static Table) -> Result<RecordBatch> {
    let schema = table.arrow_schema();
    let columns = schema.fields().iter().map(|field| column(batch, field.name(), field.data_type()));
    let columns = columns.collect::<Result<Vec<_>>>()?;
    Ok(RecordBatch::try_new(schema, columns)?)
}
