//! Tallies → rows of `pair_counts` and `pair_workers`.

use std::{ops::Range, sync::Arc};

use arrow::array::{ArrayRef, BinaryArray, Date32Array, Int64Array, RecordBatch, StringArray};
use datafusion::error::Result;

use super::{
    case::{Agreement, From},
    chance::{Count, OfDay, OfWorker, Share, Tallies, Tally},
    index::Index,
};
use crate::{operators::hashing::FastMap, tables};

/// `cross_system` or `within_system`.
#[must_use]
pub fn scope(from: &str, to: &str) -> &'static str {
    if from == to { "within_system" } else { "cross_system" }
}

/// Tallies in the order of their tables, with the names of what they are of.
#[derive(Debug)]
pub struct Named {
    index: Index,
    workers: Vec<u64>,
    days: Vec<(OfDay, (Tally, Count))>,
    shares: Vec<(OfWorker, (Share, Count))>,
}

impl Named {
    /// Puts tallies in order. `workers` are hashes by number.
    #[must_use]
    pub fn new(tallies: Tallies, index: Index, workers: Vec<u64>) -> Self {
        let mut pairs: Vec<(From, u32)> = tallies.pairs().collect();
        pairs.sort_by_key(|pair| (source(&index, pair.0), index.name(pair.1)));
        let places: FastMap<(From, u32), u32> = pairs.into_iter().zip(0..).collect();
        let mut days: Vec<_> = tallies.rows().collect();
        days.sort_unstable_by_key(|((from, to, kind, day), _)| (*day, places[&(*from, *to)], *kind));
        let mut shares: Vec<_> = tallies.shares().collect();
        shares.sort_unstable_by_key(|((from, to, kind, worker), _)| {
            (places[&(*from, *to)], *kind, workers[*worker as usize])
        });
        Self { index, workers, days, shares }
    }

    /// How many rows `pair_counts` has.
    #[must_use]
    pub fn days(&self) -> usize {
        self.days.len()
    }

    /// How many rows `pair_workers` has.
    #[must_use]
    pub fn shares(&self) -> usize {
        self.shares.len()
    }

    /// Rows of the table `pair_counts`, by day, source and target.
    pub fn pair_counts(&self, rows: Range<usize>) -> Result<RecordBatch> {
        let rows = &self.days[rows];
        let counts = |count: fn(&Tally, &Count) -> u64| -> ArrayRef {
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|(_, (tally, kind))| count(tally, kind) as i64)))
        };
        let mut columns = self.pairs(rows.iter().map(|((from, to, kind, _), _)| (*from, *to, *kind)));
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

    /// Rows of the table `pair_workers`, by source and target.
    pub fn pair_workers(&self, rows: Range<usize>) -> Result<RecordBatch> {
        let rows = &self.shares[rows];
        let counts = |count: fn(&Share, &Count) -> u64| -> ArrayRef {
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|(_, (share, kind))| count(share, kind) as i64)))
        };
        let workers = rows.iter().map(|((_, _, _, worker), _)| self.workers[*worker as usize].to_be_bytes());
        let mut columns = self.pairs(rows.iter().map(|((from, to, kind, _), _)| (*from, *to, *kind)));
        columns.extend([
            Arc::new(BinaryArray::from_iter_values(workers)) as ArrayRef,
            counts(|share, _| share.n),
            counts(|_, kind| kind.m),
            counts(|_, kind| kind.all_hits),
            counts(|_, kind| kind.near_hits),
            counts(|share, _| share.near_trials),
        ]);
        Ok(RecordBatch::try_new(tables::PAIR_WORKERS.arrow_schema(), columns)?)
    }

    /// The columns that say which pair, scope and kind of match.
    fn pairs(&self, rows: impl Iterator<Item = (From, u32, Agreement)> + Clone) -> Vec<ArrayRef> {
        let index = &self.index;
        let (from, to) = (rows.clone().map(|row| source(index, row.0)), rows.clone().map(|row| index.name(row.1)));
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
}

/// System, screen and field of a source; a screen has no field.
fn source(index: &Index, from: From) -> (&str, &str, Option<&str>) {
    match from {
        From::Field(field) => {
            let (system, screen, field) = index.name(field);
            (system, screen, Some(field))
        }
        From::Screen(screen) => {
            let (system, screen) = index.screen_name(screen);
            (system, screen, None)
        }
    }
}
