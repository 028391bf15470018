//! How much a token does, held against its limits.

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::rights::Limits;

/// So many seconds' worth of spans may come at once: exporters send what they gathered over a few.
const BURST: Duration = Duration::from_secs(10);
/// A request in work takes well under a second.
const PLACE_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Which limit was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Limit {
    /// Spans a second.
    Spans,
    /// Requests in work at once.
    Requests,
}

impl Limit {
    /// Its name, as metrics have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Spans => "spans",
            Self::Requests => "requests",
        }
    }

    pub(super) const fn in_words(self) -> &'static str {
        match self {
            Self::Spans => "spans a second",
            Self::Requests => "requests at once",
        }
    }
}

/// One token's doings. They outlive a look at the file, or reading it again would forget them.
#[derive(Debug)]
pub(super) struct Meter {
    limits: Limits,
    spans: Rate,
    requests: Arc<Semaphore>,
    hits: [AtomicU64; 2],
}

impl Meter {
    pub(super) fn new(limits: Limits) -> Self {
        let requests = Arc::new(Semaphore::new(limits.requests_at_once_max.get() as usize));
        Self { limits, spans: Rate::default(), requests, hits: Default::default() }
    }

    pub(super) const fn limits(&self) -> Limits {
        self.limits
    }

    /// A place for one request; or which limit is in the way, and when to come again. `now` is the time since any fixed
    /// moment.
    ///
    /// How many spans a request holds is known only once it is decoded. So a request is let in while there is anything
    /// left, whatever it holds, and what it holds is charged: what was taken too much is paid for before the next.
    pub(super) fn enter(&self, now: Duration) -> Result<OwnedSemaphorePermit, (Limit, Duration)> {
        if let Some(wait) = self.spans.wait(now) {
            return Err(self.hit(Limit::Spans, wait));
        }
        Arc::clone(&self.requests).try_acquire_owned().map_err(|_| self.hit(Limit::Requests, PLACE_AGAIN_AFTER))
    }

    /// Counts spans that came with a request that was let in.
    pub(super) fn charge(&self, spans: u64, now: Duration) {
        if let Some(rate) = self.limits.spans_per_s {
            self.spans.charge(spans, rate, now);
        }
    }

    /// How often a limit was reached.
    pub(super) fn hits(&self, limit: Limit) -> u64 {
        self.hits[limit as usize].load(Ordering::Relaxed)
    }

    fn hit(&self, limit: Limit, wait: Duration) -> (Limit, Duration) {
        self.hits[limit as usize].fetch_add(1, Ordering::Relaxed);
        (limit, wait)
    }
}

/// A rate with a burst: the moment, in nanoseconds, at which everything charged so far would have come at the rate.
#[derive(Debug, Default)]
struct Rate {
    paid_at_ns: AtomicU64,
}

impl Rate {
    /// How long to wait until something may come again; `None` if it may now.
    fn wait(&self, now: Duration) -> Option<Duration> {
        let ahead = self.paid_at_ns.load(Ordering::Relaxed).saturating_sub(nanoseconds(now));
        let ahead = Duration::from_nanos(ahead);
        (ahead >= BURST).then(|| ahead.saturating_sub(BURST) + Duration::from_millis(1))
    }

    fn charge(&self, spans: u64, per_s: NonZeroU32, now: Duration) {
        let cost = u128::from(spans) * 1_000_000_000 / u128::from(per_s.get());
        let cost = u64::try_from(cost).unwrap_or(u64::MAX);
        let _ = self.paid_at_ns.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |paid| {
            Some(paid.max(nanoseconds(now)).saturating_add(cost))
        });
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn meter(spans_per_s: u32, requests_at_once_max: u32) -> Meter {
        let requests_at_once_max = NonZeroU32::new(requests_at_once_max).unwrap();
        Meter::new(Limits { spans_per_s: NonZeroU32::new(spans_per_s), requests_at_once_max })
    }

    #[test]
    fn a_place_is_given_back_when_its_request_ends() {
        let meter = meter(0, 2);
        let (one, two) = (meter.enter(Duration::ZERO).unwrap(), meter.enter(Duration::ZERO).unwrap());
        assert_eq!(meter.enter(Duration::ZERO).unwrap_err().0, Limit::Requests);
        assert_eq!((meter.hits(Limit::Requests), meter.hits(Limit::Spans)), (1, 0));
        drop(one);
        drop(meter.enter(Duration::ZERO).unwrap());
        meter.charge(u64::MAX, Duration::ZERO);
        drop(meter.enter(Duration::ZERO).expect("a rate that is not limited"));
        drop(two);
    }

    #[test]
    fn what_was_taken_too_much_is_paid_for_before_the_next() {
        let meter = meter(100, 9);
        // Ten seconds' worth is a thousand; five thousand were taken.
        meter.charge(5_000, Duration::ZERO);
        let (limit, wait) = meter.enter(Duration::ZERO).unwrap_err();
        assert_eq!((limit, wait.as_secs()), (Limit::Spans, 40));
        meter.enter(Duration::from_secs(39)).unwrap_err();
        drop(meter.enter(wait).unwrap());
    }

    proptest! {
        #[test]
        fn over_time_no_more_comes_in_than_the_rate_a_burst_and_one_request(
            rate in 1_u32..5_000,
            steps in prop::collection::vec((0_u64..20_000, 0_u64..70_000), 1..60),
        ) {
            let meter = meter(rate, 1);
            let (mut now, mut taken, mut largest) = (Duration::ZERO, 0, 0);
            for (pause_ms, spans) in steps {
                now += Duration::from_millis(pause_ms);
                match meter.enter(now) {
                    Ok(_place) => {
                        meter.charge(spans, now);
                        taken += spans;
                        largest = largest.max(spans);
                    }
                    Err((_, wait)) => {
                        // Whoever comes when it was told to is let in.
                        now += wait;
                        prop_assert!(meter.enter(now).is_ok());
                    }
                }
                let fair = u128::from(rate) * (now + BURST).as_nanos() / 1_000_000_000 + 1;
                prop_assert!(u128::from(taken) <= fair + u128::from(largest), "{taken} of {fair} + {largest}");
            }
        }
    }
}
