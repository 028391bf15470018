//! Stretches → rows of the table `ledger`: what a row has of its owner is taken from the input as it is.

use std::sync::Arc;

use arrow::{
    array::{
        ArrayRef, BinaryArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray,
        TimestampMicrosecondArray, UInt32Array,
    },
    compute::take,
};
use datafusion::error::Result;

use super::{
    EntryFacts, Input, Instance,
    sweep::{Category, Stretch},
};
use crate::{
    local_time::LocalTime,
    operators::{columns::column, rework::Cause},
    tables,
};

/// Rows gathered over the workers of a batch.
#[derive(Debug, Default)]
pub(super) struct Rows {
    stretches: Vec<Stretch>,
    owners: Vec<u32>,
    fields: Vec<Option<u32>>,
    spans: Vec<u32>,
    nexts: Vec<Option<u32>>,
    instances: Vec<Option<Instance>>,
    targets: Vec<Option<[u8; 8]>>,
    lists: Vec<Option<i64>>,
    causes: Vec<Option<&'static str>>,
}

impl Rows {
    /// Adds the stretches of the worker whose rows begin at `first`.
    pub(super) fn add(
        &mut self,
        input: &Input,
        first: usize,
        stretches: &[Stretch],
        instances: &[Option<Instance>],
        entries: &EntryFacts,
    ) {
        for stretch in stretches {
            let row = |index: usize| (first + index) as u32;
            let gap = stretch.category.is_gap();
            let entry = if gap { None } else { input.entry(first + stretch.owner, entries) };
            self.stretches.push(*stretch);
            self.owners.push(row(stretch.owner));
            self.fields.push((!gap).then(|| row(stretch.owner)));
            self.spans.push(row(stretch.span));
            self.nexts.push(stretch.next.map(row));
            self.instances.push(instances[stretch.owner]);
            let last = entry.map(|entry| entries.lasts[entry as usize]);
            self.targets.push(last.map(|last| entries.span_ids[last as usize].to_be_bytes()));
            let matched = entry.filter(|_| stretch.category == Category::Matched);
            self.lists.push(matched.and_then(|entry| entries.list(entry)));
            self.causes.push(entry.and_then(|entry| entries.cause(entry)).map(Cause::as_str));
        }
    }

    /// The rows as a batch of the table; `input` is the batch that they were made from.
    pub(super) fn batch(&self, input: &RecordBatch) -> Result<RecordBatch> {
        let owners = UInt32Array::from_iter_values(self.owners.iter().copied());
        let fields = UInt32Array::from_iter(self.fields.iter().copied());
        let spans = UInt32Array::from_iter_values(self.spans.iter().copied());
        let nexts = UInt32Array::from_iter(self.nexts.iter().copied());
        let instant =
            |times: Vec<i64>| -> ArrayRef { Arc::new(TimestampMicrosecondArray::from(times).with_timezone("UTC")) };
        let schema = tables::LEDGER.arrow_schema();
        let columns = schema
            .fields()
            .iter()
            .map(|wanted| -> Result<ArrayRef> {
                let taken = |name: &str, rows: &UInt32Array| -> Result<ArrayRef> {
                    Ok(take(&column(input, name, wanted.data_type())?, rows, None)?)
                };
                Ok(match wanted.name().as_str() {
                    "started_at" => instant(self.stretches.iter().map(|stretch| stretch.start).collect()),
                    "ended_at" => instant(self.stretches.iter().map(|stretch| stretch.end).collect()),
                    "chain_started_at" => Arc::new(
                        TimestampMicrosecondArray::from_iter(self.stretches.iter().map(|stretch| stretch.chain))
                            .with_timezone("UTC"),
                    ),
                    "seconds" => Arc::new(Float64Array::from_iter_values(
                        self.stretches.iter().map(|stretch| (stretch.end - stretch.start) as f64 / 1e6),
                    )),
                    "category" => Arc::new(StringArray::from_iter_values(
                        self.stretches.iter().map(|stretch| stretch.category.as_str()),
                    )),
                    "next_system" => taken("system", &nexts)?,
                    "field" => taken("field", &fields)?,
                    "task_instance" => Arc::new(BinaryArray::from_iter(
                        self.instances.iter().map(|instance| instance.as_ref().map(Instance::id)),
                    )),
                    "delimiter" => Arc::new(StringArray::from_iter(
                        self.instances.iter().map(|instance| instance.as_ref().map(|instance| instance.delimiter)),
                    )),
                    "span_id" => taken("span_id", &spans)?,
                    "trace_id" => taken("trace_id", &spans)?,
                    "target_span_id" => Arc::new(BinaryArray::from_iter(self.targets.iter().copied())),
                    "match_list" => Arc::new(Int64Array::from_iter(self.lists.iter().copied())),
                    "rework_cause" => Arc::new(StringArray::from_iter(self.causes.iter().copied())),
                    "day" => Arc::new(Date32Array::from_iter_values(self.stretches.iter().map(|stretch| stretch.day))),
                    "week" => Arc::new(Date32Array::from_iter_values(
                        self.stretches.iter().map(|stretch| LocalTime::monday(stretch.day)),
                    )),
                    name => taken(name, &owners)?,
                })
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(RecordBatch::try_new(schema, columns)?)
    }
}
