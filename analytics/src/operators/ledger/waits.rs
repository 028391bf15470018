//! What is special about waits and sign-ins: chains of waits share one tolerated second, and a day's first sign-in to a
//! system is no loss.

use super::activity::{Activity, Kind, Rules};
use crate::operators::hashing::FastSet;

/// For each wait, the start of its chain, from which the tolerated part counts. Activities are in order of (start, key);
/// `closes` as [`super::activity::closes`] gives them. What is no wait has none.
#[must_use]
pub fn chain_starts(activities: &[Activity], closes: &[i64], rules: &Rules) -> Vec<Option<i64>> {
    let mut starts = vec![None; activities.len()];
    // Latest end and first start of the chain so far.
    let mut chain: Option<(i64, i64)> = None;
    for (index, activity) in activities.iter().enumerate().filter(|(_, activity)| activity.kind == Kind::Wait) {
        let (end, first) = match chain {
            Some((end, first)) if activity.start <= end.saturating_add(rules.wait_chain) => (end, first),
            _ => (activity.start, activity.start),
        };
        chain = Some((end.max(closes[index]), first));
        starts[index] = Some(first);
    }
    starts
}

/// Which activities are the worker's first sign-in of a local day to a system: the earliest by start, then smaller span
/// id, of some duration and not failed.
#[must_use]
pub fn first_sign_ins(activities: &[Activity], rules: &Rules) -> Vec<bool> {
    let mut seen = FastSet::default();
    activities
        .iter()
        .map(|activity| {
            activity.kind == Kind::SignIn
                && activity.end > activity.start
                && !activity.failed
                && seen.insert((rules.local.day(activity.start), activity.system))
        })
        .collect()
}
