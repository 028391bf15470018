//! What was measured, as a table or as one JSON object.

use std::{fmt, time::Duration};

use serde_json::{Value, json};

use crate::{
    columns::Stored,
    disk::percentile,
    drive::Sent,
    options::Options,
    process::Machine,
    server::{After, Usage},
};

/// Rows of figures, each with the name that it has in JSON.
pub(crate) struct Report(Vec<Figure>);

struct Figure {
    name: String,
    label: String,
    value: Value,
    unit: &'static str,
}

impl Report {
    pub(crate) fn of(
        options: &Options,
        sent: &Sent,
        [before, when_sent]: [Usage; 2],
        after: &After,
        machine: Machine,
        syncs: &[Duration],
        stored: Option<Stored>,
    ) -> Self {
        let mut report = Self(Vec::new());
        report.sending(options, sent);
        report.cost(sent, before, when_sent, after, machine);
        report.times(sent, syncs);
        report.disk(sent, after);
        if let Some(stored) = stored {
            report.store(&stored);
        }
        report
    }

    fn sending(&mut self, options: &Options, sent: &Sent) {
        let took = sent.took.as_secs_f64();
        self.add("protocol", "sent as", options.sent_as(), "");
        self.add("batch", "spans in a request", options.batch, "");
        self.add("connections", "connections", options.connections, "");
        if let Some(rate) = options.rate {
            self.add("rate", "due", round(rate), "spans/s");
        }
        self.add("acknowledged_spans", "acknowledged", sent.acknowledged, "spans");
        self.add("spans_per_s", "", round(sent.acknowledged as f64 / took), "spans/s");
        self.add("seconds", "took", round(took), "s");
        if sent.refused + sent.given_up > 0 {
            self.add("refused_spans", "refused for good", sent.refused, "spans");
            self.add("given_up_spans", "given up", sent.given_up, "spans");
        }
        self.add("answers", "answers", json!(sent.answers), "");
    }

    fn cost(&mut self, sent: &Sent, before: Usage, when_sent: Usage, after: &After, machine: Machine) {
        let millions = sent.acknowledged as f64 / 1e6;
        let used = |usage: Usage| Some(usage.cpu_s? - before.cpu_s?);
        if let Some(cpu_s) = used(after.usage) {
            let label = if after.took.is_some() { "CPU until all is written" } else { "CPU so far" };
            self.add("cpu_s_per_million", label, round(cpu_s / millions), "s per million spans");
        }
        if let Some(cpu_s) = used(when_sent) {
            self.add(
                "cpu_s_per_million_sent",
                "CPU until all is acknowledged",
                round(cpu_s / millions),
                "s per million spans",
            );
            let others = (machine.busy_s - machine.sender_s - cpu_s).max(0.0);
            self.add("others_cpu_s", "CPU of everything else meanwhile", round(others), "s");
        }
        self.add("sender_cpu_s", "CPU of the sender", round(machine.sender_s), "s");
        if let Some(took) = after.took {
            self.add("drain_s", "end", round(took.as_secs_f64()), "s");
        }
        if let Some(peak) = after.usage.peak_mib {
            self.add("peak_mib", "peak memory", peak.round(), "MiB");
        }
    }

    fn times(&mut self, sent: &Sent, syncs: &[Duration]) {
        for (name, hundredths) in [("p50", 50), ("p99", 99), ("max", 100)] {
            let (ack, sync) = (percentile(&sent.times, hundredths), percentile(syncs, hundredths));
            self.add(&format!("ack_{name}_ms"), &format!("acknowledgement {name}"), ms(ack), "ms");
            self.add(&format!("fdatasync_{name}_ms"), &format!("fdatasync {name}"), ms(sync), "ms");
        }
    }

    fn disk(&mut self, sent: &Sent, after: &After) {
        let a_span = |bytes: u64| round(bytes as f64 / sent.acknowledged as f64);
        if after.bytes.is_empty() {
            return;
        }
        self.add("disk_bytes_per_span", "on the disk", a_span(after.bytes.values().sum()), "bytes a span");
        for (folder, bytes) in after.bytes.iter().filter(|(_, bytes)| a_span(**bytes) >= 0.01) {
            self.add(&format!("disk_bytes_per_span.{folder}"), &format!("  {folder}"), a_span(*bytes), "bytes a span");
        }
        for (folder, footers) in &after.parquet {
            self.add(&format!("rows.{folder}"), &format!("rows in {folder}"), footers.rows, "");
        }
    }

    fn store(&mut self, stored: &Stored) {
        let a_span = |bytes: u64| round(bytes as f64 / stored.rows as f64);
        self.add("rows", "rows in spans", stored.rows, "");
        self.add("live_bytes_per_span_committed", "spans as committed", a_span(stored.bytes_before), "bytes a span");
        self.add("files_committed", "", stored.files_before, "files");
        self.add("live_bytes_per_span", "spans after compaction", a_span(stored.bytes), "bytes a span");
        self.add("files", "", stored.files, "files");
        self.add(
            "compaction_cpu_s_per_million",
            "CPU of compaction",
            round(stored.merging_cpu_s / stored.rows as f64 * 1e6),
            "s per million spans",
        );
        for (column, bytes) in &stored.columns {
            self.add(&format!("column.{column}"), &format!("  {column}"), a_span(*bytes), "bytes a span");
        }
    }

    fn add(&mut self, name: &str, label: &str, value: impl Into<Value>, unit: &'static str) {
        self.0.push(Figure { name: name.to_owned(), label: label.to_owned(), value: value.into(), unit });
    }

    pub(crate) fn json(&self) -> Value {
        self.0.iter().map(|figure| (figure.name.clone(), figure.value.clone())).collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Figure { label, value, unit, .. } in &self.0 {
            let value = match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            writeln!(formatter, "{label:<34}{value:>14} {unit}")?;
        }
        Ok(())
    }
}

fn ms(time: Duration) -> f64 {
    round(time.as_secs_f64() * 1e3)
}

/// To a hundredth.
fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
