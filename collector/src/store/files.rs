//! Sorted rows into Parquet files.

use std::{collections::BTreeSet, sync::Arc};

use arrow::{
    array::RecordBatch,
    compute::{cast, concat_batches, partition, take_record_batch},
    datatypes::SchemaRef,
};
use delta_kernel::expressions::Scalar;
use deltalake::{
    DeltaTable,
    kernel::{Add, scalars::ScalarExt},
    writer::{DeltaWriter, RecordBatchWriter, WriteMode},
};
use futures::{Stream, TryStreamExt as _};
use indexmap::IndexMap;
use parquet::{
    basic::{Compression, ZstdLevel},
    file::properties::{EnabledStatistics, WriterProperties},
};

use super::delta::failed;
use crate::{
    Error, ErrorKind,
    schema::{Column, ColumnType, Table},
};

/// Files are closed at this size: large enough that a day is one file or few, small enough to sort and rewrite.
const FILE_BYTES_MAX: u64 = 256 << 20;
/// Rows held while a row group is encoded.
const ROW_GROUP_ROWS_MAX: usize = 256 << 10;

/// Files that were written and are in no table yet.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) adds: Vec<Add>,
    /// Whether they are all.
    pub(crate) ended: Result<(), Error>,
}

/// Writes rows that come sorted by the table's partition columns; one partition is open at a time.
pub(crate) struct Files {
    table: Table,
    schema: SchemaRef,
    writer: RecordBatchWriter,
    /// The last row of what is open, to see where the next partition starts.
    last: Option<RecordBatch>,
    written: Vec<Add>,
    /// The days that rows may be of; any, if there is no such set.
    days: Option<Arc<BTreeSet<i32>>>,
}

impl Files {
    /// Files for a table at hand.
    pub(crate) fn of(table: &Table, at: &DeltaTable) -> Result<Self, Error> {
        let mut properties = WriterProperties::builder();
        for column in table.columns.iter().filter(|column| seldom_twice(column)) {
            properties = properties.set_column_dictionary_enabled(column.name.into(), false);
        }
        // Every file has names of all kinds: their extremes rule nothing out, and every name would be compared with them.
        let is_name = |column: &&Column| matches!(column.kind, ColumnType::Text | ColumnType::Binary);
        for column in table.columns.iter().filter(is_name).filter(|column| !table.sort.contains(&column.name)) {
            properties = properties.set_column_statistics_enabled(column.name.into(), EnabledStatistics::None);
        }
        let properties = properties
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).unwrap_or_default()))
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS_MAX))
            .set_created_by(concat!("gilbreth ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let writer = RecordBatchWriter::for_table(at)
            .map_err(|error| failed(table, "be written", error))?
            .with_writer_properties(properties)
            .with_target_file_size(FILE_BYTES_MAX);
        let schema = writer.arrow_schema();
        Ok(Self { table: *table, schema, writer, last: None, written: Vec::new(), days: None })
    }

    /// The same, for rows of these days only: others are refused, and so are rows without one. The table is partitioned
    /// by one column of dates.
    pub(crate) fn within(self, days: Arc<BTreeSet<i32>>) -> Self {
        Self { days: Some(days), ..self }
    }

    /// Writes rows, sorted by partition columns among themselves and against those before.
    async fn write(&mut self, rows: &RecordBatch) -> Result<(), Error> {
        let rows = conform(rows, &self.schema, &self.table)?;
        if rows.num_rows() == 0 {
            return Ok(());
        }
        if let Some(last) = &self.last
            && !same_partition(last, &rows.slice(0, 1), &self.table)?
        {
            self.close().await?;
        }
        for (number, range) in partitions(&rows, &self.table)?.into_iter().enumerate() {
            if number > 0 {
                self.close().await?;
            }
            let part = rows.slice(range.start, range.len());
            let values = partition_values(&part, &self.table)?;
            self.check_day(&values)?;
            let written = self.writer.write_partition(part, &values, WriteMode::Default).await;
            written.map_err(|error| failed(&self.table, "be written", error))?;
        }
        self.last = Some(take_last(&rows)?);
        Ok(())
    }

    /// Writes all of these rows, sorted as for [`Files::write`], and says what was written, and whether that is all. None
    /// of it is in the table before it is committed, and what never will be is the caller's to remove.
    pub(crate) async fn write_all(mut self, rows: impl Stream<Item = Result<RecordBatch, Error>> + Send) -> Written {
        let writing = async {
            let mut rows = std::pin::pin!(rows);
            while let Some(batch) = rows.try_next().await? {
                self.write(&batch).await?;
            }
            self.close().await
        };
        let ended = writing.await;
        Written { adds: self.written, ended }
    }

    /// Refuses a partition of another day than those that rows may be of.
    fn check_day(&self, values: &IndexMap<String, Scalar>) -> Result<(), Error> {
        let Some(days) = &self.days else { return Ok(()) };
        let foreign = values.iter().find(|(_, value)| !matches!(value, Scalar::Date(day) if days.contains(day)));
        foreign.map_or(Ok(()), |(column, value)| {
            Err(Error::new(
                ErrorKind::Internal,
                format!(
                    "rows for {} have {column} {}, which is not to be replaced",
                    self.table.name,
                    value.serialize()
                ),
            ))
        })
    }

    async fn close(&mut self) -> Result<(), Error> {
        let adds = self.writer.flush().await.map_err(|error| failed(&self.table, "be written", error))?;
        self.written.extend(adds);
        Ok(())
    }
}

