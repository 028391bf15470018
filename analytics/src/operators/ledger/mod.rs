//! The time ledger as an operator: interactions of a worker → stretches of time.
//!
//! - [`activity`]: what is an activity, and how long it is open;
//! - [`waits`]: chains of waits, first sign-ins;
//! - [`sweep`]: each instant to exactly one row;
//! - [`runs`]: task instances that nobody named;
//! - [`parts`]: what task instances are made of.

pub mod activity;
pub mod parts;
pub mod rows;
pub mod runs;
pub mod sweep;
pub mod waits;

#[cfg(test)]
mod tests;

use std::{
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use arrow::{
    array::{Array, BinaryArray, BooleanArray, Int64Array, RecordBatch, StringArray},
    datatypes::SchemaRef,
};
use datafusion::error::Result;

use super::{
    SpanKey,
    columns::{Symbols, binary, boolean, bytes, integer, number, text, word},
    grouped::GroupCore,
    hashing::{FastMap, FastSet},
    rework::Judged,
};
use crate::tables;
use activity::{Activity, EntryIs, Kind, Rules};

/// What earlier steps found out about entries, by span.
#[derive(Debug, Default)]
pub struct EntryFacts {
    /// Chain and rework of each entry.
    pub judged: Arc<FastMap<SpanKey, Judged>>,
    /// Targets that agree with a held value.
    pub matched: FastSet<SpanKey>,
}

/// The core of the ledger. Input: `sql/facts/activities.sql`; output: the table `ledger`.
#[derive(Debug)]
pub struct LedgerCore {
    /// The parameters.
    pub rules: Rules,
    /// What is known of entries.
    pub entries: Arc<EntryFacts>,
    /// Where the pieces of task instances are gathered, to be added up by `sql/facts/task_instances.sql`.
    pub parts: Arc<Mutex<Vec<RecordBatch>>>,
}

impl GroupCore for LedgerCore {
    fn name(&self) -> &'static str {
        "Ledger"
    }

    fn key(&self) -> &'static str {
        "worker"
    }

    fn order(&self) -> &'static [&'static str] {
        &["started_us", "span_id", "trace_id"]
    }

    fn schema(&self) -> SchemaRef {
        tables::LEDGER.arrow_schema()
    }

    fn process(&self, batch: &RecordBatch, groups: &[Range<usize>]) -> Result<RecordBatch> {
        let input = Input::new(batch)?;
        let mut rows = rows::Rows::default();
        let mut parts = parts::Parts::default();
        for group in groups {
            let activities: Vec<Activity> = input.activities(group.clone(), &self.entries);
            let closes = activity::closes(&activities, &self.rules);
            let instances = input.instances(group.start, &activities, &runs::runs(&activities, &closes, &self.rules));
            let stretches = sweep::sweep(&activities, &self.rules);
            parts.add(&input, group.start, &activities, &closes, &stretches, &instances, &self.entries);
            rows.add(&input, group.start, &stretches, &instances, &self.entries);
        }
        let parts = parts.batch(batch, &self.rules)?;
        self.parts.lock().unwrap_or_else(PoisonError::into_inner).push(parts);
        rows.batch(batch)
    }
}

/// The columns that the core reads.
pub(super) struct Input {
    start: Int64Array,
    end: Int64Array,
    span: BinaryArray,
    trace: BinaryArray,
    kind: StringArray,
    origin: StringArray,
    keystrokes: Int64Array,
    pub(super) system: StringArray,
    pub(super) screen: StringArray,
    pub(super) release: StringArray,
    pub(super) task: StringArray,
    outcome: StringArray,
    pub(super) case: BinaryArray,
    instance: BinaryArray,
    delimiter: StringArray,
    completes: BooleanArray,
}

/// The task instance of an activity.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Instance {
    /// Its id.
    pub(super) id: Vec<u8>,
    /// How it was told.
    pub(super) delimiter: &'static str,
}

impl Input {
    fn new(batch: &RecordBatch) -> Result<Self> {
        Ok(Self {
            start: integer(batch, "started_us")?,
            end: integer(batch, "ended_us")?,
            span: binary(batch, "span_id")?,
            trace: binary(batch, "trace_id")?,
            kind: text(batch, "kind")?,
            origin: text(batch, "origin")?,
            keystrokes: integer(batch, "keystrokes")?,
            system: text(batch, "system")?,
            screen: text(batch, "screen")?,
            release: text(batch, "release")?,
            task: text(batch, "task")?,
            outcome: text(batch, "outcome")?,
            case: binary(batch, "case_id")?,
            instance: binary(batch, "task_instance")?,
            delimiter: text(batch, "delimiter")?,
            completes: boolean(batch, "completes")?,
        })
    }

    pub(super) fn key(&self, row: usize) -> SpanKey {
        SpanKey::from_bytes(self.span.value(row), self.trace.value(row))
    }

    fn activities(&self, rows: Range<usize>, entries: &EntryFacts) -> Vec<Activity> {
        let mut systems: Symbols<Option<String>> = Symbols::default();
        let mut cases: Symbols<Vec<u8>> = Symbols::default();
        rows.map(|row| {
            let key = self.key(row);
            let filled = matches!(word(&self.origin, row), Some("prefilled" | "autofilled"));
            let entry = match entries.judged.get(&key) {
                Some(judged) if judged.rework.is_some() => EntryIs::Rework,
                Some(judged) if entries.matched.contains(&judged.last) => EntryIs::Matched,
                _ => EntryIs::First,
            };
            Activity {
                start: self.start.value(row),
                end: self.end.value(row),
                key,
                kind: Kind::of(self.kind.value(row), filled),
                keystrokes: number(&self.keystrokes, row),
                system: systems.number_of(word(&self.system, row)),
                failed: word(&self.outcome, row) == Some("failed"),
                entry,
                case: bytes(&self.case, row).map(|case| cases.number(case)),
                task_known: self.instance.is_valid(row),
                completes: self.completes.is_valid(row) && self.completes.value(row),
            }
        })
        .collect()
    }

    /// The task instance of each activity: as sent, else its run.
    fn instances(&self, first: usize, activities: &[Activity], runs: &[Option<usize>]) -> Vec<Option<Instance>> {
        (0..activities.len())
            .map(|index| {
                let row = first + index;
                if let Some(id) = bytes(&self.instance, row) {
                    let delimiter = match word(&self.delimiter, row) {
                        Some("task_id") => "task_id",
                        Some("trace") => "trace",
                        _ => "rule",
                    };
                    return Some(Instance { id: id.to_vec(), delimiter });
                }
                // A run is named by its first activity, so that its id does not depend on what came before or after.
                let head = first + runs[index]?;
                let id = [self.span.value(head), self.trace.value(head)].concat();
                Some(Instance { id, delimiter: "run" })
            })
            .collect()
    }
}

impl Symbols<Option<String>> {
    /// The number of a word; its absence has one, too.
    pub(super) fn number_of(&mut self, value: Option<&str>) -> u32 {
        self.number(&value.map(str::to_owned))
    }
}
