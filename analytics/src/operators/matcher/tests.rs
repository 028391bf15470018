//! The matcher and its chances against a specification that looks at everything, value by value.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use proptest::prelude::*;

use super::{
    agree::{Value, covered},
    case::{Agreement, From, Holder, match_case},
    chance::{Elsewhere, Outcome, Sign, Tallies, Target},
    index::{Builder, FieldName, Fields},
};
use crate::operators::{SpanKey, columns::Symbols};

/// A span with a value, as a test says it.
#[derive(Debug, Clone)]
struct Said {
    span: u64,
    case: u8,
    worker: u8,
    system: u8,
    screen: u8,
    field: u8,
    start: i64,
    from: i64,
    digest: i64,
    parts: Vec<i64>,
    kind: ValueKind,
    target: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ValueKind {
    Date,
    Words,
    Other,
}

const LOOK_BACK: i64 = 50;

impl Said {
    fn day(&self, instant: i64) -> i32 {
        instant.div_euclid(40) as i32
    }

    fn name(&self) -> FieldName {
        (format!("s{}", self.system), format!("p{}", self.screen), format!("f{}", self.field))
    }

    fn value(&self) -> Value {
        Value::new(self.digest, self.parts.clone())
    }

    fn same_screen(&self, other: &Self) -> bool {
        (self.system, self.screen) == (other.system, other.screen)
    }

    /// Agrees with this one source, whole or split.
    fn agrees(&self, source: &Self) -> Option<Agreement> {
        if self.digest == source.digest {
            return Some(Agreement::Whole);
        }
        let offered: BTreeSet<i64> = source.parts.iter().copied().chain([source.digest]).collect();
        let wanted: Vec<i64> = if self.parts.is_empty() { vec![self.digest] } else { self.parts.clone() };
        let split = self.kind != ValueKind::Date && wanted.iter().all(|part| offered.contains(part));
        split.then_some(Agreement::Split)
    }

    /// Every part is among the values of at most four of these.
    fn joins(&self, latest: &[&Self]) -> bool {
        if self.kind != ValueKind::Words || self.parts.is_empty() {
            return false;
        }
        let chosen = |set: u32| {
            let offered: BTreeSet<i64> = (0..latest.len())
                .filter(|bit| set >> bit & 1 == 1)
                .flat_map(|bit| latest[bit].parts.iter().copied().chain([latest[bit].digest]))
                .collect();
            self.parts.iter().all(|part| offered.contains(part))
        };
        (0..1_u32 << latest.len()).any(|set| set.count_ones() <= 4 && chosen(set))
    }
}

/// The numbers of what spans name.
struct Numbers {
    fields: Symbols<FieldName>,
    values: Symbols<Value>,
}

fn numbers(said: &[Said]) -> Numbers {
    let mut numbers = Numbers { fields: Symbols::default(), values: Symbols::default() };
    for span in said {
        numbers.fields.number(&span.name());
        numbers.values.number(&span.value());
    }
    numbers
}

fn holder(span: &Said, numbers: &Numbers) -> Holder {
    let worker = u32::from(span.worker);
    Holder {
        key: SpanKey { span: span.span, trace: 0 },
        start: span.start,
        from: span.from,
        field: numbers.fields.known(&span.name()).unwrap(),
        value: numbers.values.known(&span.value()).unwrap(),
        date: span.kind == ValueKind::Date,
        words: span.kind == ValueKind::Words,
        seen: Some((worker, span.day(span.from))),
        target: span.target.then(|| (worker, span.day(span.start))),
    }
}

/// Target, earliest and latest source, kind.
type Matches = BTreeSet<(u64, u64, u64, Agreement)>;
/// By source field (or screen, with an empty field), target field, kind, day and worker: n, m, all hits and trials, near
/// hits and trials, disagreements.
type Pairs = BTreeMap<(FieldName, FieldName, Agreement, i32, u32), [u64; 7]>;
/// What matching tells of trials.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Counts {
    /// By pair, kind and day: n, m, near trials, disagreements.
    days: BTreeMap<(FieldName, FieldName, Agreement, i32), [u64; 4]>,
    /// By pair, kind and worker: n, m, all hits, near hits and trials.
    workers: BTreeMap<(FieldName, FieldName, Agreement, u32), [u64; 5]>,
    /// By pair and kind: trials with all other cases.
    all_trials: BTreeMap<(FieldName, FieldName, Agreement), u64>,
}

