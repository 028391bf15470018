//! The time ledger as an operator: interactions of a worker → stretches of time.
//!
//! - [`activity`]: what is an activity, and how long it is open;
//! - [`waits`]: chains of waits, first sign-ins;
//! - [`sweep`]: each instant to exactly one row;
//! - [`runs`]: task instances that nobody named;
//! - [`parts`]: what task instances are made of;
//! - [`agreeing`]: time of entries that agree with a value held already;
//! - [`cube`]: time by week, place and category;
//! - [`tried`]: time with other values of parameters.

pub mod activity;
pub mod agreeing;
pub mod cube;
pub mod parts;
pub mod rows;
pub mod runs;
pub mod sweep;
pub mod tried;
pub mod waits;

#[cfg(test)]
mod tests;

use std::ops::Range;

use arrow::array::{Array, BinaryArray, BooleanArray, Int64Array, RecordBatch, StringArray, UInt32Array};
use datafusion::{common::cast::as_uint32_array, error::Result};

use super::{
    SpanKey,
    columns::{binary, boolean, bytes, column, integer, number, text, word},
    hashing::FastMap,
    rework::Cause,
};
use activity::{Activity, EntryIs, Kind, Rules};
use arrow::datatypes::DataType;

/// What earlier steps found out about entries, each by its number.
#[derive(Debug, Default)]
pub struct EntryFacts {
    /// The first span of its chain.
    pub heads: Vec<u32>,
    /// The last span of its chain.
    pub lasts: Vec<u32>,
    /// Set where the chain is rework.
    pub rework: Vec<Option<Cause>>,
    /// The number of the list of sources that it agrees with, [`NO_LIST`] where there are none; asked of the last of a
    /// chain.
    pub lists: Vec<u32>,
    /// The ids of lists by number.
    pub list_ids: Vec<i64>,
    /// Its span id.
    pub span_ids: Vec<u64>,
}

/// The number of no list.
pub const NO_LIST: u32 = u32::MAX;

impl EntryFacts {
    /// Why it was entered again, where its chain is rework.
    fn cause(&self, entry: u32) -> Option<Cause> {
        self.rework[entry as usize]
    }

    /// The id of the list of sources that the chain of an entry agrees with.
    pub fn list(&self, entry: u32) -> Option<i64> {
        let list = self.lists[self.lasts[entry as usize] as usize];
        (list != NO_LIST).then(|| self.list_ids[list as usize])
    }

    fn is(&self, entry: u32) -> EntryIs {
        if self.rework[entry as usize].is_some() {
            EntryIs::Rework
        } else if self.list(entry).is_some() {
            EntryIs::Matched
        } else {
            EntryIs::First
        }
    }
}

/// What becomes of activities.
#[derive(Debug)]
pub struct Cut {
    /// Rows of the table `ledger`, in order of worker and start.
    pub ledger: RecordBatch,
    /// Pieces of task instances, to be added up as `sql/facts/task_instances.sql` says.
    pub parts: RecordBatch,
    /// Time by worker, week, place and category, to be added up into `weekly_times`.
    pub cube: RecordBatch,
    /// Time of entries that agree with a value held already, of which `matched_times` is made.
    pub agreeing: RecordBatch,
    /// Time with other values of parameters.
    pub tried: tried::Sums,
}

/// Cuts the time of workers. `batch` has the columns of `sql/facts/activities.sql` and `entry`, the number of an entry in
/// `entries`, in order of worker, start and key, each activity once; `groups` are the rows of one worker each, which must
/// be whole stretches of their time: nothing outside of a group may reach into it.
pub fn cut(batch: &RecordBatch, groups: &[Range<usize>], rules: &Rules, entries: &EntryFacts) -> Result<Cut> {
    let input = Input::new(batch)?;
    let mut rows = rows::Rows::default();
    let mut parts = parts::Parts::default();
    let mut cube = cube::Cube::default();
    let mut agreeing = agreeing::Times::default();
    let mut tried = tried::Sums::default();
    for group in groups {
        let activities: Vec<Activity> = input.activities(group.clone(), entries);
        let closes = activity::closes(&activities, rules);
        let instances = input.instances(group.start, &activities, &runs::runs(&activities, &closes, rules));
        let stretches = sweep::sweep(&activities, rules);
        parts.add(&input, group.start, &activities, &closes, &stretches, &instances, entries);
        cube.add(&input, group.start, &stretches, &instances, entries);
        agreeing.add(&input, group.start, &stretches, &instances, entries);
        tried.add(&input, group.start, &stretches, rules);
        rows.add(&input, group.start, &stretches, &instances, entries);
    }
    Ok(Cut {
        ledger: rows.batch(batch)?,
        parts: parts.batch(batch, rules)?,
        cube: cube.batch(batch)?,
        agreeing: agreeing.batch(batch)?,
        tried,
    })
}

