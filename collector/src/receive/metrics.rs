//! What was received, counted since the start, as Prometheus text.

use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::gate::{Admission, IntakeCounts, Refusal};

/// Names of dropped attributes that are told apart.
const DROPPED_NAMES_MAX: usize = 200;

/// Counters. They say what was offered; what is stored is the pipeline's to say.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    counted: Mutex<Counted>,
    unready: AtomicBool,
}

#[derive(Debug, Default)]
struct Counted {
    requests: BTreeMap<(&'static str, u16), u64>,
    counts: IntakeCounts,
    refused: BTreeMap<Refusal, u64>,
    dropped: BTreeMap<String, u64>,
}

impl Metrics {
    pub(super) fn request(&self, transport: &'static str, status: u16) {
        *self.counted().requests.entry((transport, status)).or_default() += 1;
    }

    pub(super) fn intake(&self, admission: &Admission) {
        let mut counted = self.counted();
        counted.counts += admission.counts;
        for (reason, count) in &admission.refused {
            *counted.refused.entry(*reason).or_default() += count;
        }
        for (name, count) in &admission.dropped {
            let known = counted.dropped.contains_key(name) || counted.dropped.len() < DROPPED_NAMES_MAX;
            *counted.dropped.entry(if known { name.clone() } else { "other".to_owned() }).or_default() += count;
        }
    }

    pub(super) fn set_ready(&self, ready: bool) {
        self.unready.store(!ready, Ordering::Relaxed);
    }

    pub(super) fn is_ready(&self) -> bool {
        !self.unready.load(Ordering::Relaxed)
    }

    pub(super) fn text(&self) -> String {
        let counted = self.counted();
        let mut out = String::new();
        family(&mut out, "gilbreth_requests_total", "Export requests by status: of HTTP, or gRPC's code.");
        for ((transport, status), count) in &counted.requests {
            let _ = writeln!(out, "gilbreth_requests_total{{transport=\"{transport}\",status=\"{status}\"}} {count}");
        }
        let IntakeCounts { received, late, names_masked, .. } = counted.counts;
        for (name, help, count) in [
            ("gilbreth_spans_received_total", "Spans and log records received.", received),
            ("gilbreth_spans_late_total", "Spans received more than an hour after their end.", late),
            ("gilbreth_names_masked_total", "Names cut or masked.", names_masked),
        ] {
            family(&mut out, name, help);
            line(&mut out, name, None, count);
        }
        family(&mut out, "gilbreth_spans_refused_total", "Spans refused, by reason.");
        for (reason, count) in &counted.refused {
            line(&mut out, "gilbreth_spans_refused_total", Some(("reason", reason.as_str())), *count);
        }
        family(&mut out, "gilbreth_attributes_dropped_total", "Attributes dropped, by name.");
        for (name, count) in &counted.dropped {
            line(&mut out, "gilbreth_attributes_dropped_total", Some(("name", name)), *count);
        }
        out
    }

    fn counted(&self) -> std::sync::MutexGuard<'_, Counted> {
        // Counters are whole between any two additions.
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn family(out: &mut String, name: &str, help: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} counter");
}

fn line(out: &mut String, name: &str, label: Option<(&str, &str)>, count: u64) {
    let _ = match label {
        None => writeln!(out, "{name} {count}"),
        Some((label, value)) => {
            let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            writeln!(out, "{name}{{{label}=\"{value}\"}} {count}")
        }
    };
}
