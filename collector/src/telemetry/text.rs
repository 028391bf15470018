//! The text that Prometheus reads (its exposition format 0.0.4).
//!
//! Written by hand: a registry of a library would hold a second copy of figures that have an owner already (what waits,
//! what each token did), and what is left, this, is shorter than the calls to one. The best kept library writes
//! OpenMetrics instead, which is another format.

use std::fmt::Write as _;

use super::histogram::Histogram;

/// What the text is, as a content type.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A page of metrics, family by family. Names end in the unit, and those of counters in `_total`.
#[derive(Debug, Default)]
pub(crate) struct Page(String);

/// The labels of a line.
type Labels<'a> = &'a [(&'a str, &'a str)];

impl Page {
    pub(crate) fn counter(&mut self, name: &str, help: &str, count: u64) {
        self.counters(name, help, |lines| lines.line(&[], count));
    }

    pub(crate) fn counters(&mut self, name: &str, help: &str, lines: impl FnOnce(&mut Lines<'_>)) {
        debug_assert!(name.ends_with("_total"), "{name} is no name of a counter");
        self.family(name, help, "counter");
        lines(&mut Lines { page: self, name });
    }

    pub(crate) fn gauge(&mut self, name: &str, help: &str, value: f64) {
        self.family(name, help, "gauge");
        self.line(name, &[], value);
    }

    pub(crate) fn histogram(&mut self, name: &str, help: &str, histogram: &Histogram) {
        self.family(name, help, "histogram");
        let read = histogram.read();
        let bucket = format!("{name}_bucket");
        for (bound, count) in read.buckets {
            self.line(&bucket, &[("le", &bound.to_string())], count);
        }
        self.line(&bucket, &[("le", "+Inf")], read.count);
        self.line(&format!("{name}_sum"), &[], read.sum_s);
        self.line(&format!("{name}_count"), &[], read.count);
    }

    pub(crate) fn into_text(self) -> String {
        self.0
    }

    fn family(&mut self, name: &str, help: &str, kind: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn line(&mut self, name: &str, labels: Labels<'_>, value: impl std::fmt::Display) {
        self.0.push_str(name);
        for (at, (label, value)) in labels.iter().enumerate() {
            let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(self.0, "{}{label}=\"{value}\"", if at == 0 { '{' } else { ',' });
        }
        let _ = writeln!(self.0, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }
}

/// The lines of one family of counters.
pub(crate) struct Lines<'a> {
    page: &'a mut Page,
    name: &'a str,
}

impl Lines<'_> {
    pub(crate) fn line(&mut self, labels: Labels<'_>, count: u64) {
        self.page.line(self.name, labels, count);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn families_are_written_as_prometheus_reads_them() {
        let mut page = Page::default();
        page.counter("a_total", "All.", 7);
        page.counters("b_total", "By name.", |lines| {
            lines.line(&[("name", "x\"\\\n"), ("other", "y")], 1);
        });
        page.gauge("c_seconds", "Now.", 0.25);
        let histogram = Histogram::new(&[0.5, 1.0]);
        histogram.observe(Duration::from_millis(750));
        page.histogram("d_seconds", "How long.", &histogram);
        assert_eq!(
            page.into_text(),
            "# HELP a_total All.\n# TYPE a_total counter\na_total 7\n\
             # HELP b_total By name.\n# TYPE b_total counter\nb_total{name=\"x\\\"\\\\\\n\",other=\"y\"} 1\n\
             # HELP c_seconds Now.\n# TYPE c_seconds gauge\nc_seconds 0.25\n\
             # HELP d_seconds How long.\n# TYPE d_seconds histogram\nd_seconds_bucket{le=\"0.5\"} 0\n\
             d_seconds_bucket{le=\"1\"} 1\nd_seconds_bucket{le=\"+Inf\"} 1\nd_seconds_sum 0.75\nd_seconds_count 1\n"
        );
    }
}
