//! Which spans were seen, so that what OTLP clients send again is dropped.
//!
//! Kept are hashes of 64 bits, keyed anew by each process so that nobody can choose ids that collide, with the hour in
//! which they came ([`hours`]). Among ten million spans the odds that any two differ and agree in the hash are under three
//! in a million. Memory is bounded by their number: when it is reached, the oldest hour goes before its time, and is
//! counted.

mod hours;

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use arrow::{
    array::{AsArray, BinaryArray, BooleanArray, RecordBatch},
    compute::filter_record_batch,
};

use self::hours::{HOURS_KEPT_MAX, Hours, Put};
use crate::{Error, ErrorKind};

const HOUR_US: i64 = 3_600_000_000;
/// So many are looked for at once: their lines fit into the nearest cache.
const FETCHED: usize = 64;

/// What was seen.
#[derive(Debug)]
pub(super) struct Seen {
    keyed: RandomState,
    hours: Hours,
    count_max: usize,
    hours_kept: i64,
    hour: i64,
    duplicated: u64,
    forgotten: u64,
}

impl Seen {
    /// Nothing seen yet, at a time in Unix microseconds.
    pub(super) fn new(count_max: usize, kept: Duration, now_us: i64) -> Self {
        let hours_kept = i64::try_from(kept.as_secs().div_ceil(3600)).unwrap_or(i64::MAX);
        Self {
            keyed: RandomState::new(),
            hours: Hours::new(count_max.max(1)),
            count_max: count_max.max(1),
            hours_kept: hours_kept.min(HOURS_KEPT_MAX),
            hour: now_us.div_euclid(HOUR_US),
            duplicated: 0,
            forgotten: 0,
        }
    }

    /// The rows that were not seen before, which now are; and how many were.
    pub(super) fn only_new(&mut self, rows: &RecordBatch, now_us: i64) -> Result<(RecordBatch, u64), Error> {
        self.turn(now_us);
        let is_new = self.note(rows, self.hour)?;
        let duplicated = is_new.false_count() as u64;
        self.duplicated += duplicated;
        if duplicated == 0 {
            return Ok((rows.clone(), 0));
        }
        let kept = filter_record_batch(rows, &is_new)
            .map_err(|error| Error::new(ErrorKind::Internal, "rows cannot be filtered").caused_by(error))?;
        Ok((kept, duplicated))
    }

    /// Forgets rows that were noted as new and then not stored, so that they are new when they come again.
    pub(super) fn unsee(&mut self, rows: &RecordBatch) -> Result<(), Error> {
        let (traces, spans) = ids(rows)?;
        for row in 0..rows.num_rows() {
            self.hours.remove(self.keyed.hash_one((traces.value(row), spans.value(row))));
        }
        Ok(())
    }

    /// Remembers rows that came earlier, while there is room.
    pub(super) fn remember(&mut self, rows: &RecordBatch, came_us: i64) -> Result<(), Error> {
        let room = self.count_max.saturating_sub(self.hours.len());
        if rows.num_rows() > room {
            self.forgotten += (rows.num_rows() - room) as u64;
        }
        // Nothing came later than now, and what is over its time is noted as what is about to be.
        let came = came_us.div_euclid(HOUR_US).clamp(self.hour - self.hours_kept, self.hour);
        self.note(&rows.slice(0, rows.num_rows().min(room)), came)?;
        Ok(())
    }

    /// Whether nothing more can be remembered that came earlier.
    pub(super) fn is_full(&self) -> bool {
        self.hours.len() >= self.count_max
    }

    /// Notes that so many rows are not remembered, since there is no room.
    pub(super) const fn leave_out(&mut self, rows: u64) {
        self.forgotten += rows;
    }

    /// Duplicates dropped.
    pub(super) const fn duplicated(&self) -> u64 {
        self.duplicated
    }

