//! Chance, keyed: what happens to one worker on one day does not hang on what chance did elsewhere.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

/// What a stream of chance is for; streams of two purposes have nothing in common.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    /// Who a worker is.
    Person = 1,
    /// The name of a place.
    Place = 2,
    /// What is true of a case.
    Fact = 3,
    /// A worker's day.
    Day = 4,
    /// When a system is out of order on a day.
    Outage = 5,
    /// When an export is sent.
    Export = 6,
    /// By how much the clock of a session is off.
    Clock = 7,
    /// What somebody says in the survey.
    Survey = 8,
    /// What somebody notes in a diary.
    Diary = 9,
}

/// The stream of chance of a purpose and two numbers.
pub(crate) fn keyed(seed: u64, purpose: Purpose, a: u64, b: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8] = purpose as u8;
    key[16..24].copy_from_slice(&a.to_le_bytes());
    key[24..].copy_from_slice(&b.to_le_bytes());
    ChaCha8Rng::from_seed(key)
}

/// A log-normal number: half are below the median; `sigma` is the spread of the logarithm.
pub(crate) fn log_normal(rng: &mut ChaCha8Rng, median: f64, sigma: f64) -> f64 {
    let z: f64 = rng.sample(StandardNormal);
    median * (sigma * z).exp()
}

/// How often something happens that happens `mean` times on average (Poisson, by multiplying).
pub(crate) fn poisson(rng: &mut ChaCha8Rng, mean: f64) -> u32 {
    let floor = (-mean).exp();
    let mut product: f64 = rng.random();
    let mut times = 0;
    while product > floor {
        product *= rng.random::<f64>();
        times += 1;
    }
    times
}