impl Counts {
    fn of(pairs: &Pairs) -> Self {
        let mut counts = Self::default();
        for ((from, to, kind, day, worker), [n, m, all_hits, all_trials, near_hits, near_trials, disagreements]) in
            pairs
        {
            let pair = || (from.clone(), to.clone(), *kind);
            let (a, b, c) = pair();
            let of_day = counts.days.entry((a, b, c, *day)).or_default();
            [n, m, near_trials, disagreements].into_iter().zip(of_day).for_each(|(more, sum)| *sum += more);
            let (a, b, c) = pair();
            let of_worker = counts.workers.entry((a, b, c, *worker)).or_default();
            [n, m, all_hits, near_hits, near_trials].into_iter().zip(of_worker).for_each(|(more, sum)| *sum += more);
            *counts.all_trials.entry(pair()).or_default() += all_trials;
        }
        counts
    }
}

fn matcher(said: &[Said]) -> (Matches, Counts) {
    let numbers = numbers(said);
    let cases: BTreeMap<u8, Vec<Holder>> = said
        .iter()
        .map(|span| span.case)
        .map(|case| (case, said.iter().filter(|span| span.case == case).map(|span| holder(span, &numbers)).collect()))
        .collect();
    let mut builder = Builder::default();
    for (case, spans) in &cases {
        let mut one = Builder::default();
        one.add(u32::from(*case), spans);
        builder.merge(one);
    }
    let fields = numbers.fields.into_values().into_iter().map(|name| {
        let parts = said.iter().any(|span| span.name() == name && !span.parts.is_empty());
        (name, parts)
    });
    let index = builder.finish(Arc::new(Fields::new(fields)), Arc::new(numbers.values.into_values()));
    let mut tallies = Tallies::default();
    let mut matches = Matches::new();
    for (case, spans) in cases {
        let found = match_case(&spans, &index, LOOK_BACK, |_| true);
        let of_case = |found: &super::case::Match| {
            let key = |place: usize| spans[place].key.span;
            (key(found.target), key(found.source), key(found.latest), found.kind)
        };
        matches.extend(found.matches.iter().map(of_case));
        // A day by itself gives what it gives among all.
        let mut of_days = Vec::new();
        for day in 0..3 {
            let of_day = match_case(&spans, &index, LOOK_BACK, |asked| asked == day);
            assert!(of_day.matches.iter().all(|found| spans[found.target].target.is_some_and(|(_, of)| of == day)));
            of_days.extend(of_day.matches.iter().map(of_case));
            let mut one = Tallies::default();
            for trial in of_day.trials {
                let target = Target::of(u32::from(case), &spans, &trial).unwrap();
                let outcome = Outcome { from: trial.from, agrees: trial.agrees, disagrees: trial.disagrees };
                one.count(&target, [outcome], (&index, Elsewhere::nowhere()), Sign::In);
            }
            tallies.merge(one);
        }
        assert_eq!(of_days.into_iter().collect::<Matches>(), found.matches.iter().map(of_case).collect::<Matches>());
    }
    let fields = index.fields();
    let names: Vec<(From, u32, u32)> = tallies.pairs().collect();
    let pair = |pair: u32| {
        let (from, to, _) = names[pair as usize];
        let from = match from {
            From::Field(field) => fields.name(field).clone(),
            From::Screen(screen) => {
                let (system, screen) = fields.screen_name(screen).clone();
                (system, screen, String::new())
            }
        };
        (from, fields.name(to).clone())
    };
    let mut counts = Counts::default();
    for ((number, kind, day), tally) in tallies.rows(fields) {
        let (from, to) = pair(number);
        let of_day = [tally.n, tally.m[kind as usize], tally.near_trials, tally.disagreements].map(u64::from);
        counts.days.insert((from, to, kind, day), of_day);
    }
    for ((number, kind, worker), share) in tallies.shares(fields) {
        let (from, to) = pair(number);
        let count = share.kinds[kind as usize];
        let (n, m) = (u64::from(share.n), u64::from(count.m));
        let of_worker = [n, m, count.all_hits, count.near_hits.into(), share.near_trials.into()];
        let others = match names[number as usize].0 {
            From::Field(field) => index.cases_of_field(field),
            From::Screen(screen) => index.cases_of_screen(screen),
        } - 1;
        *counts.all_trials.entry((from.clone(), to.clone(), kind)).or_default() += n * others;
        counts.workers.insert((from, to, kind, worker), of_worker);
    }
    (matches, counts)
}