/// When the last of a worker's activities closes, whoever knows no later ones. Rows as for [`cut`].
pub fn closed_at(batch: &RecordBatch, group: Range<usize>, rules: &Rules) -> Result<i64> {
    let input = Input::new(&batch.slice(group.start, group.len()))?;
    let activities = input.activities(0..group.len(), &EntryFacts::default());
    Ok(activity::closes(&activities, rules).into_iter().max().unwrap_or(i64::MIN))
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
    pub(super) field: StringArray,
    pub(super) function: StringArray,
    pub(super) release: StringArray,
    pub(super) task: StringArray,
    pub(super) organisation: StringArray,
    pub(super) role: StringArray,
    outcome: StringArray,
    pub(super) case: BinaryArray,
    instance: BinaryArray,
    delimiter: StringArray,
    completes: BooleanArray,
    entry: UInt32Array,
}

/// The task instance of an activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Instance {
    id: [u8; 24],
    length: u8,
    /// How it was told.
    pub(super) delimiter: &'static str,
}

impl Instance {
    fn new(parts: [&[u8]; 2], delimiter: &'static str) -> Self {
        let mut id = [0; 24];
        let mut length = 0;
        for byte in parts.into_iter().flatten().take(id.len()) {
            id[length] = *byte;
            length += 1;
        }
        Self { id, length: length as u8, delimiter }
    }

    /// Its id.
    pub(super) fn id(&self) -> &[u8] {
        &self.id[..usize::from(self.length)]
    }
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
            field: text(batch, "field")?,
            function: text(batch, "function")?,
            release: text(batch, "release")?,
            task: text(batch, "task")?,
            organisation: text(batch, "organisation")?,
            role: text(batch, "role")?,
            outcome: text(batch, "outcome")?,
            case: binary(batch, "case_id")?,
            instance: binary(batch, "task_instance")?,
            delimiter: text(batch, "delimiter")?,
            completes: boolean(batch, "completes")?,
            entry: as_uint32_array(&column(batch, "entry", &DataType::UInt32)?)?.clone(),
        })
    }

    /// The columns of [`cube::OWNED`].
    pub(super) const fn owned(&self) -> [&StringArray; cube::OWNED.len()] {
        [&self.organisation, &self.role, &self.system, &self.function, &self.task]
    }

    pub(super) fn key(&self, row: usize) -> SpanKey {
        SpanKey::from_bytes(self.span.value(row), self.trace.value(row))
    }

    /// The number of an entry, where the row is one that was judged.
    pub(super) fn entry(&self, row: usize, entries: &EntryFacts) -> Option<u32> {
        let entry = self.entry.is_valid(row).then(|| self.entry.value(row))?;
        entries.heads.get(entry as usize).filter(|head| **head != u32::MAX).map(|_| entry)
    }

    fn activities(&self, rows: Range<usize>, entries: &EntryFacts) -> Vec<Activity> {
        // Numbers mean nothing outside of the group.
        let mut systems: FastMap<Option<&str>, u32> = FastMap::default();
        let mut cases: FastMap<&[u8], u32> = FastMap::default();
        rows.map(|row| {
            let filled = matches!(word(&self.origin, row), Some("prefilled" | "autofilled"));
            let (known_systems, known_cases) = (systems.len() as u32, cases.len() as u32);
            Activity {
                start: self.start.value(row),
                end: self.end.value(row),
                key: self.key(row),
                kind: Kind::of(self.kind.value(row), filled),
                keystrokes: number(&self.keystrokes, row),
                system: *systems.entry(word(&self.system, row)).or_insert(known_systems),
                failed: word(&self.outcome, row) == Some("failed"),
                entry: self.entry(row, entries).map_or(EntryIs::First, |entry| entries.is(entry)),
                case: bytes(&self.case, row).map(|case| *cases.entry(case).or_insert(known_cases)),
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
                    return Some(Instance::new([id, &[]], delimiter));
                }
                // A run is named by its first activity, so that its id does not depend on what came before or after.
                let head = first + runs[index]?;
                Some(Instance::new([self.span.value(head), self.trace.value(head)], "run"))
            })
            .collect()
    }
}
