//! What SQL cannot say well: the ledger, the matcher, linked cases and rework.
//!
//! Each is a pure core on plain slices, which is handed one worker's stretch of time or one case at a time by
//! [`crate::facts`]. Every order used is total (ties end in span id, then trace id), so that facts depend neither on the
//! order of arrival nor on how rows came in batches.

pub mod cases;
pub mod columns;
pub mod encoding;
pub mod hashing;
pub mod instances;
pub mod ledger;
pub mod matcher;
pub mod rework;
pub mod task_rules;
pub mod weekly_times;
pub mod worker_weeks;

/// Identity of a span: span ids alone may repeat over traces. Orders by span id, then trace id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct SpanKey {
    /// The span id, big-endian.
    pub span: u64,
    /// The trace id, big-endian.
    pub trace: u128,
}

impl SpanKey {
    /// The identity that binary columns hold; ids of other lengths (which no gate admits) count by their last bytes.
    #[must_use]
    pub fn from_bytes(span: &[u8], trace: &[u8]) -> Self {
        Self {
            span: span.iter().fold(0, |id, byte| id << 8 | u64::from(*byte)),
            trace: trace.iter().fold(0, |id, byte| id << 8 | u128::from(*byte)),
        }
    }
}
