//! Runs: what one worker does on one case in one go, where no sender says which task it is.

use super::activity::{Activity, Kind, Rules};

/// For each activity that belongs to a run, the first activity of that run. A run is ended by a completing action of the
/// task catalogue, another case, sign-out, or a pause. An activity without a case belongs to none, nor does one whose
/// task instance is known otherwise. `activities` are in order of (start, key), `closes` as the ledger cuts them.
#[must_use]
pub fn runs(activities: &[Activity], closes: &[i64], rules: &Rules) -> Vec<Option<usize>> {
    let mut current: Option<(u32, usize)> = None;
    let mut quiet_since = i64::MIN;
    activities
        .iter()
        .enumerate()
        .map(|(index, activity)| {
            if activity.start.saturating_sub(quiet_since) > rules.run_pause {
                current = None;
            }
            quiet_since = quiet_since.max(closes[index]);
            if let (Some(case), Some((of, _))) = (activity.case, current)
                && case != of
            {
                current = None;
            }
            let head = match (activity.case, current) {
                _ if activity.task_known => None,
                (None, _) => None,
                (Some(_), Some((_, head))) => Some(head),
                (Some(case), None) => {
                    current = Some((case, index));
                    Some(index)
                }
            };
            if activity.kind == Kind::SignOut || activity.completes {
                current = None;
            }
            head
        })
        .collect()
}
