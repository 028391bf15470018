//! Tallies → rows of `pair_counts`, `pair_totals` and `pair_workers`.

use std::{ops::Range, sync::Arc};

use arrow::array::{ArrayRef, BinaryArray, Date32Array, Int64Array, RecordBatch, StringArray};
use datafusion::error::Result;

use super::{
    case::{Agreement, From},
    chance::{Count, OfDay, OfWorker, Share, Tallies, Tally},
    index::Fields,
};
use crate::{operators::hashing::FastMap, tables};

/// `cross_system` or `within_system`.
#[must_use]
pub fn scope(from: &str, to: &str) -> &'static str {
    if from == to { "within_system" } else { "cross_system" }
}

/// In how many cases there is each field, and any field of each screen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaseCounts {
    /// By field.
    pub fields: Vec<u64>,
    /// By screen.
    pub screens: Vec<u64>,
}

impl CaseCounts {
    fn of(&self, from: From) -> u64 {
        match from {
            From::Field(field) => self.fields[field as usize],
            From::Screen(screen) => self.screens[screen as usize],
        }
    }
}

/// Tallies in the order of their tables, with the names of what they are of.
#[derive(Debug)]
pub struct Named {
    fields: Arc<Fields>,
    cases: CaseCounts,
    workers: Vec<u64>,
    pairs: Vec<(From, u32, u32)>,
    // The place of each pair in order of names.
    places: Vec<u32>,
    days: Vec<(OfDay, Tally)>,
    shares: Vec<(OfWorker, Share)>,
}

impl Named {
    /// Puts tallies in order. `workers` are hashes by number.
    #[must_use]
    pub fn new(tallies: &Tallies, fields: Arc<Fields>, cases: CaseCounts, workers: Vec<u64>) -> Self {
        let pairs: Vec<(From, u32, u32)> = tallies.pairs().collect();
        let mut order: Vec<usize> = (0..pairs.len()).collect();
        order.sort_by_key(|&pair| (source(&fields, pairs[pair].0), fields.name(pairs[pair].1)));
        let mut places = vec![0_u32; pairs.len()];
        for (place, pair) in (0..).zip(order) {
            places[pair] = place;
        }
        let (days, shares) = std::thread::scope(|scope| {
            let days = scope.spawn(|| {
                let mut days: Vec<_> = tallies.rows(&fields).collect();
                days.sort_unstable_by_key(|((pair, kind, day), _)| (*day, places[*pair as usize], *kind));
                days
            });
            let mut shares: Vec<_> = tallies.shares(&fields).collect();
            shares.sort_unstable_by_key(|((pair, kind, worker), _)| {
                (places[*pair as usize], *kind, workers[*worker as usize])
            });
            (days.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), shares)
        });
        Self { fields, cases, workers, pairs, places, days, shares }
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
        let counts = |count: fn(Agreement, &Tally) -> u32| -> ArrayRef {
            let counts = rows.iter().map(|((_, kind, _), tally)| count(*kind, tally).into());
            Arc::new(Int64Array::from_iter_values(counts))
        };
        columns.extend([
            counts(|_, tally| tally.n),
            counts(|kind, tally| tally.m[kind as usize]),
            counts(|_, tally| tally.near_trials),
            counts(|_, tally| tally.disagreements),
        ]);
        columns.push(Arc::new(Date32Array::from_iter_values(rows.iter().map(|((_, _, day), _)| *day))));
        Ok(RecordBatch::try_new(tables::PAIR_COUNTS.arrow_schema(), columns)?)
    }

    /// The table `pair_totals`: shares added up over the workers.
    pub fn pair_totals(&self) -> Result<RecordBatch> {
        let mut totals: FastMap<(u32, Agreement), Share> = FastMap::default();
        for ((pair, kind, _), share) in &self.shares {
            totals.entry((*pair, *kind)).or_default().add(share);
        }
        let mut rows: Vec<((u32, Agreement), Share)> = totals.into_iter().collect();
        rows.sort_unstable_by_key(|((pair, kind), _)| (self.places[*pair as usize], *kind));
        let mut columns = self.named(rows.iter().map(|(row, _)| *row));
        let counts = |count: &dyn Fn(u32, &Share, Count) -> u64| -> ArrayRef {
            let counts =
                rows.iter().map(|((pair, kind), share)| count(*pair, share, share.kinds[*kind as usize]) as i64);
            Arc::new(Int64Array::from_iter_values(counts))
        };
        let others = |pair: u32| self.cases.of(self.pairs[pair as usize].0).saturating_sub(1);
        columns.extend([
            counts(&|_, share, _| share.n.into()),
            counts(&|_, _, kind| kind.m.into()),
            counts(&|_, _, kind| kind.all_hits),
            counts(&|pair, share, _| u64::from(share.n) * others(pair)),
            counts(&|_, _, kind| kind.near_hits.into()),
            counts(&|_, share, _| share.near_trials.into()),
            counts(&|pair, _, _| self.pairs[pair as usize].2.into()),
        ]);
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
        let from = rows.clone().map(|row| source(&self.fields, pair(row.0).0));
        let to = rows.clone().map(|row| self.fields.name(pair(row.0).1));
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

/// System, screen and field of a source; a screen has no field.
fn source(fields: &Fields, from: From) -> (&str, &str, Option<&str>) {
    match from {
        From::Field(field) => {
            let (system, screen, field) = fields.name(field);
            (system, screen, Some(field))
        }
        From::Screen(screen) => {
            let (system, screen) = fields.screen_name(screen);
            (system, screen, None)
        }
    }
}
