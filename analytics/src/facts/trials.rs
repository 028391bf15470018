//! Trials of pairs by local day, as they are kept: when other cases come to hold other values, what these trials would
//! find there changes, and is counted anew without looking at their cases again.

use arrow::buffer::Buffer;

use super::cores::on_cores;
use crate::operators::{
    columns::{Symbols, differences},
    encoding::{Column, Decoder, Encoder, Lists, Narrow, Torn},
    hashing::{FastMap, FastSet},
    matcher::{
        agree::{Tokens, Value},
        case::{Agreement, From, places},
        chance::{Count, Elsewhere, Outcome, Share, Sign, Tallies, Target},
        hits::{HitCount, HitCounts, Hits, of, others, others_in_both},
        index::Index,
    },
};

/// The trials of a day.
#[derive(Debug, Default)]
pub struct DayTrials {
    workers: Vec<u32>,
    cases: Vec<u64>,
    fields: Vec<u32>,
    values: Vec<u32>,
    is: Vec<u8>,
    // The number of the list of sources.
    from: Vec<u32>,
    sources: Symbols<Vec<u32>>,
    // Of each target, as many as its list has.
    outcomes: Vec<u8>,
    /// The lists of sources of the day's targets, each once.
    pub lists: FastSet<i64>,
}

const DATE: u8 = 1;
const WORDS: u8 = 2;
const DISAGREES: u8 = 4;
/// What stands for no agreement beside the numbers of its kinds.
const AGREES_NOT: u8 = 3;

impl DayTrials {
    /// Adds the trials of a target of a case.
    pub fn add(&mut self, target: &Target, case: u64, outcomes: impl Iterator<Item = Outcome>) {
        self.workers.push(target.worker);
        self.cases.push(case);
        self.fields.push(target.field);
        self.values.push(target.value);
        self.is.push(if target.date { DATE } else { 0 } | if target.words { WORDS } else { 0 });
        let mut from = Vec::new();
        for outcome in outcomes {
            from.push(outcome.from.number());
            let agrees = outcome.agrees.map_or(AGREES_NOT, |kind| kind as u8);
            self.outcomes.push(agrees | if outcome.disagrees { DISAGREES } else { 0 });
        }
        self.from.push(self.sources.number(from.as_slice()));
    }

    /// Adds those of other cases.
    pub fn append(&mut self, mut other: Self) {
        let numbers: Vec<u32> =
            other.sources.into_values().iter().map(|list| self.sources.number(list.as_slice())).collect();
        self.workers.append(&mut other.workers);
        self.cases.append(&mut other.cases);
        self.fields.append(&mut other.fields);
        self.values.append(&mut other.values);
        self.is.append(&mut other.is);
        self.from.extend(other.from.iter().map(|list| numbers[*list as usize]));
        self.outcomes.append(&mut other.outcomes);
        self.lists.extend(other.lists);
    }

    /// The trials as bytes, which [`KeptTrials`] reads; and what became of them.
    #[must_use]
    pub fn encode(self) -> [Vec<u8>; 2] {
        let mut to = Encoder::default();
        to.column(self.lists.iter().copied());
        to.narrow(self.workers);
        to.column(self.cases);
        to.narrow(self.fields);
        to.narrow(self.values);
        to.column(self.is);
        to.narrow(self.from);
        to.lists(self.sources.into_values().iter().map(Vec::as_slice));
        let mut outcomes = Encoder::default();
        outcomes.column(self.outcomes);
        [to.into_bytes(), outcomes.into_bytes()]
    }
}

/// The trials of a day, read as they are asked for.
#[derive(Debug)]
pub struct KeptTrials<'a> {
    day: i32,
    /// The lists of sources of the day's targets, each once.
    pub lists: Column<'a, i64>,
    workers: Narrow<'a>,
    cases: Column<'a, u64>,
    fields: Narrow<'a>,
    values: Narrow<'a>,
    is: Column<'a, u8>,
    from: Narrow<'a>,
    sources: Lists<'a, u32>,
}

impl<'a> KeptTrials<'a> {
    /// From the bytes of a day.
    pub fn read(day: i32, bytes: &'a [u8]) -> Result<Self, Torn> {
        let mut from = Decoder::new(bytes);
        Ok(Self {
            day,
            lists: from.column()?,
            workers: from.narrow()?,
            cases: from.column()?,
            fields: from.narrow()?,
            values: from.narrow()?,
            is: from.column()?,
            from: from.narrow()?,
            sources: from.lists()?,
        })
    }

    /// A target; `case` gives the number of a case, where it has one.
    fn target(&self, place: usize, case: &impl Fn(u64) -> Option<u32>) -> Target {
        let is = self.is.get(place);
        Target {
            field: self.fields.get(place),
            value: self.values.get(place),
            worker: self.workers.get(place),
            day: self.day,
            case: case(self.cases.get(place)).unwrap_or(NOT_HERE),
            date: is & DATE != 0,
            words: is & WORDS != 0,
        }
    }

