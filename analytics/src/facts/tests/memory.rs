//! Facts in memory.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use arrow::{
    array::{AsArray, BooleanArray, RecordBatch},
    compute::filter_record_batch,
    datatypes::Date32Type,
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

    async fn write_sorted(
        &mut self,
        table: &'static Table,
        days: Option<&BTreeSet<i32>>,
        streams: Vec<SendableRecordBatchStream>,
    ) -> Result<()> {
        let before = days.and_then(|days| Some((days, self.tables.get(table.name)?.clone())));
        let mut all = Vec::new();
        for rows in futures::future::try_join_all(streams.into_iter().map(TryStreamExt::try_collect::<Vec<_>>)).await? {
            all.extend(rows);
        }
        if let Some((days, before)) = before {
            let part_of = |batch: &RecordBatch| {
                let partition = table.partition.first().map(|name| batch.column_by_name(name).unwrap().clone());
                partition.map(|partition| partition.as_primitive::<Date32Type>().clone())
            };
            for batch in &all {
                assert!(
                    part_of(batch).is_none_or(|of| of.values().iter().all(|day| days.contains(day))),
                    "{}",
                    table.name
                );
            }
            all.extend(before.iter().map(|batch| match part_of(batch) {
                None => batch.clone(),
                Some(of) => {
                    let stay: BooleanArray = of.values().iter().map(|day| Some(!days.contains(day))).collect();
                    filter_record_batch(batch, &stay).unwrap()
                }
            }));
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
