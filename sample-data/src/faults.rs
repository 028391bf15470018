//! What goes wrong between what happened and what is received: wrong clocks, exports sent twice, spans that come late.
//!
//! The truth knows nothing of it: it is worked out from what happened. Every fault hangs on the seed and on what it
//! befalls, so that the same seed gives the same bytes.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::options::Scenario;
use crate::random::{Purpose, keyed};

/// How often something goes wrong, and how badly. Nothing does by default.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Faults {
    /// The most by which a session's clock is off, either way, in microseconds.
    pub clock_off_max: i64,
    /// Share of exports that are sent again, as after an answer that got lost.
    pub repeated: f64,
    /// Share of spans that do not go with their export but later.
    pub late: f64,
    /// The most by which they are late, in microseconds.
    pub late_max: i64,
    /// Whether each system names a case by a number of its own, and the national one only where a screen is opened.
    pub numbers_apart: bool,
    seed: u64,
}

const SECOND: i64 = 1_000_000;

impl Faults {
    /// The faults of a scenario: those of the method's own test where it is hard, else none.
    #[must_use]
    pub fn of(scenario: Scenario, seed: u64) -> Self {
        match scenario {
            Scenario::Clean | Scenario::NoReEntry => Self { seed, ..Self::default() },
            Scenario::Hard => Self {
                clock_off_max: 300 * SECOND,
                repeated: 0.05,
                late: 0.02,
                late_max: 7_200 * SECOND,
                numbers_apart: true,
                seed,
            },
        }
    }

    /// By how much the clock of a session is ahead, in microseconds. What has no session has the right time.
    pub(crate) fn ahead(&self, session: u64) -> i64 {
        if self.clock_off_max == 0 || session == 0 {
            return 0;
        }
        keyed(self.seed, Purpose::Clock, session, 0).random_range(-self.clock_off_max..=self.clock_off_max)
    }

    /// How much later a span is sent than it should be, if it is late.
    pub(crate) fn lateness(&self, rng: &mut ChaCha8Rng) -> Option<i64> {
        (self.late > 0.0 && rng.random_bool(self.late)).then(|| rng.random_range(SECOND..=self.late_max))
    }

    /// After how long an export is sent again, if it is.
    pub(crate) fn again_after(&self, rng: &mut ChaCha8Rng) -> Option<i64> {
        (self.repeated > 0.0 && rng.random_bool(self.repeated)).then(|| rng.random_range(SECOND..=60 * SECOND))
    }
}
