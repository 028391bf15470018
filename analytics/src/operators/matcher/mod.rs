//! Re-entry: which entries agree with a value that the estate held already, and how often that is chance.
//!
//! - [`agree`]: when two values agree;
//! - [`index`]: posting lists of everything held, from one pass over all cases;
//! - [`case`]: one case's targets and sources, in a second pass, case by case;
//! - [`hits`], [`chance`]: what the same target would find on other cases.

pub mod agree;
pub mod case;
pub mod chance;
pub mod hits;
pub mod index;
pub mod output;

#[cfg(test)]
mod tests;

use std::{
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use arrow::{
    array::{Array, BinaryArray, Int64Array, ListArray, RecordBatch, StringArray},
    datatypes::SchemaRef,
};
use datafusion::error::Result;

use super::{
    SpanKey,
    columns::{binary, bytes, integer, integers, list, text, word},
    grouped::GroupCore,
    hashing::{FastMap, FastSet},
    rework::Judged,
};
use crate::{local_time::LocalTime, tables};
use agree::Value;
use case::{Holder, match_case};
use chance::Tallies;
use index::{Builder, FieldName, Holding, Index};

/// The columns of `sql/facts/holdings.sql`: spans on a case that carry a value.
pub(super) struct Input {
    case: BinaryArray,
    span: BinaryArray,
    trace: BinaryArray,
    worker: BinaryArray,
    start: Int64Array,
    from: Int64Array,
    value_kind: StringArray,
    digest: Int64Array,
    parts: ListArray,
    /// The place in `names` of each row's field.
    fields: Vec<u32>,
    names: Vec<FieldName>,
}

impl Input {
    fn new(batch: &RecordBatch) -> Result<Self> {
        let (system, screen, field) = (text(batch, "system")?, text(batch, "screen")?, text(batch, "field")?);
        let (fields, names) = told_apart(&system, &screen, &field);
        Ok(Self {
            fields,
            names,
            case: binary(batch, "case_id")?,
            span: binary(batch, "span_id")?,
            trace: binary(batch, "trace_id")?,
            worker: binary(batch, "worker")?,
            start: integer(batch, "started_us")?,
            from: integer(batch, "from_us")?,
            value_kind: text(batch, "value_kind")?,
            digest: integer(batch, "value_digest")?,
            parts: integers(batch, "value_parts")?,
        })
    }

    fn key(&self, row: usize) -> SpanKey {
        SpanKey::from_bytes(self.span.value(row), self.trace.value(row))
    }

    fn field(&self, row: usize) -> &FieldName {
        &self.names[self.fields[row] as usize]
    }

    fn value(&self, row: usize) -> Value {
        Value::new(self.digest.value(row), list(&self.parts, row))
    }
}

/// The fields of a batch, each named once, and which of them each row has.
fn told_apart(systems: &StringArray, screens: &StringArray, fields: &StringArray) -> (Vec<u32>, Vec<FieldName>) {
    let mut seen: FastMap<[&str; 3], u32> = FastMap::default();
    let mut names = Vec::new();
    let rows = (0..fields.len())
        .map(|row| {
            let name = [systems.value(row), screens.value(row), fields.value(row)];
            *seen.entry(name).or_insert_with(|| {
                names.push((name[0].to_owned(), name[1].to_owned(), name[2].to_owned()));
                names.len() as u32 - 1
            })
        })
        .collect();
    (rows, names)
}

/// Adds a batch of `sql/facts/holdings.sql` to the posting lists.
pub fn gather(builder: &mut Builder, batch: &RecordBatch, local: LocalTime) -> Result<()> {
    let input = Input::new(batch)?;
    for row in 0..batch.num_rows() {
        let from = input.from.value(row);
        builder.add(&Holding {
            case: input.case.value(row),
            field: input.field(row),
            from,
            key: input.key(row),
            seen: bytes(&input.worker, row).map(|worker| (worker, local.day(from))),
            value: &input.value(row),
        });
    }
    Ok(())
}

/// The core of the matcher. Input: `sql/facts/holdings.sql`; output: the table `matches`.
#[derive(Debug)]
pub struct MatchCore {
    /// Everything held.
    pub index: Arc<Index>,
    /// Chains and rework, which tell what is a target.
    pub judged: Arc<FastMap<SpanKey, Judged>>,
    /// How old a source may be, microseconds.
    pub look_back: i64,
    /// The calendar.
    pub local: LocalTime,
    /// Where trials are added up.
    pub tallies: Arc<Mutex<Tallies>>,
    /// Where targets that agree with anything are gathered.
    pub matched: Arc<Mutex<FastSet<SpanKey>>>,
}

impl GroupCore for MatchCore {
    fn name(&self) -> &'static str {
        "Match"
    }

    fn key(&self) -> &'static str {
        "case_id"
    }

    fn order(&self) -> &'static [&'static str] {
        &["started_us", "span_id", "trace_id"]
    }

    fn schema(&self) -> SchemaRef {
        tables::MATCHES.arrow_schema()
    }

    fn process(&self, batch: &RecordBatch, groups: &[Range<usize>]) -> Result<RecordBatch> {
        let input = Input::new(batch)?;
        let mut tallies = Tallies::default();
        let mut matched = Vec::new();
        let mut rows = output::Rows::default();
        for group in groups {
            let case =
                self.index.case(input.case.value(group.start)).expect("the posting lists were made from the same rows");
            let holders: Vec<Holder> = group.clone().map(|row| self.holder(&input, row)).collect();
            let found = match_case(&holders, &self.index, self.look_back);
            tallies.add(case, &holders, &found.trials, &self.index);
            matched.extend(found.matches.iter().map(|found| holders[found.target].key));
            rows.add(group.start, &holders, &found.matches, &self.index);
        }
        self.tallies.lock().unwrap_or_else(PoisonError::into_inner).merge(tallies);
        self.matched.lock().unwrap_or_else(PoisonError::into_inner).extend(matched);
        rows.batch(batch)
    }
}

impl MatchCore {
    fn holder(&self, input: &Input, row: usize) -> Holder {
        let key = input.key(row);
        let start = input.start.value(row);
        let judged = self.judged.get(&key).filter(|judged| judged.last == key && judged.rework.is_none());
        let worker = bytes(&input.worker, row).and_then(|worker| self.index.worker(worker));
        let kind = word(&input.value_kind, row);
        Holder {
            key,
            start,
            from: input.from.value(row),
            field: self.index.field(input.field(row)).expect("the posting lists were made from the same rows"),
            content: self.index.content(&input.value(row)).expect("the posting lists were made from the same rows"),
            date: kind == Some("date"),
            words: matches!(kind, Some("name" | "text")),
            target: judged.and(worker).map(|worker| (worker, self.local.day(start))),
        }
    }
}
