//! How much is measured: small by default, larger by environment variables.

use std::path::PathBuf;

/// People and weeks of a simulated estate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Estate {
    pub(crate) staff: usize,
    pub(crate) weeks: usize,
}

/// A store to measure, instead of one that is simulated.
pub(crate) fn store() -> Option<PathBuf> {
    std::env::var_os("GILBRETH_BENCH_STORE").map(PathBuf::from)
}

/// The estate that is simulated where no store is named.
pub(crate) fn estate() -> Estate {
    Estate { staff: number("GILBRETH_BENCH_STAFF", 60), weeks: number("GILBRETH_BENCH_WEEKS", 4) }
}

/// The days after which one more is refreshed: fewer, and more.
pub(crate) fn days() -> (usize, usize) {
    (number("GILBRETH_BENCH_FEWER_DAYS", 10), number("GILBRETH_BENCH_MORE_DAYS", 25))
}

/// How often each is repeated.
pub(crate) fn runs() -> usize {
    number("GILBRETH_BENCH_RUNS", 3).max(1)
}

fn number(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// The middle of several figures.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
