//! Which spans go in which request, and when: what a batching exporter of each session does, and what befalls it.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::estate::SystemId;
use crate::faults::Faults;
use crate::interaction::Interaction;
use crate::random::{Purpose, keyed};

/// A session sends when it holds so many spans, however young they are.
const SPANS_MAX: usize = 256;

/// What one session sends at once.
#[derive(Debug, Clone)]
pub(super) struct Batch {
    pub(super) received_at: i64,
    pub(super) sent_at: i64,
    /// Place of the worker's day, then places of the interactions in it.
    pub(super) day: usize,
    pub(super) spans: Vec<u32>,
}

struct Pending {
    until: i64,
    last: i64,
    spans: Vec<u32>,
}

/// Splits a worker's day into what each session sends.
pub(super) fn batch(
    batches: &mut Vec<Batch>,
    at: usize,
    day: &[Interaction],
    faults: &Faults,
    seed: u64,
    date: NaiveDate,
) {
    let Some(worker) = day.first().map(|span| span.worker) else { return };
    let day_number = u64::from(date.to_epoch_days().unsigned_abs());
    let mut rng = keyed(seed, Purpose::Export, worker as u64, day_number);
    let mut order: Vec<u32> = (0..u32::try_from(day.len()).expect("a day has few interactions")).collect();
    order.sort_by_key(|index| (day[*index as usize].ended_at, *index));
    let mut pending: BTreeMap<(SystemId, u64), Pending> = BTreeMap::new();
    let mut network = Network { rng: rng.clone(), day: at, faults, batches };
    for index in order {
        let span = &day[index as usize];
        if let Some(late) = faults.lateness(&mut rng) {
            network.send(span.ended_at + late, vec![index]);
            continue;
        }
        let session = (span.system, span.session);
        let full =
            pending.get(&session).is_some_and(|held| span.ended_at > held.until || held.spans.len() >= SPANS_MAX);
        if full && let Some(held) = pending.remove(&session) {
            network.send(held.last, held.spans);
        }
        let held = pending.entry(session).or_insert_with(|| Pending {
            until: span.ended_at + rng.random_range(30_000_000..60_000_000),
            last: 0,
            spans: Vec::new(),
        });
        held.last = span.ended_at;
        held.spans.push(index);
    }
    for held in pending.into_values() {
        network.send(held.last, held.spans);
    }
}

/// From the last span to the collector.
struct Network<'a> {
    rng: ChaCha8Rng,
    day: usize,
    faults: &'a Faults,
    batches: &'a mut Vec<Batch>,
}

impl Network<'_> {
    /// Sends spans soon after `ready_at`; now and then the answer gets lost, and they are sent again.
    fn send(&mut self, ready_at: i64, spans: Vec<u32>) {
        let sent_at = ready_at + self.rng.random_range(200_000..1_500_000);
        let received_at = sent_at + self.rng.random_range(15_000..180_000);
        let batch = Batch { received_at, sent_at, day: self.day, spans };
        if let Some(after) = self.faults.again_after(&mut self.rng) {
            self.batches.push(Batch { received_at: received_at + after, ..batch.clone() });
        }
        self.batches.push(batch);
    }
}
