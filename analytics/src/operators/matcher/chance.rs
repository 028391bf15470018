//! Trials of all cases, added up: how often a pair agrees, and how often it would by chance.

use std::collections::BTreeMap;

use super::{
    case::{Agreement, From, Holder, Trial, places},
    hits::{of, others, others_in_both},
    index::Index,
};
use crate::operators::hashing::{FastMap, FastSet};

/// A pair on a day: source field or screen, target field, local day of the target.
pub type PairDay = (From, u32, i32);

/// A pair and a worker: source field or screen, target field, the worker of the target.
pub type PairWorker = (From, u32, u32);

/// What a pair adds up to for a worker, over all days.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share {
    /// Cases with a target of the worker and an earlier source.
    pub n: u64,
    /// Other cases whose source the worker saw on the same day, summed over the trials.
    pub near_trials: u64,
    /// By kind: whole and split for a field, join for a screen.
    pub kinds: [Count; 3],
}

impl Share {
    fn add(&mut self, other: &Self) {
        self.n += other.n;
        self.near_trials += other.near_trials;
        for (sum, count) in self.kinds.iter_mut().zip(other.kinds) {
            sum.add(count);
        }
    }
}

/// What a pair adds up to on a day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Cases with a target and an earlier source.
    pub n: u64,
    /// Other cases that have the source, summed over the trials.
    pub all_trials: u64,
    /// Other cases whose source the same worker saw on the same day, summed over the trials.
    pub near_trials: u64,
    /// Trials whose latest source agrees in no kind.
    pub disagreements: u64,
    /// By kind: whole and split for a field, join for a screen.
    pub kinds: [Count; 3],
    /// By kind: whether any trial could have agreed at all, whatever the values.
    pub possible: [bool; 3],
}

/// What a kind of match adds up to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Trials that agree.
    pub m: u64,
    /// Other cases that agree, summed over the trials.
    pub all_hits: u64,
    /// The same over the cases seen by the same worker on the same day.
    pub near_hits: u64,
}

impl Count {
    fn add(&mut self, other: Self) {
        self.m += other.m;
        self.all_hits += other.all_hits;
        self.near_hits += other.near_hits;
    }
}

/// All tallies so far.
#[derive(Debug, Default)]
pub struct Tallies {
    days: FastMap<PairDay, Tally>,
    workers: FastMap<PairWorker, Share>,
}

impl Tallies {
    /// Adds the trials of one case.
    pub fn add(&mut self, case: u32, spans: &[Holder], trials: &[Trial], index: &Index) {
        for trial in trials {
            let target = &spans[trial.target];
            let Some((worker, day)) = target.target else { continue };
            let tally = self.days.entry((trial.from, target.field, day)).or_default();
            let (from, seen, trials, kinds) = match trial.from {
                From::Field(field) => {
                    let kinds: &[Agreement] =
                        if target.date { &[Agreement::Whole] } else { &[Agreement::Whole, Agreement::Split] };
                    (field, index.seen_fields(worker, day), index.cases_of_field(field), kinds)
                }
                From::Screen(screen) => {
                    let kinds: &[Agreement] = if target.words { &[Agreement::Join] } else { &[] };
                    (screen, index.seen_screens(worker, day), index.cases_of_screen(screen), kinds)
                }
            };
            let seen = of(seen, from);
            let mut share = Share { n: 1, near_trials: others(seen, case), kinds: [Count::default(); 3] };
            let hits = index.hits(target.value);
            for &kind in kinds {
                let agreeing = of(places(hits, kind), from);
                share.kinds[kind as usize] = Count {
                    m: u64::from(trial.agrees == Some(kind)),
                    all_hits: others(agreeing, case),
                    near_hits: others_in_both(agreeing, seen, case),
                };
                let has_parts = || !index.value(target.value).parts.is_empty();
                let possible = match kind {
                    Agreement::Whole => true,
                    Agreement::Split => has_parts() || index.has_parts(from),
                    Agreement::Join => has_parts(),
                };
                tally.possible[kind as usize] |= possible;
            }
            tally.n += 1;
            tally.disagreements += u64::from(trial.disagrees);
            tally.all_trials += trials.saturating_sub(1);
            tally.near_trials += share.near_trials;
            for (sum, count) in tally.kinds.iter_mut().zip(share.kinds) {
                sum.add(count);
            }
            self.workers.entry((trial.from, target.field, worker)).or_default().add(&share);
        }
    }

    /// Adds what was tallied elsewhere.
    pub fn merge(&mut self, other: Self) {
        for (pair, tally) in other.days {
            let sum = self.days.entry(pair).or_default();
            sum.n += tally.n;
            sum.all_trials += tally.all_trials;
            sum.near_trials += tally.near_trials;
            sum.disagreements += tally.disagreements;
            for (sum, count) in sum.kinds.iter_mut().zip(tally.kinds) {
                sum.add(count);
            }
            for (any, possible) in sum.possible.iter_mut().zip(tally.possible) {
                *any |= possible;
            }
        }
        for (pair, share) in other.workers {
            self.workers.entry(pair).or_default().add(&share);
        }
    }

    /// Each pair, day and kind, of those kinds in which the pair could have agreed at all on some day: only these are
    /// hypotheses. (A date is part of nothing, and what has no parts is not joined.)
    #[must_use]
    pub fn rows(&self) -> BTreeMap<(From, u32, Agreement, i32), (Tally, Count)> {
        let possible = self.possible();
        self.days
            .iter()
            .flat_map(|(&(from, to, day), tally)| {
                KINDS.map(|kind| ((from, to, kind, day), (*tally, tally.kinds[kind as usize])))
            })
            .filter(|((from, to, kind, _), _)| possible.contains(&(*from, *to, *kind)))
            .collect()
    }

    /// The same hypotheses by the worker of the targets, over all days.
    #[must_use]
    pub fn shares(&self) -> BTreeMap<(From, u32, Agreement, u32), (Share, Count)> {
        let possible = self.possible();
        self.workers
            .iter()
            .flat_map(|(&(from, to, worker), share)| {
                KINDS.map(|kind| ((from, to, kind, worker), (*share, share.kinds[kind as usize])))
            })
            .filter(|((from, to, kind, _), _)| possible.contains(&(*from, *to, *kind)))
            .collect()
    }

    fn possible(&self) -> FastSet<(From, u32, Agreement)> {
        self.days
            .iter()
            .flat_map(|(&(from, to, _), tally)| {
                KINDS.into_iter().filter(|kind| tally.possible[*kind as usize]).map(move |kind| (from, to, kind))
            })
            .collect()
    }
}

const KINDS: [Agreement; 3] = [Agreement::Whole, Agreement::Split, Agreement::Join];
