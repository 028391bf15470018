//! What the collector measures of itself: counters and histograms that its parts report to, and what is read from them.
//!
//! ```text
//! log, committer, refresh ──▶ Telemetry ─┐
//! receive, access (their own figures) ───┼─▶ text (/metrics)
//! pipeline (how it stands) ──────────────┘
//! ```
//! Labels are of bounded variety, and never hold what anybody typed, nor a token. Spans of our own are the binary's to
//! send; which of them there must not be is said in [`untraced`].

mod histogram;
mod log_disk;
mod text;
mod untraced;

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};

pub use self::{
    histogram::Histogram,
    text::CONTENT_TYPE,
    untraced::{FIELD, HEADER, Others, SERVICE, is_untraced, untraced},
};
pub(crate) use self::{text::Page, untraced::is_own};
use crate::{log::Replayed, pipeline::Standing};

/// From a fast disk's cache to one that is failing.
const SYNC_S: &[f64] = &[0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];
/// From a handful of rows to the largest commit, or merge of a day.
const COMMIT_S: &[f64] = &[0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];
/// From a look that finds nothing to an estate worked out anew.
const REFRESH_S: &[f64] = &[0.05, 0.25, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3_600.0];

/// The figures of one running collector. Shared; reporting takes no lock that anybody waits for.
#[derive(Debug)]
pub struct Telemetry {
    /// Syncs of the log: what each acknowledgement waits for.
    pub(crate) syncs: Histogram,
    pub(crate) log_written_bytes: Counter,
    segments: log_disk::Segments,
    /// Writes, syncs and new files of the log that the disk refused.
    pub(crate) disk_refusals: Counter,
    log_lost_records: Counter,
    log_damaged_parts: Counter,
    log_cut_bytes: Counter,
    commits: Histogram,
    commit_failures: Counter,
    committed_rows: Counter,
    is_failing: AtomicBool,
    last_commit_us: AtomicU64,
    compactions: Histogram,
    refreshes: Histogram,
    refresh_failures: Counter,
    /// Whether there is anything to trace.
    pub others: Others,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self {
            syncs: Histogram::new(SYNC_S),
            log_written_bytes: Counter::default(),
            segments: log_disk::Segments::default(),
            disk_refusals: Counter::default(),
            log_lost_records: Counter::default(),
            log_damaged_parts: Counter::default(),
            log_cut_bytes: Counter::default(),
            commits: Histogram::new(COMMIT_S),
            commit_failures: Counter::default(),
            committed_rows: Counter::default(),
            is_failing: AtomicBool::new(false),
            last_commit_us: AtomicU64::new(0),
            compactions: Histogram::new(COMMIT_S),
            refreshes: Histogram::new(REFRESH_S),
            refresh_failures: Counter::default(),
            others: Others::default(),
        }
    }
}

