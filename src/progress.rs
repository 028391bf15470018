//! Progress on standard error: a bar on a terminal, one line a step elsewhere. Standard output is for results alone.

use std::{
    io::IsTerminal as _,
    time::{Duration, Instant},
};

use indicatif::{HumanDuration, ProgressBar, ProgressStyle};

/// One step of long work; says so when it begins, and how long it took when it is done.
#[derive(Debug)]
pub(crate) struct Step {
    bar: ProgressBar,
    name: String,
    began: Instant,
}

impl Step {
    /// Begins a step of `total` units (0: unknown).
    pub(crate) fn begin(name: impl Into<String>, total: u64) -> Self {
        let name = name.into();
        let bar = if std::io::stderr().is_terminal() {
            let bar = if total == 0 { ProgressBar::new_spinner() } else { ProgressBar::new(total) };
            let template =
                if total == 0 { "{spinner} {msg} {elapsed}" } else { "{msg:36} [{bar:30}] {percent:>3} %  {prefix}" };
            bar.set_style(
                ProgressStyle::with_template(template).expect("the template is constant").progress_chars("█▉▊▋▌▍▎▏ "),
            );
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        } else {
            ProgressBar::hidden()
        };
        bar.set_message(name.clone());
        Self { bar, name, began: Instant::now() }
    }

    /// So many more units are done; `detail` is shown beside the bar.
    pub(crate) fn advance(&self, units: u64, detail: impl Into<String>) {
        self.bar.inc(units);
        self.bar.set_prefix(detail.into());
    }

    /// The step is done; `what` says with what result.
    pub(crate) fn done(self, what: &str) {
        self.bar.finish_and_clear();
        let took = self.began.elapsed();
        let took = if took < Duration::from_mins(1) {
            format!("{:.1} s", took.as_secs_f64())
        } else {
            HumanDuration(took).to_string()
        };
        eprintln!("{:<36} {what} ({took})", self.name);
    }
}