/// The latest value of each field among spans.
fn latest<'a>(spans: impl Iterator<Item = &'a Said>) -> Vec<&'a Said> {
    let mut latest: BTreeMap<u8, &Said> = BTreeMap::new();
    for span in spans {
        let held = latest.entry(span.field).or_insert(span);
        if (span.from, span.span) > (held.from, held.span) {
            *held = span;
        }
    }
    latest.into_values().collect()
}

fn specification(said: &[Said]) -> (Matches, Counts) {
    let mut matches = Matches::new();
    let mut pairs = Pairs::new();
    let mut possible: BTreeSet<(FieldName, FieldName, Agreement)> = BTreeSet::new();
    let mut targets: Vec<&Said> = said.iter().filter(|span| span.target).collect();
    targets.sort_by_key(|span| (span.start, span.span));
    let mut tried: BTreeSet<(u8, FieldName, FieldName)> = BTreeSet::new();
    for e in targets {
        let sources: Vec<&Said> = said
            .iter()
            .filter(|s| s.case == e.case && !s.same_screen(e) && s.from <= e.start && s.from >= e.start - LOOK_BACK)
            .collect();
        let screens: BTreeSet<(u8, u8)> = sources.iter().map(|s| (s.system, s.screen)).collect();
        for (system, screen) in screens {
            let here = |s: &&Said| (s.system, s.screen) == (system, screen);
            let fields: BTreeSet<u8> = sources.iter().copied().filter(here).map(|s| s.field).collect();
            let mut any_field = false;
            for field in fields {
                let mut of_field: Vec<&Said> =
                    sources.iter().copied().filter(here).filter(|s| s.field == field).collect();
                of_field.sort_by_key(|s| (s.from, s.span));
                let agreed = [Agreement::Whole, Agreement::Split].into_iter().find_map(|kind| {
                    let mut agreeing = of_field.iter().filter(|s| e.agrees(s) == Some(kind)).map(|s| s.span);
                    agreeing.next().map(|first| (kind, first, agreeing.next_back().unwrap_or(first)))
                });
                any_field |= agreed.is_some();
                matches.extend(agreed.map(|(kind, first, last)| (e.span, first, last, kind)));
                if !tried.insert((e.case, of_field[0].name(), e.name())) {
                    continue;
                }
                let last = of_field[of_field.len() - 1];
                let all: Vec<&Said> = said.iter().filter(here).filter(|s| s.field == field).collect();
                for kind in [Agreement::Whole, Agreement::Split] {
                    let hit = |case: u8| {
                        let best = all.iter().filter(|s| s.case == case).filter_map(|s| e.agrees(s)).min();
                        best == Some(kind)
                    };
                    if kind == Agreement::Whole
                        || e.kind != ValueKind::Date && (!e.parts.is_empty() || all.iter().any(|s| !s.parts.is_empty()))
                    {
                        possible.insert((of_field[0].name(), e.name(), kind));
                    }
                    let m = agreed.is_some_and(|agreed| agreed.0 == kind);
                    let disagrees = e.agrees(last).is_none() && last.agrees(e).is_none();
                    count(&mut pairs, (of_field[0].name(), e, kind), m, disagrees, &all, &hit);
                }
            }
            let on_screen: Vec<&Said> = said.iter().filter(here).collect();
            let values = latest(sources.iter().copied().filter(here));
            let joined = !any_field && e.joins(&values);
            if joined {
                let parts = |s: &Said| {
                    e.parts.iter().collect::<BTreeSet<_>>().iter().filter(|part| s.value().has(***part)).count()
                };
                let most = values.iter().map(|s| parts(s)).max().unwrap();
                let source = values.iter().filter(|s| parts(s) == most).min_by_key(|s| (s.from, s.span)).unwrap();
                matches.insert((e.span, source.span, source.span, Agreement::Join));
            }
            let from = (format!("s{system}"), format!("p{screen}"), String::new());
            if !tried.insert((e.case, from.clone(), e.name())) {
                continue;
            }
            if e.kind == ValueKind::Words && !e.parts.is_empty() {
                possible.insert((from.clone(), e.name(), Agreement::Join));
            }
            let hit = |case: u8| {
                let of_case: Vec<&Said> = on_screen.iter().copied().filter(|s| s.case == case).collect();
                !of_case.iter().any(|s| e.agrees(s).is_some()) && e.joins(&latest(of_case.iter().copied()))
            };
            let disagrees = !joined && !values.iter().any(|s| e.agrees(s).is_some());
            count(&mut pairs, (from, e, Agreement::Join), joined, disagrees, &on_screen, &hit);
        }
    }
    pairs.retain(|(from, to, kind, ..), _| possible.contains(&(from.clone(), to.clone(), *kind)));
    (matches, Counts::of(&pairs))
}

