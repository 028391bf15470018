//! Chains of entries, and entries that do the same field again.
//!
//! A task instance may have entries of several workers, so entries are judged by case and not by worker: all entries of
//! a case at once, and all entries without one.

use super::{
    SpanKey,
    hashing::{FastMap, FastSet},
};

/// An entry or choice that is an activity, typed, pasted or selected. Ids are numbers of the caller's choice.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Identity.
    pub key: SpanKey,
    /// Start, microseconds, clock-corrected.
    pub start: i64,
    /// The person; entries without one are judged apart from all others.
    pub worker: Option<u32>,
    /// The system.
    pub system: u32,
    /// System, screen and field; none where there is no field.
    pub field: Option<u32>,
    /// The case.
    pub case: Option<u32>,
    /// The task instance known by id, trace or rule.
    pub task: Option<u32>,
    /// The record within the case; unknown equals unknown.
    pub record: Option<u32>,
    /// Local day of the start.
    pub day: i32,
    /// Span id of the interaction that this one continues.
    pub continues: Option<u64>,
    /// The value.
    pub digest: Option<i64>,
}

/// Why a field was entered again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cause {
    /// The same value, after work was lost or the system failed.
    LostWork,
    /// After a rejection.
    Correction,
    /// Neither.
    Revision,
}

impl Cause {
    /// The word in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LostWork => "lost_work",
            Self::Correction => "correction",
            Self::Revision => "revision",
        }
    }
}

/// What is known of an entry once all are seen. Entries are named by their place in the slice given to [`judge`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judged {
    /// The first span of its chain.
    pub head: usize,
    /// The last span of its chain: the one that has the value.
    pub last: usize,
    /// Set where the chain is rework.
    pub rework: Option<Cause>,
}

/// Interactions that went wrong, by worker and system: what may lie between an entry and the next of the same field.
#[derive(Debug, Default)]
pub struct Mishaps {
    by: FastMap<(u32, u32), Vec<Mishap>>,
}

/// Start, identity, and whether it was a rejection.
type Mishap = (i64, SpanKey, bool);

impl Mishaps {
    /// From (worker, system, start, key, rejected) in any order; `rejected` tells `rejected` from `lost` and `failed`.
    #[must_use]
    pub fn new(mishaps: impl IntoIterator<Item = (u32, u32, i64, SpanKey, bool)>) -> Self {
        let mut by: FastMap<_, Vec<_>> = FastMap::default();
        for (worker, system, start, key, rejected) in mishaps {
            by.entry((worker, system)).or_default().push((start, key, rejected));
        }
        by.values_mut().for_each(|list| list.sort_unstable());
        Self { by }
    }

    /// Whether any such interaction of the worker and system starts from `from` on, itself included, and before `to`.
    fn between(&self, worker: Option<u32>, system: u32, from: &Entry, to: &Entry, rejected: bool) -> bool {
        let Some(list) = worker.and_then(|worker| self.by.get(&(worker, system))) else { return false };
        let first = list.partition_point(|&(start, key, _)| (start, key) < (from.start, from.key));
        list[first..]
            .iter()
            .take_while(|&&(start, key, _)| (start, key) < (to.start, to.key))
            .any(|&(_, _, is_rejected)| is_rejected == rejected)
    }
}

/// Task instance, case, field and record: one task may be done on several cases, whose fields are not the same.
type SameTask = (u32, Option<u32>, u32, Option<u32>);
/// Worker, case, local day, field and record.
type SameDay = (Option<u32>, u32, i32, u32, Option<u32>);

/// Judges every entry; the result is in the order of the entries given, which may be any. A span that came twice is one.
/// Entries of one case must all be there, and so must all entries without a case.
///
/// A chain counts as one entry: it starts with its first span and has the value of its last. A chain whose first span
/// continues something that was never received is not judged to be rework, since it began before.
#[must_use]
pub fn judge(entries: &[Entry], mishaps: &Mishaps) -> Vec<Judged> {
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_unstable_by_key(|&index| (entries[index].start, entries[index].key, index));
    // Which entry speaks for each: itself, or the first copy of the same span.
    let mut speaker: Vec<usize> = (0..entries.len()).collect();
    order.dedup_by(|copy, first| {
        let same = (entries[*copy].start, entries[*copy].key) == (entries[*first].start, entries[*first].key);
        if same {
            speaker[*copy] = *first;
        }
        same
    });
    let heads = heads(entries, &order);
    let mut last: Vec<usize> = (0..entries.len()).collect();
    for &index in &order {
        last[heads[index]] = index;
    }

    // The latest chain seen so far of each field in a task instance, case and record, and in a worker's case, day and record.
    let mut in_task: FastMap<SameTask, usize> = FastMap::default();
    let mut in_day: FastMap<SameDay, usize> = FastMap::default();
    let mut causes: Vec<Option<Cause>> = vec![None; entries.len()];
    for &index in &order {
        let entry = &entries[index];
        let (Some(field), true) = (entry.field, heads[index] == index) else { continue };
        let cause = |before: usize| {
            let (start, value) = (&entries[before], entries[last[before]].digest);
            let between = |rejected| mishaps.between(entry.worker, entry.system, start, entry, rejected);
            if value.is_some() && value == entries[last[index]].digest && between(false) {
                Cause::LostWork
            } else if between(true) {
                Cause::Correction
            } else {
                Cause::Revision
            }
        };
        let same_task = entry.task.and_then(|task| in_task.insert((task, entry.case, field, entry.record), index));
        let same_day =
            entry.case.and_then(|case| in_day.insert((entry.worker, case, entry.day, field, entry.record), index));
        if entry.continues.is_some() {
            continue;
        }
        causes[index] = same_task.map(cause).or_else(|| same_day.map(cause).filter(|cause| *cause != Cause::Revision));
    }
    speaker
        .into_iter()
        .map(|index| {
            let head = heads[index];
            Judged { head, last: last[head], rework: causes[head] }
        })
        .collect()
}

/// The first entry of each entry's chain. A span continues an earlier one of the same worker, case and field; where two
/// spans have the id it names, the latest before it.
fn heads(entries: &[Entry], order: &[usize]) -> Vec<usize> {
    let mut heads: Vec<usize> = (0..entries.len()).collect();
    let continued: FastSet<u64> = entries.iter().filter_map(|entry| entry.continues).collect();
    let mut seen: FastMap<Link, usize> = FastMap::default();
    for &index in order {
        let entry = &entries[index];
        let link = |span| (entry.worker, entry.case, entry.field, span);
        if let Some(&before) = entry.continues.and_then(|span| seen.get(&link(span))) {
            heads[index] = heads[before];
        }
        if continued.contains(&entry.key.span) {
            seen.insert(link(entry.key.span), index);
        }
    }
    heads
}

/// Worker, case, field and span id: what a continuation names.
type Link = (Option<u32>, Option<u32>, Option<u32>, u64);

#[cfg(test)]
mod tests;
