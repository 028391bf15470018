//! What was received, counted since the start, as Prometheus text.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::{
    gate::{IntakeCounts, Refusal},
    telemetry::{Histogram, Page},
};

/// Names of dropped attributes that are told apart.
const DROPPED_NAMES_MAX: usize = 200;

/// Counters. Spans are counted once their export is answered with success: what is sent again because it could not be
/// stored is counted once.
#[derive(Debug)]
pub(super) struct Metrics {
    counted: Mutex<Counted>,
    took: Histogram,
}

#[derive(Debug, Default)]
struct Counted {
    requests: BTreeMap<(&'static str, u16), u64>,
    counts: IntakeCounts,
    refused: BTreeMap<Refusal, u64>,
    dropped: BTreeMap<String, u64>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self { counted: Mutex::default(), took: Histogram::of_requests() }
    }
}

impl Metrics {
    pub(super) fn request(&self, transport: &'static str, status: u16, took: Duration) {
        self.took.observe(took);
        *self.counted().requests.entry((transport, status)).or_default() += 1;
    }

    pub(super) fn intake(
        &self,
        counts: IntakeCounts,
        refused: &BTreeMap<Refusal, u64>,
        dropped: &BTreeMap<String, u64>,
    ) {
        let mut counted = self.counted();
        counted.counts += counts;
        for (reason, count) in refused {
            *counted.refused.entry(*reason).or_default() += count;
        }
        for (name, count) in dropped {
            let known = counted.dropped.contains_key(name) || counted.dropped.len() < DROPPED_NAMES_MAX;
            *counted.dropped.entry(if known { name.clone() } else { "other".to_owned() }).or_default() += count;
        }
    }

    pub(super) fn write(&self, page: &mut Page) {
        let counted = self.counted();
        page.counters(
            "gilbreth_requests_total",
            "Export requests by transport and status: of HTTP, or gRPC's code.",
            |lines| {
                for ((transport, status), count) in &counted.requests {
                    lines.line(&[("transport", transport), ("status", &status.to_string())], *count);
                }
            },
        );
        page.histogram("gilbreth_request_seconds", "Export requests, from their head to the answer.", &self.took);
        let IntakeCounts { received, late, names_masked, .. } = counted.counts;
        for (name, help, count) in [
            ("gilbreth_spans_received_total", "Spans and log records received, of exports that were taken.", received),
            ("gilbreth_spans_late_total", "Spans received more than an hour after their end.", late),
            ("gilbreth_names_masked_total", "Names cut or masked.", names_masked),
        ] {
            page.counter(name, help, count);
        }
        page.counters("gilbreth_spans_refused_total", "Spans refused, by reason.", |lines| {
            for (reason, count) in &counted.refused {
                lines.line(&[("reason", reason.as_str())], *count);
            }
        });
        page.counters("gilbreth_attributes_dropped_total", "Attributes dropped, by name.", |lines| {
            for (name, count) in &counted.dropped {
                lines.line(&[("name", name)], *count);
            }
        });
    }

    fn counted(&self) -> std::sync::MutexGuard<'_, Counted> {
        // Counters are whole between any two additions.
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