    /// The sources that a target was tried against.
    fn sources(&self, place: usize) -> impl Iterator<Item = From> + use<'a> {
        self.sources.get(self.from.get(place) as usize).map(From::of_number)
    }
}

fn outcome(from: From, outcome: u8) -> Outcome {
    Outcome { from, agrees: Agreement::of_number(outcome & AGREES_NOT), disagrees: outcome & DISAGREES != 0 }
}

/// The number of a case that an index does not know.
const NOT_HERE: u32 = u32::MAX;

/// What the cases at hand hold now and held before, and what was counted before.
#[derive(Debug)]
pub struct Recount<'a> {
    /// What they hold.
    pub now: &'a Index,
    /// What they held.
    pub then: &'a Index,
    /// In how many cases values agreed.
    pub hits: &'a HitCounts,
}

/// A change of counts.
type Change = FastMap<(From, u32, u32), Share>;

impl Recount<'_> {
    /// Takes back the trials of a day, of which this became.
    pub fn take_back(
        &self,
        trials: &KeptTrials<'_>,
        outcomes: &[u8],
        case: impl Fn(u64) -> Option<u32>,
        tallies: &mut Tallies,
    ) -> Result<(), Torn> {
        let mut outcomes = Decoder::new(outcomes).column::<u8>()?.iter();
        let elsewhere = self.elsewhere();
        for place in 0..trials.workers.len() {
            let target = trials.target(place, &case);
            let of_target: Vec<Outcome> =
                trials.sources(place).zip(outcomes.by_ref()).map(|(from, became)| outcome(from, became)).collect();
            tallies.count(&target, of_target, (self.then, elsewhere), Sign::Out);
        }
        Ok(())
    }

    /// Where values agree in other cases than those at hand.
    #[must_use]
    pub const fn elsewhere(&self) -> Elsewhere<'_> {
        Elsewhere::beside(self.then, self.hits)
    }

    /// The values that agree with other cases than they did, each with in how many more; and who saw, on which day, what
    /// changed.
    #[must_use]
    pub fn changes(&self, values: &[Value]) -> Changes {
        let mut fields: FastSet<(u32, u32)> = FastSet::default();
        let mut screens: FastSet<(u32, u32)> = FastSet::default();
        let mut tokens: Vec<i64> = Vec::new();
        for (value, field, case) in differences(self.now.held(), self.then.held()) {
            fields.insert((field, case));
            screens.insert((self.now.screen_of(field), case));
            tokens.extend(values[value as usize].tokens());
        }
        for [case, screen, ..] in differences(self.now.latest().iter().copied(), self.then.latest().iter().copied()) {
            screens.insert((screen, case));
        }
        let mut joined: Vec<i64> = Vec::new();
        for [case, screen, _, value] in self.now.latest().iter().chain(self.then.latest()) {
            if screens.contains(&(*screen, *case)) {
                joined.extend(values[*value as usize].tokens());
            }
        }
        let (tokens, joined): (Tokens, Tokens) = (tokens.into_iter().collect(), joined.into_iter().collect());
        let may_differ = |value: &Value| {
            tokens.contains(value.digest)
                || value.wanted().iter().any(|token| tokens.contains(*token))
                || value.parts.iter().any(|token| joined.contains(*token))
        };
        let known: Vec<u32> = (0..self.hits.values() as u32).collect();
        let found = on_cores(known.chunks(4_096).collect(), |lot| {
            let mut found = Vec::new();
            for &value in lot {
                if self.hits.of(value).is_empty() || !may_differ(&values[value as usize]) {
                    continue;
                }
                let more = more(self.now.hits(value), self.then.hits(value));
                if !more.is_empty() {
                    found.push((value, more));
                }
            }
            found
        });
        let who = self.now.who_saw(&fields, &screens);
        let who = who.union(&self.then.who_saw(&fields, &screens)).copied().collect();
        Changes { values: found.into_iter().flatten().collect(), who }
    }

    /// Counts anew what changed for the trials of days that stay as they are.
    pub fn stay(
        &self,
        days: &[(&i32, &Buffer)],
        changes: &Changes,
        case: impl Fn(u64) -> Option<u32> + Sync,
        tallies: &mut Tallies,
    ) -> Result<(), Torn> {
        let found = on_cores(days.to_vec(), |(day, bytes)| {
            let trials = KeptTrials::read(*day, bytes)?;
            let sources: Vec<Sources> =
                (0..trials.sources.len()).map(|list| trials.sources.get(list).collect()).collect();
            let mut changed = Change::default();
            for place in 0..trials.workers.len() {
                if let Some(more) = changes.values.get(&trials.values.get(place)) {
                    let target = trials.target(place, &case);
                    let sources = &sources[trials.from.get(place) as usize];
                    self.target_stays(&target, sources, more, changes, &mut changed);
                }
            }
            Ok(changed)
        });
        for changed in found {
            for ((from, to, worker), share) in changed? {
                tallies.add_share(from, to, worker, &share);
            }
        }
        Ok(())
    }

    fn target_stays(
        &self,
        target: &Target,
        sources: &Sources,
        more: &[(Agreement, u32, i64)],
        changes: &Changes,
        changed: &mut Change,
    ) {
        let mut change = |from: From, kind: Agreement, count: Count| {
            if count != Count::default() {
                let mut share = Share::default();
                share.kinds[kind as usize] = count;
                changed.entry((from, target.field, target.worker)).or_default().add(&share);
            }
        };
        let near = changes.who.contains(&(target.worker, target.day));
        for &(kind, number, more) in more {
            let from = if kind == Agreement::Join { From::Screen(number) } else { From::Field(number) };
            if !applies(target, kind) || !sources.contains(from) {
                continue;
            }
            if target.case == NOT_HERE && !near {
                // Its own case is none of those at hand: all that changed there counts.
                change(from, kind, Count { all_hits: more as u64, ..Count::default() });
                continue;
            }
            let count = |index: &Index| {
                let agreeing = of(places(index.hits(target.value), kind), number);
                // What was seen on a day that stays is the same now and then.
                let seen = match from {
                    _ if !near => &[],
                    From::Field(_) => of(index.seen_fields(target.worker, target.day), number),
                    From::Screen(_) => of(index.seen_screens(target.worker, target.day), number),
                };
                (others(agreeing, target.case), others_in_both(agreeing, seen, target.case) as u32)
            };
            let (now, then) = (count(self.now), count(self.then));
            let (all_hits, near_hits) = (now.0.wrapping_sub(then.0), now.1.wrapping_sub(then.1));
            change(from, kind, Count { all_hits, m: 0, near_hits });
        }
    }
}