/// A count that only grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Telemetry {
    /// What the start found in the log that it could not read.
    pub(crate) fn log_replayed(&self, replayed: &Replayed) {
        self.log_lost_records.add(replayed.damage.records());
        self.log_damaged_parts.add(replayed.damage.kept.len() as u64);
        self.log_cut_bytes.add(replayed.cut.as_ref().map_or(0, |cut| cut.bytes));
    }

    /// A commit ended, of so many rows, at a time in Unix microseconds.
    pub(crate) fn committed(&self, took: Duration, rows: u64, now_us: i64) {
        self.commits.observe(took);
        self.committed_rows.add(rows);
        self.last_commit_us.store(u64::try_from(now_us).unwrap_or(0), Ordering::Relaxed);
        self.is_failing.store(false, Ordering::Relaxed);
    }

    /// A commit did not succeed; it will be tried again.
    pub(crate) fn commit_failed(&self) {
        self.commit_failures.add(1);
        self.is_failing.store(true, Ordering::Relaxed);
    }

    /// Whether the last commit did not succeed.
    pub(crate) fn is_failing(&self) -> bool {
        self.is_failing.load(Ordering::Relaxed)
    }

    /// Files of tables were tidied: merged, expired or vacuumed.
    pub fn compacted(&self, took: Duration) {
        self.compactions.observe(took);
    }

    /// The facts were brought up to date, or could not be.
    pub fn refreshed(&self, took: Duration, succeeded: bool) {
        self.refreshes.observe(took);
        self.refresh_failures.add(u64::from(!succeeded));
    }

    pub(crate) fn write(&self, standing: &Standing, page: &mut Page) {
        let of = |count: u64| u32::try_from(count).map_or(f64::MAX, f64::from);
        page.counter(
            "gilbreth_spans_duplicated_total",
            "Spans dropped because they had been received before.",
            standing.duplicated,
        );
        page.counter(
            "gilbreth_spans_forgotten_total",
            "Spans forgotten before their time, whose repeats go unseen: seen_max is too small.",
            standing.forgotten,
        );
        page.gauge(
            "gilbreth_waiting_rows",
            "Rows in the log that are not committed yet.",
            of(standing.pending_rows as u64),
        );
        page.gauge("gilbreth_waiting_bytes", "Memory that they take.", bytes(standing.pending_bytes as u64));
        page.gauge(
            "gilbreth_waiting_max_bytes",
            "Memory that they may take; beyond it senders are told to come again.",
            bytes(standing.waiting_bytes_max as u64),
        );
        page.gauge(
            "gilbreth_commit_lag_seconds",
            "Age of the oldest acknowledged row that is not committed yet; 0 if there is none.",
            standing.lag.as_secs_f64(),
        );
        let (segments, log_bytes) = self.segments.sum();
        page.gauge("gilbreth_log_segments", "Files of the log.", of(segments as u64));
        page.gauge("gilbreth_log_bytes", "Bytes of the log on the disk.", bytes(log_bytes));
        page.counter("gilbreth_log_written_bytes_total", "Bytes appended to the log.", self.log_written_bytes.count());
        page.histogram("gilbreth_log_sync_seconds", "Syncs of the log, one for all requests that wait.", &self.syncs);
        page.counter(
            "gilbreth_disk_refusals_total",
            "Writes and syncs of the log that the disk refused.",
            self.disk_refusals.count(),
        );
        page.counter(
            "gilbreth_log_damaged_parts_total",
            "Parts of the log that the start could not read and set aside in log/damaged.",
            self.log_damaged_parts.count(),
        );
        page.counter(
            "gilbreth_log_lost_records_total",
            "Acknowledged exports that are gone with them.",
            self.log_lost_records.count(),
        );
        page.counter(
            "gilbreth_log_cut_bytes_total",
            "Bytes that the start cut off the end of the log, unacknowledged as far as can be known.",
            self.log_cut_bytes.count(),
        );
        page.histogram("gilbreth_commit_seconds", "Commits of rows to the tables.", &self.commits);
        page.counter(
            "gilbreth_commit_failures_total",
            "Commits that failed and are tried again.",
            self.commit_failures.count(),
        );
        page.counter("gilbreth_rows_committed_total", "Rows committed.", self.committed_rows.count());
        let last_us = self.last_commit_us.load(Ordering::Relaxed);
        page.gauge(
            "gilbreth_last_commit_timestamp_seconds",
            "When rows were last committed, in Unix time; 0 before the first time.",
            Duration::from_micros(last_us).as_secs_f64(),
        );
        page.histogram(
            "gilbreth_compaction_seconds",
            "Work on the files of tables: merges, retention, vacuum.",
            &self.compactions,
        );
        page.histogram("gilbreth_refresh_seconds", "Refreshes of the facts.", &self.refreshes);
        page.counter("gilbreth_refresh_failures_total", "Refreshes that failed.", self.refresh_failures.count());
    }
}

/// A gauge of bytes: exact up to 2^53.
#[expect(clippy::cast_precision_loss, reason = "a gauge is a double; beyond 8 PiB the last bytes do not matter")]
const fn bytes(count: u64) -> f64 {
    count as f64
}
