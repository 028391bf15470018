//! Trials of all cases, added up: how often a pair agrees, and how often it would by chance.

use super::{
    case::{Agreement, From, Holder, Trial, places},
    hits::{HitCounts, of, others, others_in_both},
    index::{Fields, Index},
};
use crate::operators::{
    encoding::{Decoder, Encoder, Torn},
    hashing::FastMap,
};

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
    /// Adds another. What was added may be taken back: sums wrap around.
    pub fn add(&mut self, other: &Self) {
        self.n = self.n.wrapping_add(other.n);
        self.near_trials = self.near_trials.wrapping_add(other.near_trials);
        for (sum, count) in self.kinds.iter_mut().zip(other.kinds) {
            sum.all_hits = sum.all_hits.wrapping_add(count.all_hits);
            sum.m = sum.m.wrapping_add(count.m);
            sum.near_hits = sum.near_hits.wrapping_add(count.near_hits);
        }
    }

    /// What takes this back when it is added.
    const fn taken_back(&self) -> Self {
        let mut kinds = self.kinds;
        let mut kind = 0;
        while kind < kinds.len() {
            kinds[kind] = Count {
                all_hits: kinds[kind].all_hits.wrapping_neg(),
                m: kinds[kind].m.wrapping_neg(),
                near_hits: kinds[kind].near_hits.wrapping_neg(),
            };
            kind += 1;
        }
        Self { n: self.n.wrapping_neg(), near_trials: self.near_trials.wrapping_neg(), kinds }
    }
}

/// What a pair adds up to on a day. What others hold is no part of it: that may change on any later day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Cases with a target and an earlier source.
    pub n: u32,
    /// Other cases whose source the same worker saw on the same day, summed over the trials.
    pub near_trials: u32,
    /// Trials whose latest source agrees in no kind.
    pub disagreements: u32,
    /// Trials that agree, by kind: whole and split for a field, join for a screen.
    pub m: [u32; 3],
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.n += other.n;
        self.near_trials += other.near_trials;
        self.disagreements += other.disagreements;
        for (sum, m) in self.m.iter_mut().zip(other.m) {
            *sum += m;
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

/// A target that is a trial of some pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// Its field.
    pub field: u32,
    /// Its value.
    pub value: u32,
    /// Who entered it.
    pub worker: u32,
    /// On which local day.
    pub day: i32,
    /// Its case, by the number that the index knows it by.
    pub case: u32,
    /// Whether the value is a date.
    pub date: bool,
    /// Whether the value is a name or text.
    pub words: bool,
}

/// What became of the trial of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// The field, or the screen, of the source.
    pub from: From,
    /// The kind in which it agrees.
    pub agrees: Option<Agreement>,
    /// Whether the latest source agrees in no kind, in either direction.
    pub disagrees: bool,
}

impl Target {
    /// The target of a trial of a case.
    #[must_use]
    pub fn of(case: u32, spans: &[Holder], trial: &Trial) -> Option<Self> {
        let span = &spans[trial.target];
        let (worker, day) = span.target?;
        Some(Self { field: span.field, value: span.value, worker, day, case, date: span.date, words: span.words })
    }
}

/// Where else values agree: in cases of which an index does not know.
#[derive(Debug, Clone, Copy)]
pub struct Elsewhere<'a>(Option<(&'a Index, &'a HitCounts)>);

impl<'a> Elsewhere<'a> {
    /// An index knows all cases.
    #[must_use]
    pub const fn nowhere() -> Self {
        Self(None)
    }

    /// In all cases that were counted, but those which an index of that time knows. Of a value that was not counted all
    /// cases are known.
    #[must_use]
    pub const fn beside(then: &'a Index, counted: &'a HitCounts) -> Self {
        Self(Some((then, counted)))
    }

    fn count(self, value: u32, kind: Agreement, from: u32) -> u64 {
        let Some((then, counted)) = self.0 else { return 0 };
        let all = counted.of(value).iter().find(|count| (count.kind, count.from) == (kind, from));
        all.map_or(0, |all| u64::from(all.cases) - of(places(then.hits(value), kind), from).len() as u64)
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

/// A source field or screen, and a target field.
#[derive(Debug, Clone, Copy)]
struct Pair {
    from: From,
    to: u32,
    // Its place among the pairs of the target.
    place: usize,
    trials: Trials,
}

/// What trials of a pair there are, over all days. Sums wrap around.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Trials {
    all: u32,
    disagreements: u32,
    // Those whose value is no date; those of them that have parts.
    no_date: u32,
    no_date_in_parts: u32,
    // Those whose value is a name or text that has parts.
    words_in_parts: u32,
}

impl Trials {
    fn columns(self) -> [u32; 5] {
        [self.all, self.disagreements, self.no_date, self.no_date_in_parts, self.words_in_parts]
    }

