//! Pieces of task instances: what one worker did for one instance and case on one screen of one release. Added up by
//! [`crate::operators::instances`].

use std::sync::{Arc, LazyLock};

use arrow::{
    array::{ArrayRef, BinaryArray, Date32Array, Int64Array, RecordBatch, StringArray, UInt32Array},
    compute::take,
    datatypes::{DataType, Field, Schema, SchemaRef},
};
use datafusion::error::Result;

use super::{
    EntryFacts, Input, Instance,
    activity::{Activity, EntryIs, Kind, Rules},
    sweep::Stretch,
};
use crate::operators::{
    columns::{bytes, column, word},
    hashing::FastMap,
};

/// The columns of a piece; times and durations in microseconds.
pub static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let counts =
        ["started_us", "ended_us", "active_us", "lost_us", "switches", "entries", "re_entries", "rework", "waits"];
    let mut fields = vec![
        Field::new("task_instance", DataType::Binary, false),
        Field::new("delimiter", DataType::Utf8, false),
        Field::new("worker", DataType::Binary, true),
        Field::new("case_id", DataType::Binary, true),
    ];
    fields.extend(OWNED.map(|name| Field::new(name, DataType::Utf8, true)));
    fields.extend(counts.map(|name| Field::new(name, DataType::Int64, false)));
    fields.push(Field::new("day", DataType::Date32, false));
    Arc::new(Schema::new(fields))
});

/// Columns that a piece has of its first activity.
const OWNED: [&str; 6] = ["task", "organisation", "role", "system", "screen", "release"];

#[derive(Debug, Default)]
pub(super) struct Parts {
    parts: Vec<Part>,
}

#[derive(Debug)]
struct Part {
    instance: Instance,
    row: u32,
    start: i64,
    end: i64,
    active: i64,
    lost: i64,
    switches: i64,
    entries: i64,
    re_entries: i64,
    rework: i64,
    waits: i64,
}

impl Parts {
    /// Adds the pieces of the worker whose rows begin at `first`.
    #[expect(clippy::too_many_arguments, reason = "one worker's results, each made by its own step")]
    pub(super) fn add(
        &mut self,
        input: &Input,
        first: usize,
        activities: &[Activity],
        closes: &[i64],
        stretches: &[Stretch],
        instances: &[Option<Instance>],
        entries: &EntryFacts,
    ) {
        let mut places = FastMap::default();
        let mut of: Vec<Option<usize>> = vec![None; activities.len()];
        // Changes of system are counted within a stretch of work: nobody switches overnight.
        let mut last_system: FastMap<&[u8], u32> = FastMap::default();
        for (index, activity) in activities.iter().enumerate() {
            let Some(instance) = &instances[index] else { continue };
            let row = first + index;
            let of_place = (word(&input.system, row), word(&input.screen, row), word(&input.release, row));
            let place = (instance.id(), bytes(&input.case, row), word(&input.task, row), of_place);
            let place = *places.entry(place).or_insert_with(|| {
                self.parts.push(Part {
                    instance: *instance,
                    row: row as u32,
                    start: activity.start,
                    end: closes[index],
                    active: 0,
                    lost: 0,
                    switches: 0,
                    entries: 0,
                    re_entries: 0,
                    rework: 0,
                    waits: 0,
                });
                self.parts.len() - 1
            });
            of[index] = Some(place);
            let part = &mut self.parts[place];
            part.end = part.end.max(closes[index]);
            part.waits += i64::from(activity.kind == Kind::Wait);
            let before = last_system.insert(instance.id(), activity.system);
            part.switches += i64::from(before.is_some_and(|before| before != activity.system));
            if let Some(entry) = input.entry(row, entries)
                && entries.heads[entry as usize] == entry
            {
                part.entries += 1;
                part.rework += i64::from(activity.entry == EntryIs::Rework);
                part.re_entries += i64::from(activity.entry == EntryIs::Matched);
            }
        }
        for stretch in stretches {
            let Some(place) = of[stretch.owner] else { continue };
            let length = stretch.end - stretch.start;
            self.parts[place].active += if stretch.category.is_outside() { 0 } else { length };
            self.parts[place].lost += if stretch.category.is_lost() { length } else { 0 };
        }
    }

    /// The pieces as a batch; `input` is the batch that they were made from.
    pub(super) fn batch(&self, input: &RecordBatch, rules: &Rules) -> Result<RecordBatch> {
        let rows = UInt32Array::from_iter_values(self.parts.iter().map(|part| part.row));
        let taken = |name: &str, data_type: &DataType| -> Result<ArrayRef> {
            Ok(take(&column(input, name, data_type)?, &rows, None)?)
        };
        let counted = |count: fn(&Part) -> i64| -> ArrayRef {
            Arc::new(Int64Array::from_iter_values(self.parts.iter().map(count)))
        };
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(BinaryArray::from_iter_values(self.parts.iter().map(|part| part.instance.id()))),
            Arc::new(StringArray::from_iter_values(self.parts.iter().map(|part| part.instance.delimiter))),
            taken("worker", &DataType::Binary)?,
            taken("case_id", &DataType::Binary)?,
        ];
        for name in OWNED {
            columns.push(taken(name, &DataType::Utf8)?);
        }
        columns.extend([
            counted(|part| part.start),
            counted(|part| part.end),
            counted(|part| part.active),
            counted(|part| part.lost),
            counted(|part| part.switches),
            counted(|part| part.entries),
            counted(|part| part.re_entries),
            counted(|part| part.rework),
            counted(|part| part.waits),
        ]);
        columns
            .push(Arc::new(Date32Array::from_iter_values(self.parts.iter().map(|part| rules.local.day(part.start)))));
        Ok(RecordBatch::try_new(SCHEMA.clone(), columns)?)
    }
}
