//! A refresh after one more day: what it costs after few days, and after many.

use std::path::{Path, PathBuf};

use anyhow::ensure;

use crate::{
    sizes::{self, Estate},
    stores,
};

/// A store that grows by a day at a time.
struct Growing<'a> {
    store: PathBuf,
    days: usize,
    rest: &'a [PathBuf],
}

impl<'a> Growing<'a> {
    fn after(store: PathBuf, files: &'a [PathBuf], days: usize) -> anyhow::Result<Self> {
        stores::ingest(&store, &files[..days])?;
        stores::refresh(&store, &[])?;
        Ok(Self { store, days, rest: &files[days..] })
    }

    fn one_more(&mut self) -> anyhow::Result<f64> {
        let (day, rest) = self.rest.split_at(1);
        self.rest = rest;
        stores::ingest(&self.store, day)?;
        let took = stores::refresh(&self.store, &[])?;
        println!(
            "one more day          after {} days: {:.2} s, peak {:.0} MiB",
            self.days, took.seconds, took.peak_mib
        );
        Ok(took.seconds)
    }
}

/// Measures in turn, so that a machine that slows down slows both, and prints the ratio of the medians.
pub(crate) fn run(scratch: &Path) -> anyhow::Result<()> {
    let ((fewer, more), runs) = (sizes::days(), sizes::runs());
    // A week has five working days, less holidays.
    let estate = Estate { weeks: (more + runs).div_ceil(5) + 3, ..sizes::estate() };
    let files = stores::simulate(&scratch.join("days"), estate)?;
    ensure!(files.len() >= more + runs, "{} days were simulated, {} are needed", files.len(), more + runs);
    let mut short = Growing::after(scratch.join("fewer"), &files, fewer)?;
    let mut long = Growing::after(scratch.join("more"), &files, more)?;
    let (mut after_fewer, mut after_more) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        after_fewer.push(short.one_more()?);
        after_more.push(long.one_more()?);
    }
    let (one, other) = (sizes::median(after_fewer), sizes::median(after_more));
    println!(
        "one more day          median {one:.2} s after {fewer}, {other:.2} s after {more}: ratio {:.2}",
        other / one
    );
    Ok(())
}
