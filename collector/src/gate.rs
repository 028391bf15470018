//! The gate: the only maker of [`Admitted`], and so the only way to the log and the store.
//!
//! What comes in names people and cases and may hold what somebody typed. What goes out does not:
//!
//! - identifiers (worker, session, case, record, task instance) are keyed hashes by the store key, each type in a
//!   domain of its own, so that a worker and a case of the same text differ;
//! - values are digests, hashed again by the store key; the text of a value ends here, undigested if it is free text;
//! - names (systems, organisations, teams and roles too) are cut and their numbers masked, the variety of screens and
//!   fields is bounded; only a release keeps its digits;
//! - of all other attributes only those of a short list stay, masked likewise; the rest is counted by name and dropped.
//!
//! Pure but for [`Names`], the memory of names already seen, which the caller keeps. (Hashes made lately are remembered,
//! too, which shows in nothing but the time that it takes.) The time of receipt is an argument.

mod accept;
mod columns;
mod hashes;
mod kept;
mod lately;
mod names;
mod senders;
mod source;
#[cfg(test)]
mod tests;
mod told;
mod values;

use std::collections::{BTreeMap, BTreeSet};

use arrow::{array::BooleanArray, compute::filter_record_batch, error::ArrowError, record_batch::RecordBatch};
use gilbreth_conventions::digest::Digester;

use self::senders::Sender;
pub use self::{
    hashes::{Hashes, worker_form},
    names::{Names, Seen, name_as_stored},
    source::{Source, Systems},
};
use crate::{config::Config, decode::Decoded, key::StoreKey};

/// So many names of dropped attributes are told apart; the rest is counted together.
const DROPPED_NAMES_MAX: usize = 200;
/// Microseconds in a day.
const DAY_US: i64 = 24 * 3600 * 1_000_000;
/// Over the network a span may have started this long before its receipt.
const AGE_MAX_US: i64 = 30 * DAY_US;
/// Over the network a span may start this long after its receipt, by a sender's wrong clock.
const AHEAD_MAX_US: i64 = DAY_US;

/// What the gate goes by.
#[derive(Debug, Clone)]
pub struct Policy {
    hashes: Hashes,
    page: Digester,
    keep: BTreeSet<String>,
}

impl Policy {
    /// The policy of a store (by its key) and a configuration.
    #[must_use]
    pub fn new(key: &StoreKey, config: &Config) -> Self {
        Self {
            hashes: Hashes::new(key),
            page: Digester::new(config.page_key.as_bytes()),
            keep: config.keep_attributes.iter().cloned().collect(),
        }
    }

    /// The keyed hashes, for those who must hash a reference list in the same way.
    #[must_use]
    pub const fn hashes(&self) -> &Hashes {
        &self.hashes
    }
}

/// Rows of `spans` from which every identifier and value has been taken out. Only the gate makes it, and the log
/// takes nothing else.
#[derive(Debug, Clone)]
pub struct Admitted {
    rows: RecordBatch,
}

impl Admitted {
    /// The rows, in the schema of [`crate::schema::SPANS`].
    #[must_use]
    pub const fn rows(&self) -> &RecordBatch {
        &self.rows
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.num_rows()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Only the rows for which `keep` is true: how duplicates are dropped.
    ///
    /// # Errors
    /// If `keep` has another length than the rows.
    pub fn retain(&self, keep: &BooleanArray) -> Result<Self, ArrowError> {
        filter_record_batch(&self.rows, keep).map(|rows| Self { rows })
    }
}

/// What is known about an intake that its rows cannot tell; the columns of [`crate::schema::INTAKE`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IntakeCounts {
    /// Spans and log records received.
    pub received: u64,
    /// Refused by partial success.
    pub refused: u64,
    /// Seen before and dropped; the pipeline counts it.
    pub duplicated: u64,
    /// Received more than an hour after they ended.
    pub late: u64,
    /// Attributes that are not kept, dropped.
    pub attributes_dropped: u64,
    /// Names cut or masked.
    pub names_masked: u64,
}

