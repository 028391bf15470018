//! Matches → rows of the table `matches`; tallies → rows of `pair_counts` and `pair_workers`.

use std::sync::Arc;

use arrow::{
    array::{
        ArrayRef, BinaryArray, Date32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
        UInt32Array,
    },
    compute::take,
};
use datafusion::error::Result;

use super::{
    case::{Agreement, From, Holder, Match},
    chance::{Count, Share, Tallies, Tally},
    index::Index,
};
use crate::{operators::columns::column, tables};

/// Rows gathered over the cases of a batch.
#[derive(Debug, Default)]
pub(super) struct Rows {
    targets: Vec<u32>,
    sources: Vec<u32>,
    at: Vec<i64>,
    from: Vec<i64>,
    days: Vec<i32>,
    kinds: Vec<Agreement>,
    scopes: Vec<&'static str>,
}

/// `cross_system` or `within_system`.
fn scope(from: &str, to: &str) -> &'static str {
    if from == to { "within_system" } else { "cross_system" }
}

impl Rows {
    /// Adds the matches of the case whose rows begin at `first`.
    pub(super) fn add(&mut self, first: usize, spans: &[Holder], matches: &[Match], index: &Index) {
        for found in matches {
            let (target, source) = (&spans[found.target], &spans[found.source]);
            self.targets.push((first + found.target) as u32);
            self.sources.push((first + found.source) as u32);
            self.at.push(target.start);
            self.from.push(source.from);
            self.days.push(target.target.map_or(0, |(_, day)| day));
            self.kinds.push(found.kind);
            self.scopes.push(scope(&index.name(source.field).0, &index.name(target.field).0));
        }
    }

    /// The rows as a batch of the table; `input` is the batch that they were made from.
    pub(super) fn batch(&self, input: &RecordBatch) -> Result<RecordBatch> {
        let targets = UInt32Array::from_iter_values(self.targets.iter().copied());
        let sources = UInt32Array::from_iter_values(self.sources.iter().copied());
        let instants = |times: &[i64]| -> ArrayRef {
            Arc::new(TimestampMicrosecondArray::from(times.to_vec()).with_timezone("UTC"))
        };
        let schema = tables::MATCHES.arrow_schema();
        let columns = schema
            .fields()
            .iter()
            .map(|wanted| -> Result<ArrayRef> {
                let taken = |name: &str, rows: &UInt32Array| -> Result<ArrayRef> {
                    Ok(take(&column(input, name, wanted.data_type())?, rows, None)?)
                };
                Ok(match wanted.name().as_str() {
                    "at" => instants(&self.at),
                    "from_at" => instants(&self.from),
                    "scope" => Arc::new(StringArray::from_iter_values(&self.scopes)),
                    "match" => Arc::new(StringArray::from_iter_values(self.kinds.iter().map(|kind| kind.as_str()))),
                    "day" => Arc::new(Date32Array::from_iter_values(self.days.iter().copied())),
                    "from_span_id" => taken("span_id", &sources)?,
                    "from_worker" => taken("worker", &sources)?,
                    "from_system" => taken("system", &sources)?,
                    "from_screen" => taken("screen", &sources)?,
                    "from_field" => taken("field", &sources)?,
                    "to_system" => taken("system", &targets)?,
                    "to_screen" => taken("screen", &targets)?,
                    "to_field" => taken("field", &targets)?,
                    name => taken(name, &targets)?,
                })
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(RecordBatch::try_new(schema, columns)?)
    }
}

/// The table `pair_counts`.
pub fn pair_counts(tallies: &Tallies, index: &Index) -> Result<RecordBatch> {
    let rows: Vec<_> = tallies.rows().into_iter().collect();
    let counts = |count: fn(&Tally, &Count) -> u64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|(_, (tally, kind))| count(tally, kind) as i64)))
    };
    let mut columns = pairs(rows.iter().map(|((from, to, kind, _), _)| (*from, *to, *kind)), index);
    columns.extend([
        counts(|tally, _| tally.n),
        counts(|_, kind| kind.m),
        counts(|_, kind| kind.all_hits),
        counts(|tally, _| tally.all_trials),
        counts(|_, kind| kind.near_hits),
        counts(|tally, _| tally.near_trials),
        counts(|tally, _| tally.disagreements),
        Arc::new(Date32Array::from_iter_values(rows.iter().map(|((_, _, _, day), _)| *day))),
    ]);
    Ok(RecordBatch::try_new(tables::PAIR_COUNTS.arrow_schema(), columns)?)
}

/// The table `pair_workers`.
pub fn pair_workers(tallies: &Tallies, index: &Index) -> Result<RecordBatch> {
    let rows: Vec<_> = tallies.shares().into_iter().collect();
    let counts = |count: fn(&Share, &Count) -> u64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|(_, (share, kind))| count(share, kind) as i64)))
    };
    let workers = index.workers();
    let mut columns = pairs(rows.iter().map(|((from, to, kind, _), _)| (*from, *to, *kind)), index);
    columns.extend([
        Arc::new(BinaryArray::from_iter_values(rows.iter().map(|((_, _, _, worker), _)| &workers[*worker as usize])))
            as ArrayRef,
        counts(|share, _| share.n),
        counts(|_, kind| kind.m),
        counts(|_, kind| kind.all_hits),
        counts(|_, kind| kind.near_hits),
        counts(|share, _| share.near_trials),
    ]);
    Ok(RecordBatch::try_new(tables::PAIR_WORKERS.arrow_schema(), columns)?)
}

/// The columns that say which pair, scope and kind of match.
fn pairs(rows: impl Iterator<Item = (From, u32, Agreement)> + Clone, index: &Index) -> Vec<ArrayRef> {
    let source = |from: From| match from {
        From::Field(field) => {
            let (system, screen, field) = index.name(field);
            (system.as_str(), screen.as_str(), Some(field.as_str()))
        }
        From::Screen(screen) => {
            let (system, screen) = index.screen_name(screen);
            (system.as_str(), screen.as_str(), None)
        }
    };
    let (from, to) = (rows.clone().map(|row| source(row.0)), rows.clone().map(|row| index.name(row.1)));
    let scopes = from.clone().zip(to.clone()).map(|(from, to)| scope(from.0, &to.0));
    vec![
        Arc::new(StringArray::from_iter_values(from.clone().map(|from| from.0))),
        Arc::new(StringArray::from_iter_values(from.clone().map(|from| from.1))),
        Arc::new(StringArray::from_iter(from.map(|from| from.2))),
        Arc::new(StringArray::from_iter_values(to.clone().map(|to| &to.0))),
        Arc::new(StringArray::from_iter_values(to.clone().map(|to| &to.1))),
        Arc::new(StringArray::from_iter_values(to.map(|to| &to.2))),
        Arc::new(StringArray::from_iter_values(scopes)),
        Arc::new(StringArray::from_iter_values(rows.map(|row| row.2.as_str()))),
    ]
}
