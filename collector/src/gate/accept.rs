//! Whose spans may come, ids and times: nothing else makes a span unacceptable.

use arrow::array::{Array, FixedSizeBinaryArray};

use super::{AGE_MAX_US, AHEAD_MAX_US, Refusal, Sender, Tally};
use crate::decode::Decoded;

/// A span that is received longer than this after its end is late.
const LATE_AFTER_US: i64 = 3_600 * 1_000_000;

/// The spans that are let through, by their row in the export, and when they were.
#[derive(Debug, Default)]
pub(super) struct Accepted {
    pub(super) rows: Vec<u32>,
    pub(super) started_at_us: Vec<i64>,
    pub(super) ended_at_us: Vec<i64>,
}

/// Judges every span.
pub(super) fn accept(decoded: &Decoded, senders: &[Sender], tally: &mut Tally) -> Accepted {
    let spans = decoded.spans();
    let mut accepted = Accepted {
        rows: Vec::with_capacity(spans),
        started_at_us: Vec::with_capacity(spans),
        ended_at_us: Vec::with_capacity(spans),
    };
    tally.counts.received += spans as u64;
    for row in 0..spans {
        let sender = &senders[decoded.resource[row] as usize];
        match judge(decoded, row, sender) {
            Ok((started_at_us, ended_at_us)) => {
                accepted.rows.push(u32::try_from(row).expect("an export has fewer than 2^32 spans"));
                accepted.started_at_us.push(started_at_us);
                accepted.ended_at_us.push(ended_at_us);
                let is_late = sender.received_at_us.saturating_sub(ended_at_us) > LATE_AFTER_US;
                tally.counts.late += u64::from(sender.receipt_known && is_late);
            }
            Err(refusal) => tally.refuse(refusal, 1),
        }
    }
    accepted
}

/// Start and end in microseconds.
fn judge(decoded: &Decoded, row: usize, sender: &Sender) -> Result<(i64, i64), Refusal> {
    if !sender.may_write {
        return Err(Refusal::OtherSystem);
    }
    if !is_id(&decoded.trace_id, row) {
        return Err(Refusal::TraceId);
    }
    if !is_id(&decoded.span_id, row) {
        return Err(Refusal::SpanId);
    }
    let (started_at_ns, ended_at_ns) = (decoded.started_at_ns.value(row), decoded.ended_at_ns.value(row));
    if ended_at_ns < started_at_ns {
        return Err(Refusal::EndsBeforeStart);
    }
    let us = |ns: u64| i64::try_from(ns / 1000).expect("a thousandth of a u64 fits an i64");
    let started_at_us = us(started_at_ns);
    if !sender.any_time {
        if started_at_us < sender.received_at_us.saturating_sub(AGE_MAX_US) {
            return Err(Refusal::TooOld);
        }
        if started_at_us > sender.received_at_us.saturating_add(AHEAD_MAX_US) {
            return Err(Refusal::TooFarAhead);
        }
    }
    Ok((started_at_us, us(ended_at_ns)))
}

/// Whether there are as many bytes as an id has, not all of them zero.
pub(super) fn is_id(ids: &FixedSizeBinaryArray, row: usize) -> bool {
    ids.is_valid(row) && ids.value(row).iter().any(|byte| *byte != 0)
}
