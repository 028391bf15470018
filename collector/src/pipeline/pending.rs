//! Rows that are in the log and not yet in `spans`.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use arrow::array::RecordBatch;
use tokio::sync::OwnedSemaphorePermit;

use crate::log::Record;

/// What waits for the committer, in order of sequence.
#[derive(Debug)]
pub(super) struct Pending {
    state: Mutex<State>,
    failed: AtomicBool,
}

#[derive(Debug)]
struct State {
    committed: u64,
    records: VecDeque<(Record, Option<OwnedSemaphorePermit>)>,
    waiting: Waiting,
}

/// How much waits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) rows: usize,
    pub(super) bytes: usize,
}

impl Pending {
    /// `records` are those that a replay brought back. They hold no room: they must be let in, whatever the bounds.
    pub(super) fn new(committed: u64, records: Vec<Record>) -> Self {
        let pending = Self {
            state: Mutex::new(State { committed, records: VecDeque::new(), waiting: Waiting::default() }),
            failed: AtomicBool::new(false),
        };
        for record in records {
            pending.push(record, None);
        }
        pending
    }

    /// Adds a record; says how much waits now.
    pub(super) fn push(&self, record: Record, hold: Option<OwnedSemaphorePermit>) -> Waiting {
        let mut state = self.lock();
        state.waiting.rows += record.rows.num_rows();
        state.waiting.bytes += record.rows.get_array_memory_size();
        state.records.push_back((record, hold));
        state.waiting
    }

    /// The oldest records, until they are at least so many rows.
    pub(super) fn oldest(&self, rows: usize) -> Vec<Record> {
        let mut taken = 0;
        self.lock()
            .records
            .iter()
            .take_while(|(record, _)| {
                let more = taken < rows;
                taken += record.rows.num_rows();
                more
            })
            .map(|(record, _)| record.clone())
            .collect()
    }

    /// Forgets what is committed, and so makes room.
    pub(super) fn forget(&self, committed: u64) {
        let mut state = self.lock();
        state.committed = state.committed.max(committed);
        while state.records.front().is_some_and(|(record, _)| record.sequence <= committed) {
            if let Some((record, _)) = state.records.pop_front() {
                state.waiting.rows -= record.rows.num_rows();
                state.waiting.bytes -= record.rows.get_array_memory_size();
            }
        }
    }

    /// The rows above the watermark, and the watermark.
    pub(super) fn rows(&self) -> (u64, Vec<RecordBatch>) {
        let state = self.lock();
        let rows = state
            .records
            .iter()
            .filter(|(record, _)| record.sequence > state.committed && record.rows.num_rows() > 0)
            .map(|(record, _)| record.rows.clone())
            .collect();
        (state.committed, rows)
    }

    /// The watermark, and how much waits.
    pub(super) fn standing(&self) -> (u64, Waiting) {
        let state = self.lock();
        (state.committed, state.waiting)
    }

    /// Notes that the tables are in doubt: nothing more may be acknowledged.
    pub(super) fn fail(&self) {
        self.failed.store(true, Ordering::Release);
    }

    pub(super) fn is_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