    /// Spans forgotten before their time.
    pub(super) const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// For each row whether it is new; notes it.
    fn note(&mut self, rows: &RecordBatch, hour: i64) -> Result<BooleanArray, Error> {
        let (traces, spans) = ids(rows)?;
        let hashes: Vec<u64> =
            (0..rows.num_rows()).map(|row| self.keyed.hash_one((traces.value(row), spans.value(row)))).collect();
        let mut is_new = Vec::with_capacity(hashes.len());
        for some in hashes.chunks(FETCHED) {
            self.hours.fetch(some);
            for &hash in some {
                if self.hours.len() >= self.count_max && !self.hours.contains(hash) {
                    self.forget_oldest();
                }
                let put = self.hours.put(hash, hour, self.hour);
                is_new.push(put != Put::Known);
                self.forgotten += u64::from(put == Put::InPlaceOfAnother);
            }
        }
        Ok(BooleanArray::from(is_new))
    }

    /// On a new hour, forgets what is over its time.
    fn turn(&mut self, now_us: i64) {
        let hour = now_us.div_euclid(HOUR_US);
        if hour <= self.hour {
            return;
        }
        if hour - self.hour > self.hours_kept {
            self.hours.clear();
        } else {
            self.hours.forget_older(hour, self.hours_kept);
        }
        self.hour = hour;
    }

    /// Forgets the oldest hour; of the only one, a part.
    fn forget_oldest(&mut self) {
        let oldest = self.hours.oldest(self.hour);
        let mut forgotten =
            if oldest > 0 { self.hours.forget_older(self.hour, oldest - 1) } else { self.hours.forget_fourth() };
        // A bound of fewer than four may leave nothing to take a fourth of.
        if forgotten == 0 {
            forgotten = self.hours.clear();
        }
        self.forgotten += forgotten as u64;
        tracing::warn!(forgotten, seen_max = self.count_max, "more spans than are remembered: some repeats go unseen");
    }
}

fn ids(rows: &RecordBatch) -> Result<(&BinaryArray, &BinaryArray), Error> {
    let column = |name: &str| {
        rows.column_by_name(name)
            .and_then(|column| column.as_binary_opt::<i32>())
            .ok_or_else(|| Error::new(ErrorKind::Internal, format!("rows lack the column {name}")))
    };
    Ok((column("trace_id")?, column("span_id")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::tests::{ids, spans};

    fn new_ids(seen: &mut Seen, of: std::ops::Range<u64>, hour: i64) -> Vec<u64> {
        ids(&seen.only_new(&spans(of), hour * HOUR_US).unwrap().0)
    }

    #[test]
    fn repeats_are_told_for_as_long_as_is_promised_and_then_forgotten_uncounted() {
        let mut seen = Seen::new(1_000, Duration::from_hours(24), 0);
        assert_eq!(new_ids(&mut seen, 0..10, 100), (0..10).collect::<Vec<_>>());
        assert_eq!(new_ids(&mut seen, 5..12, 124), [10, 11]);
        assert_eq!(new_ids(&mut seen, 0..1, 125), [0]);
        assert_eq!((seen.duplicated(), seen.forgotten()), (5, 0));
    }

    #[test]
    fn a_repeat_within_one_request_is_told() {
        let mut seen = Seen::new(1_000, Duration::from_hours(24), 0);
        let (kept, duplicated) = seen.only_new(&spans([7, 8, 7, 7]), 0).unwrap();
        assert_eq!((ids(&kept), duplicated), (vec![7, 8], 2));
    }

    #[test]
    fn what_is_forgotten_before_its_time_is_counted_and_is_the_oldest() {
        let mut seen = Seen::new(100, Duration::from_hours(24), 0);
        new_ids(&mut seen, 0..60, 1);
        new_ids(&mut seen, 60..100, 2);
        assert_eq!(seen.forgotten(), 0);
        new_ids(&mut seen, 100..110, 3);
        assert_eq!(seen.forgotten(), 60);
        assert!(new_ids(&mut seen, 60..110, 3).is_empty());
        for hour in 3..5 {
            new_ids(&mut seen, 1_000..3_000, hour);
            assert!(seen.hours.len() <= 100);
        }
    }

    #[test]
    fn rebuilding_stops_at_the_bound_and_counts_the_rest() {
        let mut seen = Seen::new(25, Duration::from_hours(24), 0);
        seen.remember(&spans(0..20), 0).unwrap();
        seen.remember(&spans(20..40), 0).unwrap();
        assert_eq!(seen.forgotten(), 15);
    }
}
