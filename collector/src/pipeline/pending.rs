//! Rows that are in the log and not yet in `spans`.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use arrow::array::{Array as _, ArrayRef, RecordBatch};

use super::units;
use crate::{
    log::Record,
    share::{Held, Sender, Stock},
};

/// What waits for the committer, in order of sequence.
#[derive(Debug)]
pub(super) struct Pending {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    committed: u64,
    records: VecDeque<Entry>,
    waiting: Waiting,
}

/// A record and the room that it takes.
#[derive(Debug)]
struct Entry {
    record: Record,
    /// What its submission was given room for, which is more than its rows if repeats were dropped from them: whoever
    /// waits for room waits for that.
    bytes: usize,
    /// Since when it is on the disk, or known to be after a start.
    since: Instant,
    _room: Held,
}

/// How much waits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) rows: usize,
    pub(super) bytes: usize,
}

impl Pending {
    /// `records` are those that a replay brought back. They must be let in, whatever the bounds, and take what room there
    /// is.
    pub(super) fn new(committed: u64, records: Vec<Record>, room: &Arc<Stock>) -> Self {
        let state = State { committed, records: VecDeque::new(), waiting: Waiting::default() };
        let pending = Self { state: Mutex::new(state) };
        for record in records {
            let bytes = own_bytes(&record.rows);
            pending.push(record, bytes, room.seize(Sender::Process, units(bytes)));
        }
        pending
    }

    /// Adds a record that takes so many bytes; says how much waits now.
    pub(super) fn push(&self, record: Record, bytes: usize, room: Held) -> Waiting {
        let mut state = self.lock();
        state.waiting.rows += record.rows.num_rows();
        state.waiting.bytes += bytes;
        state.records.push_back(Entry { record, bytes, since: Instant::now(), _room: room });
        state.waiting
    }

    /// For how long the oldest record that has rows has waited.
    pub(super) fn oldest_age(&self) -> Duration {
        let state = self.lock();
        let oldest = state.records.iter().find(|entry| entry.record.rows.num_rows() > 0);
        oldest.map_or(Duration::ZERO, |entry| entry.since.elapsed())
    }

    /// The sequence of the newest record; `None` if nothing waits.
    pub(super) fn newest(&self) -> Option<u64> {
        self.lock().records.back().map(|entry| entry.record.sequence)
    }

    /// The oldest records up to a sequence, until they are at least so many rows.
    pub(super) fn oldest(&self, up_to: u64, rows: usize) -> Vec<Record> {
        let mut taken = 0;
        self.lock()
            .records
            .iter()
            .map(|entry| &entry.record)
            .take_while(|record| {
                let more = taken < rows && record.sequence <= up_to;
                taken += record.rows.num_rows();
                more
            })
            .cloned()
            .collect()
    }

    /// Forgets what is committed, and so makes room.
    pub(super) fn forget(&self, committed: u64) {
        let mut state = self.lock();
        state.committed = state.committed.max(committed);
        while state.records.front().is_some_and(|entry| entry.record.sequence <= committed) {
            if let Some(entry) = state.records.pop_front() {
                state.waiting.rows -= entry.record.rows.num_rows();
                state.waiting.bytes -= entry.bytes;
            }
        }
    }

    /// The rows above the watermark, and the watermark.
    pub(super) fn rows(&self) -> (u64, Vec<RecordBatch>) {
        let state = self.lock();
        let rows = state
            .records
            .iter()
            .map(|entry| &entry.record)
            .filter(|record| record.sequence > state.committed && record.rows.num_rows() > 0)
            .map(|record| record.rows.clone())
            .collect();
        (state.committed, rows)
    }

    /// The watermark, and how much waits.
    pub(super) fn standing(&self) -> (u64, Waiting) {
        let state = self.lock();
        (state.committed, state.waiting)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes of the rows themselves: those that a replay brought back lie in the memory of their whole segment.
fn own_bytes(rows: &RecordBatch) -> usize {
    let bytes_of = |column: &ArrayRef| {
        let data = column.to_data();
        data.get_slice_memory_size().unwrap_or_else(|_| data.get_array_memory_size())
    };
    rows.columns().iter().map(bytes_of).sum()
}