    const fn of_columns([all, disagreements, no_date, no_date_in_parts, words_in_parts]: [u32; 5]) -> Self {
        Self { all, disagreements, no_date, no_date_in_parts, words_in_parts }
    }

    fn of(target: &Target, outcome: &Outcome, in_parts: bool) -> Self {
        Self {
            all: 1,
            disagreements: u32::from(outcome.disagrees),
            no_date: u32::from(!target.date),
            no_date_in_parts: u32::from(!target.date && in_parts),
            words_in_parts: u32::from(target.words && in_parts),
        }
    }

    fn add(&mut self, other: Self, sign: Sign) {
        let (mut sum, more) = (self.columns(), other.columns());
        for (sum, more) in sum.iter_mut().zip(more) {
            *sum = if sign == Sign::In { sum.wrapping_add(more) } else { sum.wrapping_sub(more) };
        }
        *self = Self::of_columns(sum);
    }

    /// In which kinds any trial could have agreed, whatever the values.
    fn possible(&self, from: From, fields: &Fields) -> [bool; 3] {
        match from {
            From::Field(field) => {
                let split = self.no_date_in_parts > 0 || self.no_date > 0 && fields.have_parts(field);
                [self.all > 0, split, false]
            }
            From::Screen(_) => [false, false, self.words_in_parts > 0],
        }
    }
}

/// Whether trials come in, or are taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// They come in.
    In,
    /// They are taken back; their days are not asked.
    Out,
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
            self.pairs.push(Pair { from, to, place: of_target.len(), trials: Trials::default() });
            of_target.push(number);
            number
        })
    }

    /// Counts trials of a target.
    pub fn count(
        &mut self,
        target: &Target,
        outcomes: impl IntoIterator<Item = Outcome>,
        (index, elsewhere): (&Index, Elsewhere<'_>),
        sign: Sign,
    ) {
        let in_parts = !index.value(target.value).parts.is_empty();
        let hits = index.hits(target.value);
        for outcome in outcomes {
            let (from, seen, kinds) = match outcome.from {
                From::Field(field) => {
                    let kinds: &[Agreement] =
                        if target.date { &[Agreement::Whole] } else { &[Agreement::Whole, Agreement::Split] };
                    (field, index.seen_fields(target.worker, target.day), kinds)
                }
                From::Screen(screen) => {
                    let kinds: &[Agreement] = if target.words { &[Agreement::Join] } else { &[] };
                    (screen, index.seen_screens(target.worker, target.day), kinds)
                }
            };
            let pair = self.pair(outcome.from, target.field);
            let Pair { place, trials, .. } = &mut self.pairs[pair as usize];
            let place = *place;
            trials.add(Trials::of(target, &outcome, in_parts), sign);
            let seen = of(seen, from);
            let mut share = Share { n: 1, near_trials: others(seen, target.case) as u32, ..Share::default() };
            for &kind in kinds {
                let agreeing = of(places(hits, kind), from);
                share.kinds[kind as usize] = Count {
                    m: u32::from(outcome.agrees == Some(kind)),
                    all_hits: others(agreeing, target.case) + elsewhere.count(target.value, kind, from),
                    near_hits: others_in_both(agreeing, seen, target.case) as u32,
                };
            }
            if sign == Sign::In {
                at(self.days.entry((target.field, target.day)).or_default(), place).add(&Tally {
                    n: 1,
                    near_trials: share.near_trials,
                    disagreements: u32::from(outcome.disagrees),
                    m: share.kinds.map(|kind| kind.m),
                });
            } else {
                share = share.taken_back();
            }
            self.workers.entry(target.worker).or_default().entry(pair).or_default().add(&share);
        }
    }

    /// Adds to a worker's share in a pair that was tried.
    pub fn add_share(&mut self, from: From, to: u32, worker: u32, share: &Share) {
        let pair = self.pair(from, to);
        self.workers.entry(worker).or_default().entry(pair).or_default().add(share);
    }

    /// Adds what was tallied elsewhere.
    pub fn merge(&mut self, other: Self) {
        let numbers: Vec<u32> = other
            .pairs
            .iter()
            .map(|pair| {
                let number = self.pair(pair.from, pair.to);
                self.pairs[number as usize].trials.add(pair.trials, Sign::In);
                number
            })
            .collect();
        for ((to, day), tallies) in other.days {
            let sums = self.days.entry((to, day)).or_default();
            for (tally, pair) in tallies.into_iter().zip(&other.of_target[&to]).filter(|(tally, _)| tally.n > 0) {
                at(sums, self.pairs[numbers[*pair as usize] as usize].place).add(&tally);
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
    pub fn rows<'a>(&'a self, fields: &'a Fields) -> impl Iterator<Item = (OfDay, Tally)> + 'a {
        self.days.iter().flat_map(move |(&(to, day), tallies)| {
            let tried = tallies.iter().zip(&self.of_target[&to]).filter(|(tally, _)| tally.n > 0);
            tried.flat_map(move |(tally, &pair)| self.kinds(pair, fields).map(move |kind| ((pair, kind, day), *tally)))
        })
    }

    /// The same hypotheses by the worker of the targets, over all days. In no order.
    pub fn shares<'a>(&'a self, fields: &'a Fields) -> impl Iterator<Item = (OfWorker, Share)> + 'a {
        self.workers.iter().flat_map(move |(&worker, shares)| {
            let tried = shares.iter().filter(|(_, share)| share.n > 0);
            tried.flat_map(move |(&pair, share)| {
                self.kinds(pair, fields).map(move |kind| ((pair, kind, worker), *share))
            })
        })
    }

    fn kinds(&self, pair: u32, fields: &Fields) -> impl Iterator<Item = Agreement> + use<> {
        let pair = &self.pairs[pair as usize];
        let possible = pair.trials.possible(pair.from, fields);
        KINDS.into_iter().filter(move |kind| possible[*kind as usize])
    }

    /// Source, target and disagreements of every pair, by number.
    pub fn pairs(&self) -> impl Iterator<Item = (From, u32, u32)> {
        self.pairs.iter().map(|pair| (pair.from, pair.to, pair.trials.disagreements))
    }

    /// Whether other kinds of match are possible than were before, for a pair that was tried before and is now on other
    /// days than those tallied here: then rows of those days would be others, too.
    #[must_use]
    pub fn other_kinds(&self, fields: &Fields, before: &Self, fields_before: &Fields) -> bool {
        before.pairs.iter().any(|was| {
            let now = self.numbers.get(&(was.from, was.to)).map(|number| self.pairs[*number as usize].trials);
            let now = now.unwrap_or_default();
            was.trials.all > 0
                && now.all > 0
                && now.possible(was.from, fields) != was.trials.possible(was.from, fields_before)
        })
    }

    /// The same without days.
    #[must_use]
    pub fn without_days(&self) -> Self {
        Self {
            numbers: self.numbers.clone(),
            pairs: self.pairs.clone(),
            of_target: self.of_target.clone(),
            days: FastMap::default(),
            workers: self.workers.clone(),
        }
    }

    /// Writes everything but days.
    pub fn encode(&self, to: &mut Encoder) {
        to.column(self.pairs.iter().map(|pair| pair.from.number()));
        to.column(self.pairs.iter().map(|pair| pair.to));
        for column in 0..5 {
            to.column(self.pairs.iter().map(|pair| pair.trials.columns()[column]));
        }
        let shares: Vec<(u32, u32, &Share)> = self
            .workers
            .iter()
            .flat_map(|(worker, shares)| shares.iter().map(move |(pair, share)| (*worker, *pair, share)))
            .filter(|(_, _, share)| **share != Share::default())
            .collect();
        to.column(shares.iter().map(|share| share.0));
        to.column(shares.iter().map(|share| share.1));
        to.column(shares.iter().map(|share| share.2.n));
        to.column(shares.iter().map(|share| share.2.near_trials));
        for kind in 0..KINDS.len() {
            to.column(shares.iter().map(|share| share.2.kinds[kind].all_hits));
            to.column(shares.iter().map(|share| share.2.kinds[kind].m));
            to.column(shares.iter().map(|share| share.2.kinds[kind].near_hits));
        }
    }

    /// Reads what [`Self::encode`] wrote.
    pub fn decode(from: &mut Decoder<'_>) -> Result<Self, Torn> {
        let mut tallies = Self::default();
        let (sources, targets) = (from.column::<u32>()?, from.column::<u32>()?);
        let mut trials = Vec::new();
        for _ in 0..5 {
            trials.push(from.column::<u32>()?);
        }
        for (place, (source, target)) in sources.iter().zip(targets.iter()).enumerate() {
            let number = tallies.pair(From::of_number(source), target);
            tallies.pairs[number as usize].trials =
                Trials::of_columns(std::array::from_fn(|column| trials[column].get(place)));
        }
        let (workers, pairs) = (from.column::<u32>()?, from.column::<u32>()?);
        let (n, near_trials) = (from.column::<u32>()?, from.column::<u32>()?);
        let mut kinds = Vec::new();
        for _ in KINDS {
            kinds.push((from.column::<u64>()?, from.column::<u32>()?, from.column::<u32>()?));
        }
        for place in 0..workers.len() {
            let share = Share {
                n: n.get(place),
                near_trials: near_trials.get(place),
                kinds: std::array::from_fn(|kind| Count {
                    all_hits: kinds[kind].0.get(place),
                    m: kinds[kind].1.get(place),
                    near_hits: kinds[kind].2.get(place),
                }),
            };
            tallies.workers.entry(workers.get(place)).or_default().insert(pairs.get(place), share);
        }
        Ok(tallies)
    }
}

const KINDS: [Agreement; 3] = [Agreement::Whole, Agreement::Split, Agreement::Join];
