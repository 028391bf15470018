//! How many of the re-entries found are true, how many of the true ones were found, and from where.

use std::collections::HashMap;

use super::truth::TrueReEntry;

/// A re-entry whose value agrees by chance more often than this cannot be told from a default.
const TELLABLE_CHANCE_MAX: f64 = 0.4;

/// A target that matched, as measured.
#[derive(Debug, Clone)]
pub(super) struct Judged {
    pub(super) span: String,
    pub(super) certainty: f64,
    pub(super) verdict: String,
    pub(super) from: [String; 3],
}

/// Shares; not-a-number where there was nothing to share out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    /// Certainties of true re-entries over all certainties, of what was established.
    pub(super) precision: f64,
    /// Certainties of what was established over the number of true re-entries that can be told: those of values that
    /// agree by chance no oftener than [`TELLABLE_CHANCE_MAX`]. What the analysis made of them has no say in it.
    pub(super) recall: f64,
    /// Share of the true re-entries found whose source field is the true one.
    pub(super) source: f64,
}

pub(super) fn judge(truth: &[TrueReEntry], measured: &[Judged]) -> Found {
    let known: HashMap<&str, &TrueReEntry> = truth.iter().map(|entry| (entry.span.as_str(), entry)).collect();
    let seen: HashMap<&str, &Judged> = measured.iter().map(|entry| (entry.span.as_str(), entry)).collect();
    let (mut claimed, mut right) = (0.0, 0.0);
    for entry in measured.iter().filter(|entry| entry.verdict == "established") {
        claimed += entry.certainty;
        if known.contains_key(entry.span.as_str()) {
            right += entry.certainty;
        }
    }
    let (mut tellable, mut found) = (0.0, 0.0);
    let (mut sourced, mut well_sourced) = (0.0, 0.0);
    for entry in truth.iter().filter(|entry| entry.chance <= TELLABLE_CHANCE_MAX) {
        tellable += 1.0;
        let judged = seen.get(entry.span.as_str());
        if let Some(judged) = judged.filter(|judged| judged.verdict == "established") {
            found += judged.certainty;
            sourced += 1.0;
            if judged.from == entry.from {
                well_sourced += 1.0;
            }
        }
    }
    Found { precision: right / claimed, recall: found / tellable, source: well_sourced / sourced }
}
