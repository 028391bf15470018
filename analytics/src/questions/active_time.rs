//! How long each worker was active on each day: the gaps between interactions that follow each other closely.
//!
//! Files of spans are sorted by worker and start, so that the starts of a worker's day come as a few slices, which are
//! appended as they are. They are sorted only where files overlap.

use std::{hash::BuildHasher, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, Date32Array, Int64Array, RecordBatch, StringArray},
    datatypes::DataType,
};
use datafusion::error::Result;
use gilbreth_collector::schema::{
    ColumnType::{Date, Integer, Text},
    Table, required,
};

use super::{
    Rules,
    passes::{Pass, Slice},
};
use crate::operators::{
    columns::{Symbols, binary, column, integer},
    hashing::FastMap,
};

/// The answer.
pub static TABLE: Table = Table {
    name: "active_time",
    folder: "questions",
    grain: "worker and UTC day",
    partition: &[],
    sort: &["worker", "day"],
    columns: &[
        required("worker", Text, "keyed hash of the person"),
        required("day", Date, "date of the starts, UTC, by the senders' clocks"),
        required("interactions", Integer, "spans with a kind that started on it"),
        required("active_us", Integer, "gaps between their starts up to the idle threshold, added up, microseconds"),
    ],
};

/// What it is for.
pub const ABOUT: &str = "A plain measure of active time to hold the ledger against: gaps between starts, times as sent";

const DAY: i64 = 86_400_000_000;

/// The starts of one partition.
#[derive(Debug, Default)]
pub struct ActiveTime {
    workers: Symbols<Vec<u8>>,
    days: FastMap<(u32, i32), Vec<i64>>,
    bytes: usize,
}

/// A worker's day.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WorkerDay {
    worker: Vec<u8>,
    day: i32,
    interactions: i64,
    active: i64,
}

impl Pass for ActiveTime {
    type Answer = Vec<WorkerDay>;

    const NAME: &'static str = "active time";
    const COLUMNS: &'static [&'static str] = &["kind", "worker", "started_at"];

    fn take(&mut self, batch: &RecordBatch, slice: Slice) -> Result<()> {
        let workers = binary(batch, "worker")?;
        let kinds = column(batch, "kind", &DataType::Utf8)?;
        let kinds = kinds.logical_nulls();
        let started = integer(batch, "started_at")?;
        let hasher = FastMap::<u64, ()>::default();
        let mut row = 0;
        while row < batch.num_rows() {
            let Some(worker) = workers.is_valid(row).then(|| workers.value(row)) else {
                row += 1;
                continue;
            };
            let day = started.value(row).div_euclid(DAY);
            let (begin, end) = (day * DAY, (day + 1) * DAY);
            let alike = |&row: &usize| {
                (begin..end).contains(&started.value(row)) && workers.is_valid(row) && workers.value(row) == worker
            };
            let rows = row..row + (row..batch.num_rows()).take_while(alike).count();
            row = rows.end;
            if !slice.has(hasher.hasher().hash_one(worker)) {
                continue;
            }
            let starts = self.days.entry((self.workers.number(worker), day as i32)).or_default();
            let before = starts.capacity();
            let slice = &started.values()[rows.clone()];
            match &kinds {
                Some(kinds) => {
                    starts.extend(
                        slice.iter().zip(kinds.slice(rows.start, rows.len()).iter()).filter(|of| of.1).map(|of| of.0),
                    );
                }
                None => starts.extend_from_slice(slice),
            }
            self.bytes += (starts.capacity() - before) * size_of::<i64>();
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        self.bytes + self.days.capacity() * size_of::<((u32, i32), Vec<i64>)>()
    }

    fn answer(parts: Vec<Self>, rules: Rules, _: usize) -> Vec<WorkerDay> {
        let mut workers: Symbols<Vec<u8>> = Symbols::default();
        let mut days: FastMap<(u32, i32), Vec<i64>> = FastMap::default();
        for part in parts {
            let numbers: Vec<u32> = part.workers.values().iter().map(|worker| workers.number(worker)).collect();
            for ((worker, day), starts) in part.days {
                let held = days.entry((numbers[worker as usize], day)).or_default();
                if held.is_empty() { *held = starts } else { held.extend_from_slice(&starts) }
            }
        }
        let names = workers.values();
        days.into_iter()
            .filter(|(_, starts)| !starts.is_empty())
            .map(|((worker, day), mut starts)| {
                if !starts.is_sorted() {
                    // Runs are found and merged.
                    starts.sort();
                }
                let active = starts.windows(2).map(|pair| pair[1] - pair[0]).filter(|gap| *gap <= rules.idle).sum();
                let worker = names[worker as usize].clone();
                WorkerDay { worker, day, interactions: starts.len() as i64, active }
            })
            .collect()
    }

    fn rows(answers: Vec<Vec<WorkerDay>>) -> Result<RecordBatch> {
        let mut days: Vec<WorkerDay> = answers.into_iter().flatten().collect();
        days.sort_unstable();
        let worker = |day: &WorkerDay| day.worker.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let columns: Vec<ArrayRef> = vec![
            Arc::new(days.iter().map(|day| Some(worker(day))).collect::<StringArray>()),
            Arc::new(Date32Array::from_iter_values(days.iter().map(|day| day.day))),
            Arc::new(days.iter().map(|day| day.interactions).collect::<Int64Array>()),
            Arc::new(days.iter().map(|day| day.active).collect::<Int64Array>()),
        ];
        Ok(RecordBatch::try_new(TABLE.arrow_schema(), columns)?)
    }
}
