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

/// All tallies so far. They are kept where the next trial is likely to find them in a near cache: those of a day side by
/// side, and those of the workers whose cases are being looked at, until others' come. In hash maps of all pairs and days
/// and of all pairs and workers, half of the time of matching went into waiting for memory.
#[derive(Debug, Default)]
pub struct Tallies {
    numbers: FastMap<(From, u32), u32>,
    pairs: Vec<Pair>,
    // By local day, the tally of each pair.
    days: FastMap<i32, Vec<Tally>>,
    // By worker, the share in each pair; for a few workers.
    at_hand: FastMap<u32, Vec<Share>>,
    // Pair, worker and share of others; several of one worker add up.
    shares: Vec<(u32, u32, Share)>,
    // How many of them there were when they were last added up.
    added_up: usize,
}

/// Workers whose shares are kept at hand: with some thousands of pairs they take 40 to 100 MB.
const AT_HAND: usize = 1_000;
/// Shares put away before those of one worker are added up.
const PUT_AWAY: usize = 4 << 20;

/// A source field or screen, a target field, and in which kinds any trial could have agreed, whatever the values.
#[derive(Debug, Clone, Copy)]
struct Pair {
    from: From,
    to: u32,
    possible: [bool; 3],
}

/// The number of a pair, a kind of match and a local day.
pub type OfDay = (u32, Agreement, i32);
/// The number of a pair, a kind of match and a worker.
pub type OfWorker = (u32, Agreement, u32);

/// The entry of a list at a place, which grows where it is not there yet.
fn at<T: Copy + Default>(list: &mut Vec<T>, place: u32) -> &mut T {
    let place = place as usize;
    if list.len() <= place {
        list.resize(place + 1, T::default());
    }
    &mut list[place]
}

impl Tallies {
    fn pair(&mut self, from: From, to: u32) -> u32 {
        *self.numbers.entry((from, to)).or_insert_with(|| {
            self.pairs.push(Pair { from, to, possible: [false; 3] });
            self.pairs.len() as u32 - 1
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
            let possible = &mut self.pairs[pair as usize].possible;
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
            let tally = at(self.days.entry(day).or_default(), pair);
            tally.disagreements += u32::from(trial.disagrees);
            tally.all_trials += trials.saturating_sub(1);
            tally.add(&share);
            if self.at_hand.len() > AT_HAND && !self.at_hand.contains_key(&worker) {
                self.put_away();
            }
            at(self.at_hand.entry(worker).or_default(), pair).add(&share);
        }
    }

    /// Moves the shares at hand to the others.
    fn put_away(&mut self) {
        for (worker, shares) in self.at_hand.drain() {
            let of_worker = (0..).zip(shares).filter(|(_, share)| share.n > 0);
            self.shares.extend(of_worker.map(|(pair, share)| (pair, worker, share)));
        }
        if self.shares.len() > PUT_AWAY.max(2 * self.added_up) {
            self.add_up();
        }
    }

    /// Adds up the shares of one worker in one pair.
    fn add_up(&mut self) {
        self.shares.sort_unstable_by_key(|(pair, worker, _)| (*pair, *worker));
        self.shares.dedup_by(|next, sum| {
            let same = (next.0, next.1) == (sum.0, sum.1);
            if same {
                sum.2.add(&next.2);
            }
            same
        });
        self.added_up = self.shares.len();
    }

    /// Adds what was tallied elsewhere.
    pub fn merge(&mut self, mut other: Self) {
        other.put_away();
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
        for (day, tallies) in other.days {
            let sums = self.days.entry(day).or_default();
            for (tally, pair) in tallies.into_iter().zip(&numbers) {
                let sum = at(sums, *pair);
                sum.disagreements += tally.disagreements;
                sum.all_trials += tally.all_trials;
                sum.add(&Share { n: tally.n, near_trials: tally.near_trials, kinds: tally.kinds });
            }
        }
        self.shares
            .extend(other.shares.into_iter().map(|(pair, worker, share)| (numbers[pair as usize], worker, share)));
    }

    /// Each pair, kind and day, of those kinds in which the pair could have agreed at all on some day: only these are
    /// hypotheses. (A date is part of nothing, and what has no parts is not joined.) In no order.
    pub fn rows(&self) -> impl Iterator<Item = (OfDay, Tally)> {
        self.days.iter().flat_map(move |(&day, tallies)| {
            let tried = (0..).zip(tallies).filter(|(_, tally)| tally.n > 0);
            tried.flat_map(move |(pair, tally)| self.kinds(pair).map(move |kind| ((pair, kind, day), *tally)))
        })
    }

    /// The same hypotheses by the worker of the targets, over all days. In no order.
    pub fn shares(&mut self) -> impl Iterator<Item = (OfWorker, Share)> {
        self.put_away();
        self.shares.sort_unstable_by_key(|(pair, worker, _)| (*pair, *worker));
        self.shares.dedup_by(|next, sum| {
            let same = (next.0, next.1) == (sum.0, sum.1);
            if same {
                sum.2.add(&next.2);
            }
            same
        });
        self.shares
            .iter()
            .flat_map(|(pair, worker, share)| self.kinds(*pair).map(move |kind| ((*pair, kind, *worker), *share)))
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