/// Counts a trial; `all` are the spans of the source on every case, `hit` tells whether a case would agree.
fn count(
    pairs: &mut Pairs,
    (from, e, kind): (FieldName, &Said, Agreement),
    m: bool,
    disagrees: bool,
    all: &[&Said],
    hit: &dyn Fn(u8) -> bool,
) {
    let day = e.day(e.start);
    let others: BTreeSet<u8> = all.iter().map(|s| s.case).filter(|case| *case != e.case).collect();
    let near: BTreeSet<u8> = all
        .iter()
        .filter(|s| s.case != e.case && s.worker == e.worker && s.day(s.from) == day)
        .map(|s| s.case)
        .collect();
    let hits = |cases: &BTreeSet<u8>| cases.iter().filter(|case| hit(**case)).count() as u64;
    let counts = pairs.entry((from, e.name(), kind, day, e.worker.into())).or_default();
    let trial =
        [1, u64::from(m), hits(&others), others.len() as u64, hits(&near), near.len() as u64, u64::from(disagrees)];
    for (sum, one) in counts.iter_mut().zip(trial) {
        *sum += one;
    }
}

prop_compose! {
    fn any_span()(
        (case, worker) in (0_u8..4, 0_u8..2),
        (system, screen, field) in (0_u8..2, 0_u8..2, 0_u8..4),
        start in 0_i64..120,
        length in 0_i64..8,
        // A value is one of a few words, or two or three of them.
        words in prop::collection::vec(1_i64..6, 1..4),
        kind in prop::sample::select(vec![ValueKind::Date, ValueKind::Words, ValueKind::Words, ValueKind::Other]),
        target in any::<bool>(),
        spelling in 0_i64..2,
    ) -> Said {
        let several = words.len() > 1 && kind != ValueKind::Date;
        // The digest of the whole is that of the words in order; two spellings of one whole have other parts.
        let digest = if words.len() > 1 { words.iter().fold(7, |digest, word| digest * 10 + word) } else { words[0] };
        let parts = if several && spelling == 0 { words } else { Vec::new() };
        Said { span: 0, case, worker, system, screen, field, start, from: start + length, digest, parts, kind, target }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn the_matcher_and_its_chances_are_what_the_text_says(mut said in prop::collection::vec(any_span(), 1..28)) {
        for (span, said) in (1..).zip(&mut said) {
            said.span = span;
        }
        let (matches, pairs) = specification(&said);
        let (got_matches, got_pairs) = matcher(&said);
        prop_assert_eq!(got_matches, matches);
        prop_assert_eq!(got_pairs, pairs);
    }

    #[test]
    fn the_order_of_rows_does_not_matter(
        (said, shuffled) in prop::collection::vec(any_span(), 1..28).prop_flat_map(|mut said| {
            for (span, said) in (1..).zip(&mut said) {
                said.span = span;
            }
            (Just(said.clone()), Just(said).prop_shuffle())
        })
    ) {
        prop_assert_eq!(matcher(&said), matcher(&shuffled));
    }
}

#[test]
fn at_most_four_fields_make_a_joined_value() {
    assert!(covered(&[1, 2, 4, 8], 15));
    assert!(!covered(&[1, 2, 4, 8, 16], 31));
    assert!(covered(&[1, 2, 4, 8, 24], 31));
    // Taking what gives most first would need five fields here.
    assert!(covered(&[0b01_1110, 0b00_0011, 0b00_1100, 0b11_0000, 0b10_0001], 0b11_1111));
    assert!(!covered(&[], 1));
}
