//! Weeks of workers, added up from their times: what `sql/facts/worker_weeks.sql` says of `weekly_times`.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, BooleanArray, Date32Array, Float64Array, RecordBatch, StringArray};
use datafusion::{common::internal_err, error::Result};

use super::{
    hashing::{FastMap, FastSet},
    weekly_times::WeeklyTimes,
};
use crate::tables;

/// Monday to Friday.
const WORKING_DAYS: i32 = 5;

/// What tells the rows of a worker's week apart: system, task and category.
type Key<'a> = [Option<&'a str>; 3];

/// Whether all working days of a week lie within first and last day of the data, but for holidays.
#[must_use]
pub fn is_whole(week: i32, [first, last]: [i32; 2], holidays: &FastSet<i32>) -> bool {
    (week..week + WORKING_DAYS).all(|day| (first..=last).contains(&day) || holidays.contains(&day))
}

/// Rows of the table `worker_weeks`, by week and worker. The period is the first and last day of the data; holidays are
/// days, too.
pub fn worker_weeks(times: &WeeklyTimes, period: [i32; 2], holidays: &FastSet<i32>) -> Result<RecordBatch> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    for week in times.workers_weeks() {
        let first = rows.len();
        let mut places: FastMap<Key<'_>, usize> = FastMap::default();
        for time in week {
            let key = [time.name("system"), time.name("task"), time.name("category")];
            let place = *places.entry(key).or_insert_with(|| {
                let whole = is_whole(time.week(), period, holidays);
                let places = [None; 2];
                rows.push(Row { worker: time.worker(), week: time.week(), key, places, microseconds: 0, whole });
                rows.len() - 1
            });
            let row = &mut rows[place];
            row.microseconds += time.microseconds();
            // Of several, the last in the alphabet.
            row.places = [row.places[0].max(time.name("organisation")), row.places[1].max(time.name("role"))];
        }
        rows[first..].sort_unstable_by_key(|row| row.key);
    }
    let text =
        |of: &dyn Fn(&Row<'_>) -> Option<String>| -> ArrayRef { Arc::new(StringArray::from_iter(rows.iter().map(of))) };
    let name = |of: Option<&str>| of.map(str::to_owned);
    let schema = tables::WORKER_WEEKS.arrow_schema();
    let columns = schema.fields().iter().map(|wanted| -> Result<ArrayRef> {
        Ok(match wanted.name().as_str() {
            "worker" => Arc::new(BinaryArray::from_iter_values(rows.iter().map(|row| row.worker.to_be_bytes()))),
            "week" => Arc::new(Date32Array::from_iter_values(rows.iter().map(|row| row.week))),
            "organisation" => text(&|row| name(row.places[0])),
            "role" => text(&|row| name(row.places[1])),
            "system" => text(&|row| name(row.key[0])),
            "task" => text(&|row| name(row.key[1])),
            "category" => text(&|row| name(row.key[2])),
            "seconds" => Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row.microseconds as f64 / 1e6))),
            "whole_week" => Arc::new(rows.iter().map(|row| Some(row.whole)).collect::<BooleanArray>()),
            other => return internal_err!("nobody fills the column {other} of worker_weeks"),
        })
    });
    let columns = columns.collect::<Result<Vec<_>>>()?;
    Ok(RecordBatch::try_new(schema.clone(), columns)?)
}

struct Row<'a> {
    worker: u64,
    week: i32,
    key: Key<'a>,
    // Organisation and role.
    places: [Option<&'a str>; 2],
    microseconds: i64,
    whole: bool,
}
