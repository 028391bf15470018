//! Facts in memory.

use std::{collections::BTreeMap, sync::Arc};

use arrow::{
    array::RecordBatch,
    util::display::{ArrayFormatter, FormatOptions},
};
use datafusion::{
    catalog::{MemTable, TableProvider},
    error::Result,
    execution::SendableRecordBatchStream,
    physical_plan::stream::RecordBatchStreamAdapter,
};
use futures::TryStreamExt;
use gilbreth_collector::schema::Table;

use crate::facts::Sink;

#[derive(Default)]
pub(super) struct Memory {
    pub(super) tables: BTreeMap<&'static str, Vec<RecordBatch>>,
}

impl Sink for Memory {
    async fn write(&mut self, table: &'static Table, rows: SendableRecordBatchStream) -> Result<()> {
        assert_eq!(rows.schema(), table.arrow_schema(), "{}", table.name);
        let rows: Vec<RecordBatch> = rows.try_collect().await?;
        for (column, said) in table.columns.iter().enumerate() {
            let nulls: usize = rows.iter().map(|batch| batch.column(column).null_count()).sum();
            assert!(said.nullable || nulls == 0, "{}.{} is required", table.name, said.name);
        }
        self.tables.insert(table.name, rows);
        Ok(())
    }

    async fn write_sorted(&mut self, table: &'static Table, streams: Vec<SendableRecordBatchStream>) -> Result<()> {
        let mut all = Vec::new();
        for rows in futures::future::try_join_all(streams.into_iter().map(TryStreamExt::try_collect::<Vec<_>>)).await? {
            all.extend(rows);
        }
        let rows = futures::stream::iter(all.into_iter().map(Ok));
        self.write(table, Box::pin(RecordBatchStreamAdapter::new(table.arrow_schema(), rows))).await
    }
}

impl Memory {
    /// A table written before.
    pub(super) fn table(&self, table: &'static Table) -> Arc<dyn TableProvider> {
        Arc::new(MemTable::try_new(table.arrow_schema(), vec![self.tables[table.name].clone()]).unwrap())
    }
}

/// Rows as text, values apart by commas.
pub(super) fn lines(batches: &[RecordBatch]) -> Vec<String> {
    let options = FormatOptions::default().with_null("NULL");
    let mut lines = Vec::new();
    for batch in batches {
        let columns: Vec<ArrayFormatter<'_>> =
            batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options).unwrap()).collect();
        for row in 0..batch.num_rows() {
            let values: Vec<String> = columns.iter().map(|column| column.value(row).to_string()).collect();
            lines.push(values.join(","));
        }
    }
    lines
}
