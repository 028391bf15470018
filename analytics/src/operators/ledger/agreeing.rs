//! Time of entries that agree with a value held already, by target: what `matched_times` is made of.

use std::sync::{Arc, LazyLock};

use arrow::{
    array::{ArrayRef, BinaryArray, BooleanArray, Date32Array, Int64Array, RecordBatch, UInt32Array},
    compute::take,
    datatypes::{DataType, Field, Schema, SchemaRef},
};
use datafusion::error::Result;

use super::{
    EntryFacts, Input, Instance,
    sweep::{Category, Stretch},
};
use crate::operators::{
    columns::{column, word},
    hashing::FastMap,
};

/// Columns that are those of the activity that has the time; where it lies is told by its target.
const OWNED: [&str; 4] = ["organisation", "role", "function", "task"];

/// The columns; times in microseconds, `target` the number of an entry.
pub static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let mut fields = vec![Field::new("target", DataType::UInt32, false)];
    fields.extend(OWNED.map(|name| Field::new(name, DataType::Utf8, true)));
    fields.extend([
        Field::new("attributed", DataType::Boolean, false),
        Field::new("day", DataType::Date32, false),
        Field::new("microseconds", DataType::Int64, false),
        Field::new("ended_us", DataType::Int64, false),
        Field::new("trace_id", DataType::Binary, false),
    ]);
    Arc::new(Schema::new(fields))
});

/// Times gathered over the workers of a batch.
#[derive(Debug, Default)]
pub(super) struct Times {
    cells: Vec<Cell>,
}

#[derive(Debug)]
struct Cell {
    target: u32,
    owner: u32,
    attributed: bool,
    day: i32,
    microseconds: i64,
    ended: i64,
    trace: u128,
}

impl Times {
    /// Adds the stretches of the worker whose rows begin at `first`.
    pub(super) fn add(
        &mut self,
        input: &Input,
        first: usize,
        stretches: &[Stretch],
        instances: &[Option<Instance>],
        entries: &EntryFacts,
    ) {
        let mut places = FastMap::default();
        for stretch in stretches.iter().filter(|stretch| stretch.category == Category::Matched) {
            let row = first + stretch.owner;
            let Some(entry) = input.entry(row, entries) else { continue };
            let target = entries.lasts[entry as usize];
            let names = [&input.organisation, &input.role, &input.function, &input.task].map(|names| word(names, row));
            let attributed = instances[stretch.owner].is_some();
            let trace = input.key(first + stretch.span).trace;
            let place = *places.entry((target, names, attributed, stretch.day)).or_insert_with(|| {
                let (owner, day) = (row as u32, stretch.day);
                self.cells.push(Cell { target, owner, attributed, day, microseconds: 0, ended: stretch.end, trace });
                self.cells.len() - 1
            });
            let cell = &mut self.cells[place];
            cell.microseconds += stretch.end - stretch.start;
            cell.ended = cell.ended.max(stretch.end);
            cell.trace = cell.trace.min(trace);
        }
    }

    /// The times as a batch; `input` is the batch that they were made from.
    pub(super) fn batch(&self, input: &RecordBatch) -> Result<RecordBatch> {
        let cells = || self.cells.iter();
        let owners = UInt32Array::from_iter_values(cells().map(|cell| cell.owner));
        let number = |of: fn(&Cell) -> i64| -> ArrayRef { Arc::new(Int64Array::from_iter_values(cells().map(of))) };
        let mut columns: Vec<ArrayRef> = vec![Arc::new(UInt32Array::from_iter_values(cells().map(|cell| cell.target)))];
        for name in OWNED {
            columns.push(take(&column(input, name, &DataType::Utf8)?, &owners, None)?);
        }
        columns.extend([
            Arc::new(cells().map(|cell| Some(cell.attributed)).collect::<BooleanArray>()) as ArrayRef,
            Arc::new(Date32Array::from_iter_values(cells().map(|cell| cell.day))),
            number(|cell| cell.microseconds),
            number(|cell| cell.ended),
            Arc::new(BinaryArray::from_iter_values(cells().map(|cell| cell.trace.to_be_bytes()))),
        ]);
        Ok(RecordBatch::try_new(SCHEMA.clone(), columns)?)
    }
}
