//! Time of a worker-day by system, task and category: what the cube `worker_weeks` is added up from by SQL, so that the
//! ledger need not be read again.

use std::sync::{Arc, LazyLock};

use arrow::{
    array::{ArrayRef, Date32Array, Int64Array, RecordBatch, StringArray, UInt32Array},
    compute::take,
    datatypes::{DataType, Field, Schema, SchemaRef},
};
use datafusion::error::Result;

use super::{
    Input,
    sweep::{Category, Stretch},
};
use crate::{
    local_time::LocalTime,
    operators::{
        columns::{column, word},
        hashing::FastMap,
    },
};

/// Columns that are those of the activity that has the time.
const OWNED: [(&str, DataType); 5] = [
    ("worker", DataType::Binary),
    ("organisation", DataType::Utf8),
    ("role", DataType::Utf8),
    ("system", DataType::Utf8),
    ("task", DataType::Utf8),
];

/// The columns; time in microseconds.
pub static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let mut fields: Vec<Field> = OWNED.map(|(name, kind)| Field::new(name, kind, true)).to_vec();
    fields.push(Field::new("category", DataType::Utf8, false));
    fields.push(Field::new("microseconds", DataType::Int64, false));
    fields.push(Field::new("day", DataType::Date32, false));
    fields.push(Field::new("week", DataType::Date32, false));
    Arc::new(Schema::new(fields))
});

/// Times gathered over the workers of a batch.
#[derive(Debug, Default)]
pub(super) struct Cube {
    owners: Vec<u32>,
    categories: Vec<Category>,
    days: Vec<i32>,
    lengths: Vec<i64>,
}

impl Cube {
    /// Adds the stretches of the worker whose rows begin at `first`.
    pub(super) fn add(&mut self, input: &Input, first: usize, stretches: &[Stretch]) {
        // Organisation, role, system and task of the time; category and day.
        let mut places: FastMap<([Option<&str>; 4], Category, i32), usize> = FastMap::default();
        for stretch in stretches {
            let row = first + stretch.owner;
            let names = [&input.organisation, &input.role, &input.system, &input.task].map(|names| word(names, row));
            let place = *places.entry((names, stretch.category, stretch.day)).or_insert_with(|| {
                self.owners.push(row as u32);
                self.categories.push(stretch.category);
                self.days.push(stretch.day);
                self.lengths.push(0);
                self.lengths.len() - 1
            });
            self.lengths[place] += stretch.end - stretch.start;
        }
    }

    /// The times as a batch; `input` is the batch that they were made from.
    pub(super) fn batch(&self, input: &RecordBatch) -> Result<RecordBatch> {
        let owners = UInt32Array::from_iter_values(self.owners.iter().copied());
        let mut columns = OWNED
            .iter()
            .map(|(name, kind)| Ok(take(&column(input, name, kind)?, &owners, None)?))
            .collect::<Result<Vec<ArrayRef>>>()?;
        columns.push(Arc::new(StringArray::from_iter_values(self.categories.iter().map(|category| category.as_str()))));
        columns.push(Arc::new(Int64Array::from_iter_values(self.lengths.iter().copied())));
        columns.push(Arc::new(Date32Array::from_iter_values(self.days.iter().copied())));
        columns.push(Arc::new(Date32Array::from_iter_values(self.days.iter().map(|day| LocalTime::monday(*day)))));
        Ok(RecordBatch::try_new(SCHEMA.clone(), columns)?)
    }
}
