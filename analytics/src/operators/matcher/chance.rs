//! Trials of all cases, added up: how often a pair agrees, and how often it would by chance.

use super::{
    case::{Agreement, From, Holder, Trial, places},
    hits::{of, others, others_in_both},
    index::Index,
};
use crate::operators::hashing::FastMap;

/// What a pair adds up to for a worker, over all days.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share {
    /// Cases with a target of the worker and an earlier source.
    pub n: u32,
    /// Other cases whose source the worker saw on the same day, summed over the trials.
    pub near_trials: u32,
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
    pub n: u32,
    /// Other cases that have the source, summed over the trials.
    pub all_trials: u64,
    /// Other cases whose source the same worker saw on the same day, summed over the trials.
    pub near_trials: u32,
    /// Trials whose latest source agrees in no kind.
    pub disagreements: u32,
    /// By kind: whole and split for a field, join for a screen.
    pub kinds: [Count; 3],
}

impl Tally {
    /// Adds what there is of another day.
    pub fn add_all(&mut self, other: &Self) {
        self.disagreements += other.disagreements;
        self.all_trials += other.all_trials;
        self.add(&Share { n: other.n, near_trials: other.near_trials, kinds: other.kinds });
    }

    fn add(&mut self, share: &Share) {
        self.n += share.n;
        self.near_trials += share.near_trials;
        for (sum, count) in self.kinds.iter_mut().zip(share.kinds) {
            sum.add(count);
        }
    }
}

/// What a kind of match adds up to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Other cases that agree, summed over the trials.
    pub all_hits: u64,
    /// Trials that agree.
    pub m: u32,
    /// Other cases that agree among those seen by the same worker on the same day, summed over the trials.
    pub near_hits: u32,
}

impl Count {
    fn add(&mut self, other: Self) {
        self.m += other.m;
        self.all_hits += other.all_hits;
        self.near_hits += other.near_hits;
    }
}

/// All tallies so far. They lie where the next trial is likely to find them in a near cache: the trials of a target, one
/// for each source that its case has, side by side; those of a worker, whose cases are looked at one after the other,
/// together. In maps of all pairs and days and of all pairs and workers, half of the time of matching went into waiting
/// for memory.
#[derive(Debug, Default)]
pub struct Tallies {
    numbers: FastMap<(From, u32), u32>,
    pairs: Vec<Pair>,
    // By target field: the numbers of its pairs, in order of their places.
    of_target: FastMap<u32, Vec<u32>>,
    // By target field and local day: the tally of each of the target's pairs, by place.
    days: FastMap<(u32, i32), Vec<Tally>>,
    // By worker: the shares in each pair.
    workers: FastMap<u32, FastMap<u32, Share>>,
}

/// A source field or screen, a target field, and in which kinds any trial could have agreed, whatever the values.
#[derive(Debug, Clone, Copy)]
struct Pair {
    from: From,
    to: u32,
    /// Its place among the pairs of the target.
    place: usize,
    possible: [bool; 3],
}

/// The number of a pair, a kind of match and a local day.
pub type OfDay = (u32, Agreement, i32);
/// The number of a pair, a kind of match and a worker.
pub type OfWorker = (u32, Agreement, u32);

/// The entry of a list at a place, which grows where it is not there yet.
fn at(tallies: &mut Vec<Tally>, place: usize) -> &mut Tally {
    if tallies.len() <= place {
        tallies.resize(place + 1, Tally::default());
    }
    &mut tallies[place]
}

impl Tallies {
    fn pair(&mut self, from: From, to: u32) -> u32 {
        *self.numbers.entry((from, to)).or_insert_with(|| {
            let number = self.pairs.len() as u32;
            let of_target = self.of_target.entry(to).or_default();
            self.pairs.push(Pair { from, to, place: of_target.len(), possible: [false; 3] });
            of_target.push(number);
            number
        })
    }

