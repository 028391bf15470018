//! Time of workers, week by week, added up over the batches that the ledger is cut in: what
//! `sql/facts/weekly_times.sql` says of the ledger.

use std::{ops::Range, sync::Arc};

use arrow::{
    array::{ArrayRef, BinaryArray, BooleanArray, Date32Array, Int64Array, RecordBatch, StringArray},
    datatypes::DataType,
};
use datafusion::{
    common::{cast::as_date32_array, internal_err},
    error::Result,
};

use super::{
    SpanKey,
    columns::{Symbols, binary, boolean, bytes, column, integer, text, word},
    hashing::FastMap,
};
use crate::tables;

/// Columns of names that tell time apart.
const NAMES: [&str; 9] =
    ["organisation", "role", "system", "function", "task", "screen", "field", "category", "rework_cause"];
/// The number of no name.
const NONE: u32 = u32::MAX;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Cell {
    worker: u64,
    week: i32,
    names: [u32; NAMES.len()],
    attributed: bool,
}

#[derive(Debug, Clone, Copy)]
struct Sum {
    microseconds: i64,
    days: [i32; 2],
    trace: Option<u128>,
}

/// Times gathered batch by batch.
#[derive(Debug, Default)]
pub struct Sums {
    names: Symbols<String>,
    cells: FastMap<Cell, Sum>,
}

impl Sums {
    /// Takes a batch, as `ledger::cube` makes it.
    pub fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let texts = NAMES.into_iter().map(|name| text(batch, name)).collect::<Result<Vec<_>>>()?;
        let (workers, traces) = (binary(batch, "worker")?, binary(batch, "trace_id")?);
        let (attributed, microseconds) = (boolean(batch, "attributed")?, integer(batch, "microseconds")?);
        let day = |name| column(batch, name, &DataType::Date32);
        let (weeks, firsts, lasts) = (day("week")?, day("first_day")?, day("last_day")?);
        let (weeks, firsts, lasts) = (as_date32_array(&weeks)?, as_date32_array(&firsts)?, as_date32_array(&lasts)?);
        for row in 0..batch.num_rows() {
            let cell = Cell {
                worker: bytes(&workers, row).map_or(0, |id| SpanKey::from_bytes(id, &[]).span),
                week: weeks.value(row),
                names: std::array::from_fn(|name| word(&texts[name], row).map_or(NONE, |name| self.names.number(name))),
                attributed: attributed.value(row),
            };
            let more = Sum {
                microseconds: microseconds.value(row),
                days: [firsts.value(row), lasts.value(row)],
                trace: bytes(&traces, row).map(|id| SpanKey::from_bytes(&[], id).trace),
            };
            self.cells.entry(cell).and_modify(|sum| sum.add(more)).or_insert(more);
        }
        Ok(())
    }
}

impl Sum {
    fn add(&mut self, more: Self) {
        self.microseconds += more.microseconds;
        self.days = [self.days[0].min(more.days[0]), self.days[1].max(more.days[1])];
        self.trace = self.trace.into_iter().chain(more.trace).min();
    }
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Time<'a> {
    names: &'a [String],
    row: &'a (Cell, Sum),
}

impl<'a> Time<'a> {
    /// A column of names.
    #[must_use]
    pub fn name(&self, column: &str) -> Option<&'a str> {
        let place = NAMES.iter().position(|name| *name == column)?;
        self.names.get(self.row.0.names[place] as usize).map(String::as_str)
    }

    /// The worker.
    #[must_use]
    pub const fn worker(&self) -> u64 {
        self.row.0.worker
    }

    /// Monday of the week.
    #[must_use]
    pub const fn week(&self) -> i32 {
        self.row.0.week
    }

    /// The time.
    #[must_use]
    pub const fn microseconds(&self) -> i64 {
        self.row.1.microseconds
    }
}

/// Times in the order of their table.
#[derive(Debug)]
pub struct WeeklyTimes {
    names: Vec<String>,
    rows: Vec<(Cell, Sum)>,
}

impl WeeklyTimes {
    /// Puts sums in order.
    #[must_use]
    pub fn new(sums: Sums) -> Self {
        let names = sums.names.into_values();
        let mut order: Vec<usize> = (0..names.len()).collect();
        order.sort_unstable_by_key(|&name| &names[name]);
        let mut by_name = vec![0; names.len()];
        for (rank, name) in (0_u32..).zip(order) {
            by_name[name] = rank;
        }
        let rank = |name: u32| by_name.get(name as usize).copied().unwrap_or(NONE);
        let mut rows: Vec<(Cell, Sum)> = sums.cells.into_iter().collect();
        rows.sort_unstable_by_key(|(cell, _)| (cell.week, cell.worker, cell.names.map(rank), cell.attributed));
        Self { names, rows }
    }

    /// The times of each worker in each week.
    pub fn workers_weeks(&self) -> impl Iterator<Item = impl Iterator<Item = Time<'_>>> {
        let same =
            |one: &(Cell, Sum), other: &(Cell, Sum)| (one.0.week, one.0.worker) == (other.0.week, other.0.worker);
        self.rows.chunk_by(same).map(|rows| rows.iter().map(|row| Time { names: &self.names, row }))
    }

    /// How many rows each week has, in order.
    pub fn weeks(&self) -> impl Iterator<Item = usize> {
        self.rows.chunk_by(|one, other| one.0.week == other.0.week).map(<[_]>::len)
    }

    /// Rows of the table `weekly_times`, by week and worker.
    pub fn batch(&self, range: Range<usize>) -> Result<RecordBatch> {
        let rows = || self.rows[range.clone()].iter();
        let day = |of: fn(&(Cell, Sum)) -> i32| -> ArrayRef { Arc::new(Date32Array::from_iter_values(rows().map(of))) };
        let schema = tables::WEEKLY_TIMES.arrow_schema();
        let columns = schema.fields().iter().map(|wanted| -> Result<ArrayRef> {
            if let Some(place) = NAMES.iter().position(|name| name == wanted.name()) {
                let names = rows().map(|(cell, _)| self.names.get(cell.names[place] as usize));
                return Ok(Arc::new(StringArray::from_iter(names)));
            }
            Ok(match wanted.name().as_str() {
                "worker" => Arc::new(BinaryArray::from_iter_values(rows().map(|row| row.0.worker.to_be_bytes()))),
                "attributed" => Arc::new(rows().map(|row| Some(row.0.attributed)).collect::<BooleanArray>()),
                "microseconds" => Arc::new(Int64Array::from_iter_values(rows().map(|row| row.1.microseconds))),
                "trace_id" => Arc::new(BinaryArray::from_iter(rows().map(|row| row.1.trace.map(u128::to_be_bytes)))),
                "first_day" => day(|row| row.1.days[0]),
                "last_day" => day(|row| row.1.days[1]),
                "week" => day(|row| row.0.week),
                other => return internal_err!("nobody fills the column {other} of weekly_times"),
            })
        });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        Ok(RecordBatch::try_new(schema.clone(), columns)?)
    }
}
