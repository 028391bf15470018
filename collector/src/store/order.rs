//! Putting rows that are in memory in the order of a table, a slice at a time, so that they are copied once and what is
//! copied is small.

use arrow::{
    array::{Array, RecordBatch, UInt32Array},
    compute::{SortColumn, concat, interleave_record_batch, lexsort_to_indices},
    error::ArrowError,
};

use crate::{Error, ErrorKind, schema::Table};

/// Batches of rows, and where each row comes in the order.
pub(super) struct Ordered<'a> {
    batches: Vec<&'a RecordBatch>,
    /// Batch and row, in order.
    places: Vec<(usize, usize)>,
}

impl<'a> Ordered<'a> {
    /// The order of a table: by its partition and sort columns. Rows that are equal in these come in any.
    pub(super) fn by(table: &Table, batches: &'a [RecordBatch]) -> Result<Self, Error> {
        let batches: Vec<&RecordBatch> = batches.iter().collect();
        let unordered: Vec<(usize, usize)> = batches
            .iter()
            .enumerate()
            .flat_map(|(number, batch)| (0..batch.num_rows()).map(move |row| (number, row)))
            .collect();
        let places = match order(table, &batches).map_err(internal)? {
            Some(order) => order.values().iter().map(|&at| unordered[at as usize]).collect(),
            None => unordered,
        };
        Ok(Self { batches, places })
    }

    /// The rows in order, so many at a time.
    pub(super) fn slices(&self, rows: usize) -> impl Iterator<Item = Result<RecordBatch, Error>> {
        self.places.chunks(rows).map(|places| interleave_record_batch(&self.batches, places).map_err(internal))
    }
}

/// `None` if the table has no order, or there is nothing to order.
fn order(table: &Table, batches: &[&RecordBatch]) -> Result<Option<UInt32Array>, ArrowError> {
    let mut columns = Vec::new();
    for name in table.partition.iter().chain(table.sort) {
        let parts: Vec<&dyn Array> =
            batches.iter().filter_map(|batch| batch.column_by_name(name)).map(AsRef::as_ref).collect();
        if !parts.is_empty() {
            columns.push(SortColumn { values: concat(&parts)?, options: None });
        }
    }
    if columns.is_empty() { Ok(None) } else { lexsort_to_indices(&columns, None).map(Some) }
}

fn internal(error: ArrowError) -> Error {
    Error::new(ErrorKind::Internal, "rows cannot be sorted").caused_by(error)
}
