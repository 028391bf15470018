//! Tallies → rows of `pair_counts`, `pair_totals` and `pair_workers`.

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
    pairs: Vec<(From, u32)>,
    // The place of each pair in order of names.
    places: Vec<u32>,
    days: Vec<(OfDay, Tally)>,
    shares: Vec<(OfWorker, Share)>,
}

impl Named {
    /// Puts tallies in order. `workers` are hashes by number.
    #[must_use]
    pub fn new(tallies: &Tallies, index: Index, workers: Vec<u64>) -> Self {
        let pairs: Vec<(From, u32)> = tallies.pairs().collect();
        let mut order: Vec<usize> = (0..pairs.len()).collect();
        order.sort_by_key(|&pair| (source(&index, pairs[pair].0), index.name(pairs[pair].1)));
        let mut places = vec![0_u32; pairs.len()];
        for (place, pair) in (0..).zip(order) {
            places[pair] = place;
        }
        let (days, shares) = std::thread::scope(|scope| {
            let days = scope.spawn(|| {
                let mut days: Vec<_> = tallies.rows().collect();
                days.sort_unstable_by_key(|((pair, kind, day), _)| (*day, places[*pair as usize], *kind));
                days
            });
            let mut shares: Vec<_> = tallies.shares().collect();
            shares.sort_unstable_by_key(|((pair, kind, worker), _)| {
                (places[*pair as usize], *kind, workers[*worker as usize])
            });
            (days.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), shares)
        });
        Self { index, workers, pairs, places, days, shares }
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
        let mut columns = self.named(rows.iter().map(|((pair, kind, _), _)| (*pair, *kind)));
        columns.extend(counts(&rows.iter().map(|((_, kind, _), tally)| (*kind, tally))));
        columns.push(Arc::new(Date32Array::from_iter_values(rows.iter().map(|((_, _, day), _)| *day))));
        Ok(RecordBatch::try_new(tables::PAIR_COUNTS.arrow_schema(), columns)?)
    }

    /// The table `pair_totals`: [`Self::pair_counts`] added up over the days.
    pub fn pair_totals(&self) -> Result<RecordBatch> {
        let mut totals: FastMap<(u32, Agreement), Tally> = FastMap::default();
        for ((pair, kind, _), tally) in &self.days {
            totals.entry((*pair, *kind)).or_default().add_all(tally);
        }
        let mut rows: Vec<((u32, Agreement), Tally)> = totals.into_iter().collect();
        rows.sort_unstable_by_key(|((pair, kind), _)| (self.places[*pair as usize], *kind));
        let mut columns = self.named(rows.iter().map(|(row, _)| *row));
        columns.extend(counts(&rows.iter().map(|((_, kind), tally)| (*kind, tally))));
        Ok(RecordBatch::try_new(tables::PAIR_TOTALS.arrow_schema(), columns)?)
    }

    /// Rows of the table `pair_workers`, by source and target.
    pub fn pair_workers(&self, rows: Range<usize>) -> Result<RecordBatch> {
        let rows = &self.shares[rows];
        let counts = |count: fn(&Share, Count) -> u64| -> ArrayRef {
            Arc::new(Int64Array::from_iter_values(
                rows.iter().map(|((_, kind, _), share)| count(share, share.kinds[*kind as usize]) as i64),
            ))
        };
        let workers = rows.iter().map(|((_, _, worker), _)| self.workers[*worker as usize].to_be_bytes());
        let mut columns = self.named(rows.iter().map(|((pair, kind, _), _)| (*pair, *kind)));
        columns.extend([
            Arc::new(BinaryArray::from_iter_values(workers)) as ArrayRef,
            counts(|share, _| share.n.into()),
            counts(|_, kind| kind.m.into()),
            counts(|_, kind| kind.all_hits),
            counts(|_, kind| kind.near_hits.into()),
            counts(|share, _| share.near_trials.into()),
        ]);
        Ok(RecordBatch::try_new(tables::PAIR_WORKERS.arrow_schema(), columns)?)
    }

    /// The columns that say which pair, scope and kind of match.
    fn named(&self, rows: impl Iterator<Item = (u32, Agreement)> + Clone) -> Vec<ArrayRef> {
        let pair = |number: u32| self.pairs[number as usize];
        let from = rows.clone().map(|row| source(&self.index, pair(row.0).0));
        let to = rows.clone().map(|row| self.index.name(pair(row.0).1));
        let scopes = from.clone().zip(to.clone()).map(|(from, to)| scope(from.0, &to.0));
        vec![
            Arc::new(StringArray::from_iter_values(from.clone().map(|from| from.0))),
            Arc::new(StringArray::from_iter_values(from.clone().map(|from| from.1))),
            Arc::new(StringArray::from_iter(from.map(|from| from.2))),
            Arc::new(StringArray::from_iter_values(to.clone().map(|to| &to.0))),
            Arc::new(StringArray::from_iter_values(to.clone().map(|to| &to.1))),
            Arc::new(StringArray::from_iter_values(to.map(|to| &to.2))),
            Arc::new(StringArray::from_iter_values(scopes)),
            Arc::new(StringArray::from_iter_values(rows.map(|row| row.1.as_str()))),
        ]
    }
}

/// The columns of counts, from n to disagreements.
fn counts<'a, I: Iterator<Item = (Agreement, &'a Tally)> + Clone>(rows: &I) -> [ArrayRef; 7] {
    let column = |count: fn(&Tally, Count) -> u64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(
            rows.clone().map(|(kind, tally)| count(tally, tally.kinds[kind as usize]) as i64),
        ))
    };
    [
        column(|tally, _| tally.n.into()),
        column(|_, kind| kind.m.into()),
        column(|_, kind| kind.all_hits),
        column(|tally, _| tally.all_trials),
        column(|_, kind| kind.near_hits.into()),
        column(|tally, _| tally.near_trials.into()),
        column(|tally, _| tally.disagreements.into()),
    ]
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
