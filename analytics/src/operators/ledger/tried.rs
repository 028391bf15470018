//! What the time of a category would be with other values of the parameters that move it most: what
//! `sql/facts/tried_values.sql` says of the ledger.

use std::{collections::BTreeMap, sync::Arc};

use arrow::{
    array::{ArrayRef, AsArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray},
    datatypes::{DataType, Date32Type, Float64Type},
};
use datafusion::{common::internal_err, error::Result};

use super::{
    Input,
    activity::Rules,
    sweep::{Category, Stretch},
};
use crate::{
    local_time::LocalTime,
    operators::columns::{column, integer, text, word},
    tables,
};

/// Parameters and the values tried.
pub const TRIED: [(&str, f64); 14] = [
    ("idle_threshold_s", 5.0),
    ("idle_threshold_s", 15.0),
    ("idle_threshold_s", 30.0),
    ("idle_threshold_s", 60.0),
    ("idle_threshold_s", 120.0),
    ("idle_threshold_s", 300.0),
    ("switch_s", 0.0),
    ("switch_s", 2.0),
    ("switch_s", 5.0),
    ("switch_s", 10.0),
    ("tolerated_wait_s", 0.5),
    ("tolerated_wait_s", 1.0),
    ("tolerated_wait_s", 2.0),
    ("tolerated_wait_s", 4.0),
];

/// Columns of names, as of the activity that has the time; for a gap, of the one gone to as far as that is known.
const NAMES: [&str; 4] = ["organisation", "role", "system", "task"];

type Names = [Option<String>; NAMES.len()];

/// Microseconds with each of the values tried, by week and names.
#[derive(Debug, Default)]
pub struct Sums {
    cells: BTreeMap<(i32, Names), [i64; TRIED.len()]>,
}

impl Sums {
    /// Adds the stretches of the worker whose rows begin at `first`.
    pub(super) fn add(&mut self, input: &Input, first: usize, stretches: &[Stretch], rules: &Rules) {
        let system = |activity: usize| word(&input.system, first + activity);
        let names = |owner: usize| {
            [&input.organisation, &input.role, &input.system, &input.task].map(|names| word(names, first + owner))
        };
        let mut gap: Option<Gap> = None;
        for stretch in stretches {
            match stretch.next {
                Some(next) if system(stretch.span) != system(next) => {
                    let same = gap.filter(|gap| (gap.span, gap.next) == (stretch.span, next));
                    if same.is_none() {
                        self.add_gap(gap.take(), &names, rules);
                    }
                    let of =
                        same.unwrap_or(Gap { span: stretch.span, next, day: stretch.day, length: 0, turns: false });
                    gap = Some(Gap {
                        length: of.length + stretch.end - stretch.start,
                        turns: of.turns || stretch.category == Category::Switching,
                        ..of
                    });
                }
                _ => self.add_gap(gap.take(), &names, rules),
            }
            if let (Some(chain), Category::Response | Category::Wait) = (stretch.chain, stretch.category) {
                let (waited, length) = (stretch.start - chain, stretch.end - stretch.start);
                self.add_all(stretch.day, names(stretch.owner), |parameter, value| match parameter {
                    "tolerated_wait_s" => (length - (value - waited).max(0)).max(0),
                    _ => 0,
                });
            }
        }
        self.add_gap(gap, &names, rules);
    }

    /// Adds a gap between two systems, whole: as far as it is no longer than the idle threshold, the last part of it is
    /// switching.
    fn add_gap<'a>(&mut self, gap: Option<Gap>, names: &impl Fn(usize) -> [Option<&'a str>; 4], rules: &Rules) {
        let Some(Gap { span, next, day, length, turns }) = gap else { return };
        let (before, mut after) = (names(span), names(next));
        for (place, name) in after.iter_mut().enumerate() {
            // The system that follows is always known; whose task and place a gap is, only where part of it is switching.
            if place != 2 {
                *name = if turns { *name } else { before[place] };
            }
        }
        self.add_all(day, after, |parameter, value| match parameter {
            "idle_threshold_s" if length <= value => length.min(rules.switch),
            "switch_s" if length <= rules.idle => length.min(value),
            _ => 0,
        });
    }

    fn add_all(&mut self, day: i32, names: [Option<&str>; 4], time: impl Fn(&str, i64) -> i64) {
        let times = TRIED.map(|(parameter, value)| time(parameter, (value * 1e6).round() as i64));
        if times.iter().any(|time| *time > 0) {
            let key = (LocalTime::monday(day), names.map(|name| name.map(str::to_owned)));
            let sums = self.cells.entry(key).or_default();
            sums.iter_mut().zip(times).for_each(|(sum, time)| *sum += time);
        }
    }

    /// Adds rows of the table `tried_values`.
    pub fn add_rows(&mut self, batch: &RecordBatch) -> Result<()> {
        let texts = NAMES.into_iter().map(|name| text(batch, name)).collect::<Result<Vec<_>>>()?;
        let (parameters, times) = (text(batch, "parameter")?, integer(batch, "microseconds")?);
        let values = column(batch, "value", &DataType::Float64)?;
        let values = values.as_primitive::<Float64Type>();
        let weeks = column(batch, "week", &DataType::Date32)?;
        let weeks = weeks.as_primitive::<Date32Type>();
        for row in 0..batch.num_rows() {
            let tried = (parameters.value(row), values.value(row));
            let Some(place) = TRIED.iter().position(|known| *known == tried) else {
                return internal_err!("nobody tries {} for {}", tried.1, tried.0);
            };
            let names = [0, 1, 2, 3].map(|name| word(&texts[name], row).map(str::to_owned));
            self.cells.entry((weeks.value(row), names)).or_default()[place] += times.value(row);
        }
        Ok(())
    }

    /// Adds sums made elsewhere.
    pub fn merge(&mut self, other: Self) {
        for (key, times) in other.cells {
            let sums = self.cells.entry(key).or_default();
            sums.iter_mut().zip(times).for_each(|(sum, time)| *sum += time);
        }
    }

    /// The table `tried_values`.
    pub fn batch(&self) -> Result<RecordBatch> {
        let cells = self.cells.iter();
        let rows: Vec<(i32, &Names, (&str, f64), i64)> = cells
            .flat_map(|((week, names), times)| {
                TRIED.iter().zip(times).map(move |(tried, time)| (*week, names, *tried, *time))
            })
            .filter(|row| row.3 > 0)
            .collect();
        let schema = tables::TRIED_VALUES.arrow_schema();
        let columns = schema.fields().iter().map(|wanted| -> Result<ArrayRef> {
            if let Some(place) = NAMES.iter().position(|name| name == wanted.name()) {
                return Ok(Arc::new(StringArray::from_iter(rows.iter().map(|row| row.1[place].as_deref()))));
            }
            Ok(match wanted.name().as_str() {
                "week" => Arc::new(Date32Array::from_iter_values(rows.iter().map(|row| row.0))),
                "parameter" => Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.2.0))),
                "value" => Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row.2.1))),
                "microseconds" => Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.3))),
                other => return internal_err!("nobody fills the column {other} of tried_values"),
            })
        });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        Ok(RecordBatch::try_new(schema.clone(), columns)?)
    }
}

/// A gap between two systems.
#[derive(Debug, Clone, Copy)]
struct Gap {
    span: usize,
    next: usize,
    day: i32,
    length: i64,
    /// Whether any of it is switching.
    turns: bool,
}
