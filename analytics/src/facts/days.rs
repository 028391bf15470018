//! Activities, UTC day by UTC day as they were sent → whole stretches of each worker's time, local day by local day.
//!
//! A worker's day stands alone when nothing of it is open, or counts as a pause too short, at its midnight; then what
//! comes later cannot change it. Where it is not so, the day is held over and goes with the next. In memory are the days
//! that spans of a UTC day can fall on, and what is held over.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use arrow::{
    array::{Array, RecordBatch, UInt32Array, UInt64Array},
    compute::{concat_batches, take_record_batch},
};
use datafusion::error::Result;

use super::gather::id;
use crate::{
    local_time::{Days, LocalTime},
    operators::{
        SpanKey,
        columns::{binary, integer},
        ledger::{activity::Rules, closed_at},
    },
};

/// Activities of a local day (and of days before it that were held over), by worker and start, each once.
#[derive(Debug)]
pub struct Stretches {
    /// The activities.
    pub batch: RecordBatch,
    /// The rows of each worker's stretch.
    pub groups: Vec<Range<usize>>,
}

/// Activities cut at a time: what becomes of more does not fit into memory that is used again and again, so that much of
/// the time of cutting went into getting fresh memory.
const LOT_ROWS: usize = 16_384;

impl Stretches {
    /// The stretches in lots of about [`LOT_ROWS`] activities. All that was held over from days before the last is in the
    /// first: rows of a day then come one after the other.
    pub fn lots(self, local: LocalTime) -> Result<Vec<Self>> {
        let starts = integer(&self.batch, "started_us")?;
        let mut days = Days::new(local);
        let mut day_of = |group: &Range<usize>| days.of(starts.value(group.start)).day;
        let last = self.groups.iter().map(&mut day_of).max().unwrap_or_default();
        let (held_over, of_day): (Vec<_>, Vec<_>) = self.groups.into_iter().partition(|group| day_of(group) < last);
        let mut lots = if held_over.is_empty() { vec![] } else { vec![held_over] };
        let mut rows = LOT_ROWS;
        for group in of_day {
            if rows >= LOT_ROWS {
                rows = 0;
                lots.push(Vec::new());
            }
            rows += group.len();
            if let Some(lot) = lots.last_mut() {
                lot.push(group);
            }
        }
        Ok(lots.into_iter().map(|groups| Self { batch: self.batch.clone(), groups }).collect())
    }
}

/// Activities that wait for their day to be complete.
#[derive(Debug)]
pub struct Pending {
    rules: Rules,
    local: LocalTime,
    /// How many days before and after its UTC day, as sent, an activity may start.
    reach: i32,
    /// The local days asked for; all where there are none.
    asked: Option<BTreeSet<i32>>,
    waiting: BTreeMap<i32, Vec<RecordBatch>>,
    held_over: Vec<RecordBatch>,
    /// The local days at whose end work went on.
    open: BTreeSet<i32>,
}

/// How many days before and after its UTC day, as sent, an activity may start, when this is the most that times are
/// shifted by.
#[must_use]
pub const fn reach(shift_max_us: i64) -> i32 {
    (shift_max_us + ZONE_MAX_US).div_euclid(24 * HOUR_US) as i32 + 1
}

const HOUR_US: i64 = 3_600_000_000;
/// No clock on Earth is further from UTC.
const ZONE_MAX_US: i64 = 15 * HOUR_US;

impl Pending {
    /// Nothing waits. `shift_max_us` is the greatest that times are shifted by.
    #[must_use]
    pub fn new(rules: Rules, local: LocalTime, shift_max_us: i64, asked: Option<BTreeSet<i32>>) -> Self {
        let (waiting, held_over, open) = (BTreeMap::new(), Vec::new(), BTreeSet::new());
        Self { rules, local, reach: reach(shift_max_us), asked, waiting, held_over, open }
    }

    /// The local days at whose end work went on.
    #[must_use]
    pub fn into_open(self) -> BTreeSet<i32> {
        self.open
    }

