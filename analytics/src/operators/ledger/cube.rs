//! Time of workers by place and category, week by week: what `weekly_times` is added up from, so that the ledger need
//! not be read again.

use std::sync::{Arc, LazyLock};

use arrow::{
    array::{ArrayRef, BinaryArray, BooleanArray, Date32Array, Int64Array, RecordBatch, StringArray, UInt32Array},
    compute::take,
    datatypes::{DataType, Field, Schema, SchemaRef},
};
use datafusion::error::Result;

use super::{
    EntryFacts, Input, Instance,
    sweep::{Category, Stretch},
};
use crate::{
    local_time::LocalTime,
    operators::{
        columns::{column, word},
        hashing::FastMap,
        rework::Cause,
    },
};

/// Columns that are those of the activity that has the time.
pub(super) const OWNED: [&str; 5] = ["organisation", "role", "system", "function", "task"];
/// Columns that tell time apart only where it is lost: the screen; and the field where it was entered again.
const OF_LOST: [&str; 2] = ["screen", "field"];

/// The columns; time in microseconds.
pub static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let mut fields = vec![Field::new("worker", DataType::Binary, true)];
    fields.extend(OWNED.into_iter().chain(OF_LOST).map(|name| Field::new(name, DataType::Utf8, true)));
    fields.extend([
        Field::new("attributed", DataType::Boolean, false),
        Field::new("category", DataType::Utf8, false),
        Field::new("rework_cause", DataType::Utf8, true),
        Field::new("week", DataType::Date32, false),
        Field::new("microseconds", DataType::Int64, false),
        Field::new("first_day", DataType::Date32, false),
        Field::new("last_day", DataType::Date32, false),
        Field::new("trace_id", DataType::Binary, true),
    ]);
    Arc::new(Schema::new(fields))
});

/// Times gathered over the workers of a batch.
#[derive(Debug, Default)]
pub(super) struct Cube {
    cells: Vec<Cell>,
}

#[derive(Debug)]
struct Cell {
    owner: u32,
    category: Category,
    cause: Option<Cause>,
    attributed: bool,
    week: i32,
    microseconds: i64,
    days: [i32; 2],
    trace: Option<u128>,
}

/// What tells the cells of a worker apart.
type Key<'a> = ([Option<&'a str>; OWNED.len()], [Option<&'a str>; OF_LOST.len()], Category, Option<Cause>, bool, i32);

impl Cube {
    /// Adds the stretches of the worker whose rows begin at `first`.
    pub(super) fn add(
        &mut self,
        input: &Input,
        first: usize,
        stretches: &[Stretch],
        instances: &[Option<Instance>],
        entries: &EntryFacts,
    ) {
        let mut places: FastMap<Key<'_>, usize> = FastMap::default();
        for stretch in stretches {
            let row = first + stretch.owner;
            let names = input.owned().map(|names| word(names, row));
            let lost = stretch.category.is_lost();
            let again = stretch.category == Category::Rework;
            let of_lost =
                [lost.then(|| word(&input.screen, row)).flatten(), again.then(|| word(&input.field, row)).flatten()];
            let cause = if again { input.entry(row, entries).and_then(|entry| entries.cause(entry)) } else { None };
            let attributed = instances[stretch.owner].is_some();
            let week = LocalTime::monday(stretch.day);
            let key = (names, of_lost, stretch.category, cause, attributed, week);
            let place = *places.entry(key).or_insert_with(|| {
                let (owner, category) = (row as u32, stretch.category);
                let days = [stretch.day; 2];
                self.cells.push(Cell { owner, category, cause, attributed, week, microseconds: 0, days, trace: None });
                self.cells.len() - 1
            });
            let cell = &mut self.cells[place];
            cell.microseconds += stretch.end - stretch.start;
            cell.days = [cell.days[0].min(stretch.day), cell.days[1].max(stretch.day)];
            if lost {
                let trace = input.key(first + stretch.span).trace;
                cell.trace = Some(cell.trace.map_or(trace, |least| least.min(trace)));
            }
        }
    }

    /// The times as a batch; `input` is the batch that they were made from.
    pub(super) fn batch(&self, input: &RecordBatch) -> Result<RecordBatch> {
        let cells = || self.cells.iter();
        let owners = UInt32Array::from_iter_values(cells().map(|cell| cell.owner));
        let lost =
            |wanted: fn(&Cell) -> bool| UInt32Array::from_iter(cells().map(|cell| wanted(cell).then_some(cell.owner)));
        let taken = |name: &str, kind: &DataType, rows: &UInt32Array| -> Result<ArrayRef> {
            Ok(take(&column(input, name, kind)?, rows, None)?)
        };
        let day = |day: fn(&Cell) -> i32| -> ArrayRef { Arc::new(Date32Array::from_iter_values(cells().map(day))) };
        let mut columns = vec![taken("worker", &DataType::Binary, &owners)?];
        for name in OWNED {
            columns.push(taken(name, &DataType::Utf8, &owners)?);
        }
        columns.push(taken("screen", &DataType::Utf8, &lost(|cell| cell.category.is_lost()))?);
        columns.push(taken("field", &DataType::Utf8, &lost(|cell| cell.category == Category::Rework))?);
        columns.extend([
            Arc::new(cells().map(|cell| Some(cell.attributed)).collect::<BooleanArray>()) as ArrayRef,
            Arc::new(StringArray::from_iter_values(cells().map(|cell| cell.category.as_str()))),
            Arc::new(StringArray::from_iter(cells().map(|cell| cell.cause.map(Cause::as_str)))),
            day(|cell| cell.week),
            Arc::new(Int64Array::from_iter_values(cells().map(|cell| cell.microseconds))),
            day(|cell| cell.days[0]),
            day(|cell| cell.days[1]),
            Arc::new(BinaryArray::from_iter(cells().map(|cell| cell.trace.map(u128::to_be_bytes)))),
        ]);
        Ok(RecordBatch::try_new(SCHEMA.clone(), columns)?)
    }
}