/// Which fields and screens a target was tried against, a bit each.
struct Sources([Vec<u64>; 2]);

impl FromIterator<u32> for Sources {
    fn from_iter<T: IntoIterator<Item = u32>>(sources: T) -> Self {
        let mut bits = [Vec::new(), Vec::new()];
        for source in sources {
            let (which, number) = Self::place(From::of_number(source));
            let of: &mut Vec<u64> = &mut bits[which];
            of.resize(of.len().max(number / 64 + 1), 0);
            of[number / 64] |= 1 << (number % 64);
        }
        Self(bits)
    }
}

impl Sources {
    const fn place(from: From) -> (usize, usize) {
        match from {
            From::Field(field) => (0, field as usize),
            From::Screen(screen) => (1, screen as usize),
        }
    }

    fn contains(&self, from: From) -> bool {
        let (which, number) = Self::place(from);
        self.0[which].get(number / 64).is_some_and(|word| word & 1 << (number % 64) != 0)
    }
}

/// Whether a target can agree in a kind at all.
const fn applies(target: &Target, kind: Agreement) -> bool {
    match kind {
        Agreement::Whole => true,
        Agreement::Split => !target.date,
        Agreement::Join => target.words,
    }
}

/// What changed of where values agree.
#[derive(Debug, Default)]
pub struct Changes {
    /// In how many more cases, by value: kind, field or screen, and count. What is not listed did not change; what is listed
    /// with no more agrees with as many other cases.
    pub values: FastMap<u32, Vec<(Agreement, u32, i64)>>,
    /// Workers and local days that saw a field or screen of a case in which anything changed.
    pub who: FastSet<(u32, i32)>,
}

impl Changes {
    /// In how many cases these values agree now.
    #[must_use]
    pub fn counts(&self, before: &HitCounts) -> FastMap<u32, Vec<HitCount>> {
        let changed = self.values.iter().map(|(&value, more)| {
            let mut counts: FastMap<(Agreement, u32), i64> = FastMap::default();
            for count in before.of(value) {
                counts.insert((count.kind, count.from), count.cases.into());
            }
            for &(kind, from, more) in more {
                *counts.entry((kind, from)).or_default() += more;
            }
            let counts = counts.into_iter().filter(|(_, cases)| *cases > 0);
            let counts = counts.map(|((kind, from), cases)| HitCount { kind, from, cases: cases as u32 });
            (value, counts.collect())
        });
        changed.collect()
    }
}

/// For each kind and field or screen in which a value agrees with other cases than it did: in how many more.
fn more(now: &Hits, then: &Hits) -> Vec<(Agreement, u32, i64)> {
    let mut more = Vec::new();
    for kind in [Agreement::Whole, Agreement::Split, Agreement::Join] {
        let (now, then) = (places(now, kind), places(then, kind));
        let mut places: Vec<u32> = differences(now.iter(), then.iter()).into_iter().map(|place| place.0).collect();
        places.dedup();
        more.extend(
            places.into_iter().map(|place| (kind, place, of(now, place).len() as i64 - of(then, place).len() as i64)),
        );
    }
    more
}
