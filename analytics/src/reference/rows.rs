//! Rows of reference data that were read and found good, before people in them are hashed.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, BinaryArray, Date32Array, Float64Array, Int64Array, StringArray},
    compute::{SortColumn, lexsort_to_indices, take_record_batch},
    error::ArrowError,
    record_batch::RecordBatch,
};
use chrono::NaiveDate;
use gilbreth_collector::{
    gate::{Hashes, worker_form},
    schema::{ColumnType, Table},
};

/// What a cell holds.
#[derive(Clone, PartialEq)]
pub(super) enum Cell {
    Text(String),
    /// A person or login, in clear: it lives in memory alone.
    Person(String),
    Integer(i64),
    Double(f64),
    Day(NaiveDate),
}

/// A row of a table; a cell for each of its columns, none where it is empty.
pub(super) struct Row {
    pub(super) table: &'static Table,
    /// Its first line in the file.
    pub(super) line: u64,
    pub(super) cells: Vec<Option<Cell>>,
}

impl Row {
    fn cell(&self, column: &str) -> Option<&Cell> {
        let index = self.table.columns.iter().position(|candidate| candidate.name == column)?;
        self.cells.get(index)?.as_ref()
    }

    pub(super) fn text(&self, column: &str) -> Option<&str> {
        match self.cell(column) {
            Some(Cell::Text(text)) => Some(text),
            _ => None,
        }
    }

    pub(super) fn day(&self, column: &str) -> Option<NaiveDate> {
        match self.cell(column) {
            Some(Cell::Day(day)) => Some(*day),
            _ => None,
        }
    }

    pub(super) fn double(&self, column: &str) -> Option<f64> {
        match self.cell(column) {
            Some(Cell::Double(number)) => Some(*number),
            _ => None,
        }
    }

    /// These cells as text that is equal where they mean the same; two spellings of one person are equal.
    pub(super) fn key(&self, columns: &[&str]) -> Vec<String> {
        let text = |column: &&str| match self.cell(column) {
            Some(Cell::Text(text)) => text.clone(),
            Some(Cell::Person(name)) => worker_form(name),
            Some(Cell::Integer(number)) => number.to_string(),
            Some(Cell::Double(number)) => number.to_string(),
            Some(Cell::Day(day)) => day.to_string(),
            None => String::new(),
        };
        columns.iter().map(text).collect()
    }
}

/// The rows as the table stores them: people hashed, in an order that rests on their content alone.
pub(super) fn batch(table: &'static Table, rows: &[Row], hashes: &Hashes) -> Result<RecordBatch, ArrowError> {
    let columns = table.columns.iter().enumerate().map(|(index, column)| {
        let cells = rows.iter().map(|row| row.cells.get(index).and_then(Option::as_ref));
        let column: ArrayRef = match column.kind {
            ColumnType::Binary => Arc::new(
                cells
                    .map(|cell| match cell {
                        Some(Cell::Person(name)) => Some(hashes.worker(name)),
                        _ => None,
                    })
                    .collect::<BinaryArray>(),
            ),
            ColumnType::Integer => Arc::new(
                cells
                    .map(|cell| match cell {
                        Some(Cell::Integer(number)) => Some(*number),
                        _ => None,
                    })
                    .collect::<Int64Array>(),
            ),
            ColumnType::Double => Arc::new(
                cells
                    .map(|cell| match cell {
                        Some(Cell::Double(number)) => Some(*number),
                        _ => None,
                    })
                    .collect::<Float64Array>(),
            ),
            ColumnType::Date => Arc::new(
                cells
                    .map(|cell| match cell {
                        Some(Cell::Day(day)) => i32::try_from((*day - NaiveDate::default()).num_days()).ok(),
                        _ => None,
                    })
                    .collect::<Date32Array>(),
            ),
            _ => Arc::new(
                cells
                    .map(|cell| match cell {
                        Some(Cell::Text(text)) => Some(text.as_str()),
                        _ => None,
                    })
                    .collect::<StringArray>(),
            ),
        };
        column
    });
    sorted(&RecordBatch::try_new(table.arrow_schema(), columns.collect())?)
}

/// The same rows, ordered by all columns.
pub(super) fn sorted(rows: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    if rows.num_rows() == 0 {
        return Ok(rows.clone());
    }
    let by: Vec<SortColumn> =
        rows.columns().iter().map(|column| SortColumn { values: column.clone(), options: None }).collect();
    take_record_batch(rows, &lexsort_to_indices(&by, None)?)
}
