//! Results written as text or files.
//!
//! Every format but `table` is written batch by batch, so that results of any size pass through bounded memory. A
//! table needs the width of every row before the first: it shows the first [`TABLE_ROWS_MAX`] and says what it left
//! out.

use std::{io::Write, str::FromStr, sync::Arc};

use arrow::{
    array::{ArrayRef, StringArray},
    csv,
    datatypes::{DataType, Field, Schema, SchemaRef},
    ipc::writer::StreamWriter,
    json,
    record_batch::RecordBatch,
    util::{
        display::{ArrayFormatter, FormatOptions},
        pretty::pretty_format_batches_with_schema,
    },
};
use datafusion::execution::SendableRecordBatchStream;
use futures::TryStreamExt;
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, ZstdLevel},
    file::properties::WriterProperties,
};

use crate::Error;

/// Most rows of a result that is shown as a table.
pub const TABLE_ROWS_MAX: usize = 10_000;

/// How a result is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// Comma-separated, with a header; lists and maps as text.
    Csv,
    /// One JSON array of objects.
    Json,
    /// One JSON object a line.
    Ndjson,
    /// A Parquet file.
    Parquet,
    /// An Arrow IPC stream.
    Arrow,
}

impl FromStr for Format {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        match name {
            "table" => Ok(Self::Table),
            "csv" => Ok(Self::Csv),
            "json" => Ok(Self::Json),
            "ndjson" => Ok(Self::Ndjson),
            "parquet" => Ok(Self::Parquet),
            "arrow" => Ok(Self::Arrow),
            _ => Err(Error::Invalid(format!(
                "there is no format `{name}`: table, csv, json, ndjson, parquet and arrow are"
            ))),
        }
    }
}

/// Writes a result and gives back how many rows it had. The writer is flushed at the end.
pub async fn write(
    mut rows: SendableRecordBatchStream,
    format: Format,
    mut to: impl Write + Send,
) -> Result<usize, Error> {
    let schema = rows.schema();
    let mut count = 0;
    match format {
        Format::Table => count = table(rows, &schema, &mut to).await?,
        Format::Csv => {
            let mut header = Some(());
            while let Some(batch) = rows.try_next().await? {
                count += batch.num_rows();
                let mut writer = csv::WriterBuilder::new().with_header(header.take().is_some()).build(&mut to);
                writer.write(&flat(&batch)?).map_err(output)?;
            }
            if header.is_some() {
                let mut writer = csv::WriterBuilder::new().with_header(true).build(&mut to);
                writer.write(&flat(&RecordBatch::new_empty(schema))?).map_err(output)?;
            }
        }
        Format::Json => {
            let mut writer =
                json::WriterBuilder::new().with_explicit_nulls(true).build::<_, json::writer::JsonArray>(&mut to);
            while let Some(batch) = rows.try_next().await? {
                count += batch.num_rows();
                writer.write(&batch).map_err(output)?;
            }
            writer.finish().map_err(output)?;
            drop(writer);
            writeln!(to).map_err(output)?;
        }
        Format::Ndjson => {
            let mut writer =
                json::WriterBuilder::new().with_explicit_nulls(true).build::<_, json::writer::LineDelimited>(&mut to);
            while let Some(batch) = rows.try_next().await? {
                count += batch.num_rows();
                writer.write(&batch).map_err(output)?;
            }
            writer.finish().map_err(output)?;
        }
        Format::Parquet => {
            let properties =
                WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
            let mut writer = ArrowWriter::try_new(&mut to, schema, Some(properties)).map_err(output)?;
            while let Some(batch) = rows.try_next().await? {
                count += batch.num_rows();
                writer.write(&batch).map_err(output)?;
            }
            writer.close().map_err(output)?;
        }
        Format::Arrow => {
            let mut writer = StreamWriter::try_new(&mut to, &schema).map_err(output)?;
            while let Some(batch) = rows.try_next().await? {
                count += batch.num_rows();
                writer.write(&batch).map_err(output)?;
            }
            writer.finish().map_err(output)?;
        }
    }
    to.flush().map_err(output)?;
    Ok(count)
}

async fn table(
    mut rows: SendableRecordBatchStream,
    schema: &SchemaRef,
    to: &mut (impl Write + Send),
) -> Result<usize, Error> {
    let (mut shown, mut count) = (Vec::new(), 0);
    while let Some(batch) = rows.try_next().await? {
        let room = TABLE_ROWS_MAX.saturating_sub(count).min(batch.num_rows());
        count += batch.num_rows();
        if room > 0 {
            shown.push(batch.slice(0, room));
        }
    }
    let text = pretty_format_batches_with_schema(schema.clone(), &shown).map_err(output)?;
    writeln!(to, "{text}").map_err(output)?;
    if count > TABLE_ROWS_MAX {
        writeln!(to, "{} more rows: choose another format to see them", count - TABLE_ROWS_MAX).map_err(output)?;
    }
    Ok(count)
}

/// Lists and maps as text, since CSV has neither.
fn flat(batch: &RecordBatch) -> Result<RecordBatch, Error> {
    let mut fields = Vec::with_capacity(batch.num_columns());
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(batch.num_columns());
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        if !field.data_type().is_nested() {
            fields.push(field.clone());
            columns.push(column.clone());
            continue;
        }
        let options = FormatOptions::default();
        let formatter = ArrayFormatter::try_new(column, &options)?;
        let texts: StringArray =
            (0..column.len()).map(|row| column.is_valid(row).then(|| formatter.value(row).to_string())).collect();
        fields.push(Field::new(field.name(), DataType::Utf8, true).into());
        columns.push(Arc::new(texts));
    }
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
}

fn output(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Output(Box::new(error))
}

#[cfg(test)]
mod tests;