impl std::ops::AddAssign for IntakeCounts {
    fn add_assign(&mut self, other: Self) {
        self.received += other.received;
        self.refused += other.refused;
        self.duplicated += other.duplicated;
        self.late += other.late;
        self.attributes_dropped += other.attributes_dropped;
        self.names_masked += other.names_masked;
    }
}

/// Why a span can never be accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refusal {
    /// The trace id is not of 16 bytes, or all zeros.
    TraceId,
    /// The span id is not of 8 bytes, or all zeros.
    SpanId,
    /// It ends before it starts.
    EndsBeforeStart,
    /// It started more than 30 days before its receipt.
    TooOld,
    /// It starts more than a day after its receipt.
    TooFarAhead,
    /// A log record that is no event of the conventions.
    OtherLog,
    /// It is of a system that the sender's token may not write, or names none.
    OtherSystem,
}

impl Refusal {
    /// The reason as the sender is told.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TraceId => "trace id not of 16 bytes, or of zeros",
            Self::SpanId => "span id not of 8 bytes, or of zeros",
            Self::EndsBeforeStart => "ends before it starts",
            Self::TooOld => "started more than 30 days before it was received",
            Self::TooFarAhead => "starts more than a day after it was received",
            Self::OtherLog => "log record that is no event of the conventions",
            Self::OtherSystem => "of a system that the token may not write",
        }
    }
}

/// What the gate made of an export.
#[derive(Debug)]
pub struct Admission {
    /// The rows to keep.
    pub admitted: Admitted,
    /// How many were refused, by reason.
    pub refused: BTreeMap<Refusal, u64>,
    /// What was counted; `duplicated` is 0 here.
    pub counts: IntakeCounts,
    /// Dropped attributes by name (cut and masked as names are), at most 200 names, the rest as `other`.
    pub dropped: BTreeMap<String, u64>,
}

impl Admission {
    /// The message of a partial success; `None` if nothing was refused.
    #[must_use]
    pub fn refusal_message(&self) -> Option<String> {
        if self.refused.is_empty() {
            return None;
        }
        let reasons: Vec<String> =
            self.refused.iter().map(|(reason, count)| format!("{count} × {}", reason.as_str())).collect();
        Some(reasons.join("; "))
    }
}

/// Lets an export through, as far as it can be: column by column, each text worked on once.
///
/// `received_at_us` is the time of receipt in Unix microseconds. The same input, policy and names give the same rows.
///
/// # Errors
/// Only if the rows contradict their schema, which would be a defect here.
pub fn admit(
    decoded: &Decoded,
    policy: &Policy,
    source: Source<'_>,
    received_at_us: i64,
    names: &Names,
) -> Result<Admission, ArrowError> {
    let mut tally = Tally::default();
    tally.refuse(Refusal::OtherLog, decoded.other_logs);
    tally.counts.received = decoded.other_logs;
    let senders = senders::all(decoded, policy, source, received_at_us, &mut tally);
    let accepted = accept::accept(decoded, &senders, &mut tally);
    let export = columns::Export { decoded, accepted: &accepted, senders: &senders, policy, names };
    let rows = columns::rows(&export, &mut tally)?;
    Ok(Admission { admitted: Admitted { rows }, refused: tally.refused, counts: tally.counts, dropped: tally.dropped })
}

/// What is counted on the way.
#[derive(Default)]
struct Tally {
    counts: IntakeCounts,
    refused: BTreeMap<Refusal, u64>,
    dropped: BTreeMap<String, u64>,
}

impl Tally {
    fn refuse(&mut self, reason: Refusal, count: u64) {
        if count > 0 {
            *self.refused.entry(reason).or_default() += count;
            self.counts.refused += count;
        }
    }

    fn drop_attributes(&mut self, name: &str, count: u64) {
        if count == 0 {
            return;
        }
        self.counts.attributes_dropped += count;
        if let Some(known) = self.dropped.get_mut(name) {
            *known += count;
            return;
        }
        let shown = names::masked(name).unwrap_or_else(|| name.to_owned());
        let key = if self.dropped.len() < DROPPED_NAMES_MAX { shown } else { names::OTHER.to_owned() };
        *self.dropped.entry(key).or_default() += count;
    }
}
