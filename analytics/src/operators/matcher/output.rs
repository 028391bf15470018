//! Tallies → rows of `pair_counts` and `pair_workers`.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, Date32Array, Int64Array, RecordBatch, StringArray};
use datafusion::error::Result;

use super::{
    case::{Agreement, From},
    chance::{Count, Share, Tallies, Tally},
    index::Index,
};
use crate::tables;

/// `cross_system` or `within_system`.
#[must_use]
pub fn scope(from: &str, to: &str) -> &'static str {
    if from == to { "within_system" } else { "cross_system" }
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
pub fn pair_workers(tallies: &Tallies, index: &Index, workers: &[u64]) -> Result<RecordBatch> {
    let rows: Vec<_> = tallies.shares().into_iter().collect();
    let counts = |count: fn(&Share, &Count) -> u64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|(_, (share, kind))| count(share, kind) as i64)))
    };
    let mut columns = pairs(rows.iter().map(|((from, to, kind, _), _)| (*from, *to, *kind)), index);
    columns.extend([
        Arc::new(BinaryArray::from_iter_values(
            rows.iter().map(|((_, _, _, worker), _)| workers[*worker as usize].to_be_bytes()),
        )) as ArrayRef,
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