/// Whether a column seldom has a value twice: then a dictionary is made in vain.
fn seldom_twice(column: &Column) -> bool {
    matches!(column.kind, ColumnType::Instant | ColumnType::Double)
        || matches!(column.name, "trace_id" | "span_id" | "parent_span_id" | "target_span_id" | "from_span_id")
}

/// The values of the partition columns, of which all rows have the same.
fn partition_values(rows: &RecordBatch, table: &Table) -> Result<IndexMap<String, Scalar>, Error> {
    let values = table.partition.iter().map(|&name| {
        let value = rows.column_by_name(name).and_then(|column| Scalar::from_array(column.as_ref(), 0));
        let lacking = || Error::new(ErrorKind::Internal, format!("rows for {} have no {name}", table.name));
        Ok((name.to_owned(), value.ok_or_else(lacking)?))
    });
    values.collect()
}

/// The rows with the table's columns, by name and in its types.
fn conform(rows: &RecordBatch, schema: &SchemaRef, table: &Table) -> Result<RecordBatch, Error> {
    if rows.schema_ref() == schema {
        return Ok(rows.clone());
    }
    let columns = schema
        .fields()
        .iter()
        .map(|field| {
            let column = rows.column_by_name(field.name()).ok_or_else(|| {
                Error::new(ErrorKind::Internal, format!("rows for {} lack the column {}", table.name, field.name()))
            })?;
            cast(column, field.data_type()).map_err(|error| {
                Error::new(
                    ErrorKind::Internal,
                    format!("the column {} of rows for {} has the wrong type", field.name(), table.name),
                )
                .caused_by(error)
            })
        })
        .collect::<Result<Vec<_>, Error>>()?;
    RecordBatch::try_new(schema.clone(), columns)
        .map_err(|error| Error::new(ErrorKind::Internal, "rows cannot be put together").caused_by(error))
}

fn partitions(rows: &RecordBatch, table: &Table) -> Result<Vec<std::ops::Range<usize>>, Error> {
    if table.partition.is_empty() {
        return Ok(vec![std::ops::Range { start: 0, end: rows.num_rows() }]);
    }
    let columns: Vec<_> = table.partition.iter().filter_map(|name| rows.column_by_name(name).cloned()).collect();
    let found = partition(&columns)
        .map_err(|error| Error::new(ErrorKind::Internal, "rows cannot be divided by partition").caused_by(error))?;
    Ok(found.ranges())
}

fn same_partition(one: &RecordBatch, other: &RecordBatch, table: &Table) -> Result<bool, Error> {
    let both = concat_batches(&one.schema(), [one, other])
        .map_err(|error| Error::new(ErrorKind::Internal, "rows cannot be compared").caused_by(error))?;
    Ok(partitions(&both, table)?.len() == 1)
}

/// The last row on its own, so that it does not keep its batch alive.
fn take_last(rows: &RecordBatch) -> Result<RecordBatch, Error> {
    let last = rows.slice(rows.num_rows() - 1, 1);
    take_record_batch(&last, &arrow::array::UInt32Array::from(vec![0]))
        .map_err(|error| Error::new(ErrorKind::Internal, "a row cannot be copied").caused_by(error))
}