    /// Takes the activities of a UTC day.
    pub fn add(&mut self, activities: &RecordBatch) -> Result<()> {
        let starts = integer(activities, "started_us")?;
        let mut days = Days::new(self.local);
        let mut rows: BTreeMap<i32, Vec<u32>> = BTreeMap::new();
        for (row, start) in starts.values().iter().enumerate() {
            rows.entry(days.of(*start).day).or_default().push(row as u32);
        }
        let whole = rows.len() == 1;
        if let Some(asked) = &self.asked {
            rows.retain(|day, _| asked.contains(day));
        }
        for (day, rows) in rows {
            let part =
                if whole { activities.clone() } else { take_record_batch(activities, &UInt32Array::from(rows))? };
            self.waiting.entry(day).or_default().push(part);
        }
        Ok(())
    }

    /// The stretches of the first day of which everything is there, when `next` is the next UTC day to be added; all that
    /// is left when there is none. `None` when no day is complete.
    pub fn complete(&mut self, next: Option<i32>) -> Result<Option<Stretches>> {
        let Some((&day, _)) = self.waiting.first_key_value() else { return self.rest(next.is_none()) };
        if next.is_some_and(|next| day >= next - self.reach) {
            return Ok(None);
        }
        // Nothing of what was held over is open any more when nobody does anything on the day after.
        if !self.held_over.is_empty() && self.open.last().is_none_or(|evening| evening + 1 < day) {
            return self.rest(true);
        }
        let mut batches = std::mem::take(&mut self.held_over);
        batches.extend(self.waiting.remove(&day).unwrap_or_default());
        let batch = sorted(&batches)?;
        drop(batches);
        let mut groups = workers(&batch)?;
        let midnight = self.local.day_start(day + 1);
        // A pause of just this length ends nothing yet.
        let quiet = midnight.saturating_sub(self.rules.run_pause.max(self.rules.wait_chain));
        let ends = integer(&batch, "ended_us")?;
        let mut open = Vec::new();
        for group in &groups {
            let ended = ends.values()[group.clone()].iter().any(|end| *end >= quiet);
            if ended && closed_at(&batch, group.clone(), &self.rules)? >= quiet {
                open.push(group.clone());
            }
        }
        for group in &open {
            let rows = UInt32Array::from_iter_values(group.clone().map(|row| row as u32));
            self.held_over.push(take_record_batch(&batch, &rows)?);
            self.open.insert(day);
        }
        groups.retain(|group| !open.contains(group));
        Ok(Some(Stretches { batch, groups }))
    }

    fn rest(&mut self, end: bool) -> Result<Option<Stretches>> {
        if !end || self.held_over.is_empty() {
            return Ok(None);
        }
        let batch = sorted(&std::mem::take(&mut self.held_over))?;
        let groups = workers(&batch)?;
        Ok(Some(Stretches { batch, groups }))
    }
}

/// Activities by worker, start and key, each once.
pub(super) fn sorted(batches: &[RecordBatch]) -> Result<RecordBatch> {
    let schema = batches[0].schema();
    let all = concat_batches(&schema, batches)?;
    let (workers, starts) = (binary(&all, "worker")?, integer(&all, "started_us")?);
    let (spans, traces) = (binary(&all, "span_id")?, binary(&all, "trace_id")?);
    let mut order: Vec<(u64, i64, SpanKey, u32)> = (0..all.num_rows())
        .map(|row| {
            let key = SpanKey::from_bytes(spans.value(row), traces.value(row));
            (id(&workers, row).unwrap_or_default(), starts.value(row), key, row as u32)
        })
        .collect();
    order.sort_unstable();
    order.dedup_by(|one, other| (one.0, one.1, one.2) == (other.0, other.1, other.2));
    if order.len() == all.num_rows() && order.iter().zip(0..).all(|(row, place)| row.3 == place) {
        return Ok(all);
    }
    Ok(take_record_batch(&all, &UInt32Array::from_iter_values(order.iter().map(|row| row.3)))?)
}

/// The rows of each worker.
pub(super) fn workers(batch: &RecordBatch) -> Result<Vec<Range<usize>>> {
    let workers = binary(batch, "worker")?;
    let ids = UInt64Array::from_iter((0..batch.num_rows()).map(|row| id(&workers, row)));
    let mut groups = Vec::new();
    let mut first = 0;
    for run in ids.values().chunk_by(|one, other| one == other) {
        groups.push(first..first + run.len());
        first += run.len();
    }
    debug_assert_eq!(ids.null_count(), 0);
    Ok(groups)
}