    /// Adds the trials of one case.
    pub fn add(&mut self, case: u32, spans: &[Holder], trials: &[Trial], index: &Index) {
        for trial in trials {
            let target = &spans[trial.target];
            let Some((worker, day)) = target.target else { continue };
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
            let pair = self.pair(trial.from, target.field);
            let Pair { place, possible, .. } = &mut self.pairs[pair as usize];
            let place = *place;
            let seen = of(seen, from);
            let mut share = Share { n: 1, near_trials: others(seen, case) as u32, kinds: [Count::default(); 3] };
            let hits = index.hits(target.value);
            for &kind in kinds {
                let agreeing = of(places(hits, kind), from);
                share.kinds[kind as usize] = Count {
                    m: u32::from(trial.agrees == Some(kind)),
                    all_hits: others(agreeing, case),
                    near_hits: others_in_both(agreeing, seen, case) as u32,
                };
                let has_parts = || !index.value(target.value).parts.is_empty();
                possible[kind as usize] |= match kind {
                    Agreement::Whole => true,
                    Agreement::Split => has_parts() || index.has_parts(from),
                    Agreement::Join => has_parts(),
                };
            }
            let tally = at(self.days.entry((target.field, day)).or_default(), place);
            tally.disagreements += u32::from(trial.disagrees);
            tally.all_trials += trials.saturating_sub(1);
            tally.add(&share);
            self.workers.entry(worker).or_default().entry(pair).or_default().add(&share);
        }
    }

    /// Adds what was tallied elsewhere.
    pub fn merge(&mut self, other: Self) {
        let numbers: Vec<u32> = other
            .pairs
            .iter()
            .map(|pair| {
                let number = self.pair(pair.from, pair.to);
                for (any, possible) in self.pairs[number as usize].possible.iter_mut().zip(pair.possible) {
                    *any |= possible;
                }
                number
            })
            .collect();
        for ((to, day), tallies) in other.days {
            let sums = self.days.entry((to, day)).or_default();
            for (tally, pair) in tallies.into_iter().zip(&other.of_target[&to]).filter(|(tally, _)| tally.n > 0) {
                at(sums, self.pairs[numbers[*pair as usize] as usize].place).add_all(&tally);
            }
        }
        for (worker, shares) in other.workers {
            let sums = self.workers.entry(worker).or_default();
            for (pair, share) in shares {
                sums.entry(numbers[pair as usize]).or_default().add(&share);
            }
        }
    }

    /// Each pair, kind and day, of those kinds in which the pair could have agreed at all on some day: only these are
    /// hypotheses. (A date is part of nothing, and what has no parts is not joined.) In no order.
    pub fn rows(&self) -> impl Iterator<Item = (OfDay, Tally)> {
        self.days.iter().flat_map(move |(&(to, day), tallies)| {
            let tried = tallies.iter().zip(&self.of_target[&to]).filter(|(tally, _)| tally.n > 0);
            tried.flat_map(move |(tally, &pair)| self.kinds(pair).map(move |kind| ((pair, kind, day), *tally)))
        })
    }

    /// The same hypotheses by the worker of the targets, over all days. In no order.
    pub fn shares(&self) -> impl Iterator<Item = (OfWorker, Share)> {
        self.workers.iter().flat_map(move |(&worker, shares)| {
            shares
                .iter()
                .flat_map(move |(&pair, share)| self.kinds(pair).map(move |kind| ((pair, kind, worker), *share)))
        })
    }

    fn kinds(&self, pair: u32) -> impl Iterator<Item = Agreement> + use<> {
        let possible = self.pairs[pair as usize].possible;
        KINDS.into_iter().filter(move |kind| possible[*kind as usize])
    }

    /// Source and target of every pair, by number.
    pub fn pairs(&self) -> impl Iterator<Item = (From, u32)> {
        self.pairs.iter().map(|pair| (pair.from, pair.to))
    }
}

const KINDS: [Agreement; 3] = [Agreement::Whole, Agreement::Split, Agreement::Join];
