//! Putting rows that are in memory in the order of a table, a slice at a time, so that they are copied once and what is
//! copied is small.

mod gather;

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, RecordBatch},
    datatypes::Schema,
    error::ArrowError,
    row::{Row, RowConverter, Rows, SortField},
};

use self::gather::Gathering;
use crate::{Error, ErrorKind, schema::Table};

/// Batches of rows, and where each row comes in the order.
pub(super) struct Ordered<'a> {
    batches: Vec<&'a RecordBatch>,
    /// Batch and row, in order.
    places: Vec<(usize, usize)>,
}

impl<'a> Ordered<'a> {
    /// The order of a table: by its partition and sort columns, nulls first. Rows that are equal in these stay as they came.
    pub(super) fn by(table: &Table, batches: &'a [RecordBatch]) -> Result<Self, Error> {
        let batches: Vec<&RecordBatch> = batches.iter().collect();
        let mut places: Vec<(usize, usize)> = batches
            .iter()
            .enumerate()
            .flat_map(|(number, batch)| (0..batch.num_rows()).map(move |row| (number, row)))
            .collect();
        if let Some(keys) = keys(table, &batches).map_err(internal)? {
            let mut order: Vec<(Row<'_>, (usize, usize))> = keys.iter().zip(places).collect();
            order.sort_unstable();
            places = order.into_iter().map(|(_, place)| place).collect();
        }
        Ok(Self { batches, places })
    }

    /// The rows in order, so many at a time.
    pub(super) fn slices(&self, rows: usize) -> impl Iterator<Item = Result<RecordBatch, Error>> {
        self.places.chunks(rows).map(|places| self.slice(places).map_err(internal))
    }

    fn slice(&self, places: &[(usize, usize)]) -> Result<RecordBatch, ArrowError> {
        let schema = self.batches.first().map_or_else(|| Arc::new(Schema::empty()), |batch| batch.schema());
        let gathering = Gathering::at(places);
        let columns = (0..schema.fields().len()).map(|at| {
            let sources: Vec<&dyn Array> = self.batches.iter().map(|batch| batch.column(at).as_ref()).collect();
            gathering.column(&sources)
        });
        RecordBatch::try_new(schema, columns.collect::<Result<_, _>>()?)
    }
}

/// For each row, batch after batch, what it is sorted by, as bytes; `None` if the table has no order.
fn keys(table: &Table, batches: &[&RecordBatch]) -> Result<Option<Rows>, ArrowError> {
    let of = |batch: &RecordBatch| -> Result<Vec<ArrayRef>, ArrowError> {
        let names = table.partition.iter().chain(table.sort);
        names.map(|name| batch.schema_ref().index_of(name).map(|at| Arc::clone(batch.column(at)))).collect()
    };
    let Some(first) = batches.first().map(|batch| of(batch)).transpose()?.filter(|columns| !columns.is_empty()) else {
        return Ok(None);
    };
    let fields = first.iter().map(|column| SortField::new(column.data_type().clone())).collect();
    let converter = RowConverter::new(fields)?;
    let mut keys = converter.empty_rows(batches.iter().map(|batch| batch.num_rows()).sum(), 0);
    for batch in batches {
        converter.append(&mut keys, &of(batch)?)?;
    }
    Ok(Some(keys))
}

fn internal(error: ArrowError) -> Error {
    Error::new(ErrorKind::Internal, "rows cannot be sorted").caused_by(error)
}
