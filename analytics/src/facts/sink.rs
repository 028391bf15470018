//! Where facts go.

use std::future::Future;

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
    /// partition and sort columns.
    fn write_sorted(
        &mut self,
        table: &'static Table,
        rows: Vec<SendableRecordBatchStream>,
    ) -> impl Future<Output = Result<()>> + Send;
}

/// The columns of a table, by name, each cast to its type.
#[must_use]
pub fn conform(rows: SendableRecordBatchStream, table: &'static Table) -> SendableRecordBatchStream {
    let schema = table.arrow_schema();
    let wanted = schema.clone();
    let conformed = rows.and_then(move |batch| {
        let columns = wanted
            .fields()
            .iter()
            .map(|field| column(&batch, field.name(), field.data_type()))
            .collect::<Result<Vec<_>>>()
            .and_then(|columns| Ok(RecordBatch::try_new(wanted.clone(), columns)?));
        futures::future::ready(columns)
    });
    Box::pin(RecordBatchStreamAdapter::new(schema, conformed))
}
