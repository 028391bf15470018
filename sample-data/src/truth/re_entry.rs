//! Which entries key again what the case held already, and where it was held first.
//!
//! The simulation knows which fact of which case each value is, so nothing is compared: two values are the same when
//! they are the same edition of the same fact, or one is made from the other. What agrees by nature is no fact, and
//! never a re-entry; nor is what was mistyped.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use gilbreth_conventions::kind::{Kind, Origin};

use super::ReEntry;
use crate::estate::{Estate, Fact, FactId, FieldId, MadeFrom, ScreenId};
use crate::interaction::{Interaction, SpanId};
use crate::world::cases::{CaseId, Edition};

/// A source is no older than this when the value is keyed.
const LOOK_BACK_MICROS: i64 = 90 * 86_400 * 1_000_000;

/// A span that carried a value.
#[derive(Debug, Clone, Copy)]
struct Source {
    /// From when it counts: its end; for what is shown or filled in by the system, its start.
    from: i64,
    span: SpanId,
}

/// What a field of a case held last.
#[derive(Debug, Clone, Copy)]
struct Latest {
    from: i64,
    span: SpanId,
    /// None where it is no fact.
    edition: Option<Edition>,
    words: usize,
}

/// How a value is held; in order of preference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum As {
    Whole,
    PartOfIt,
    Joined,
}

/// Which field held which fact of which case, and when.
#[derive(Default)]
pub(super) struct Held {
    by_fact: HashMap<(CaseId, Edition), BTreeMap<FieldId, VecDeque<Source>>>,
    latest: HashMap<CaseId, BTreeMap<FieldId, Latest>>,
    /// Cases by pair of source and target field, to know which pairs are often enough seen to be judged.
    pairs: HashMap<(FieldId, FieldId), HashSet<CaseId>>,
}

/// One of two things that happen to a value, in order of time; what is held at an instant is so before it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Happens {
    Held,
    Keyed,
}

impl Held {
    /// Forgets what is too old to be a source at this time or later.
    pub(super) fn forget_before(&mut self, time: i64) {
        self.by_fact.retain(|_, fields| {
            fields.retain(|_, sources| sources.back().is_some_and(|source| source.from >= time - LOOK_BACK_MICROS));
            !fields.is_empty()
        });
    }

    /// The re-entries of a day, for each worker's day in turn.
    pub(super) fn re_entries(
        &mut self,
        estate: &Estate,
        days: &[Vec<Interaction>],
        reworked: &[BTreeSet<SpanId>],
    ) -> Vec<Vec<ReEntry>> {
        let mut events = Vec::new();
        for (worker, day) in days.iter().enumerate() {
            for (at, span) in day.iter().enumerate() {
                if span.value.is_none() || span.case.is_none() {
                    continue;
                }
                if let Some(from) = source_from(span) {
                    events.push((from, Happens::Held, span.span, worker, at));
                }
                if span.is_keyed() && !reworked[worker].contains(&span.span) {
                    events.push((span.started_at, Happens::Keyed, span.span, worker, at));
                }
            }
        }
        events.sort_unstable();
        let mut found = vec![Vec::new(); days.len()];
        for (time, happens, _, worker, at) in events {
            let span = &days[worker][at];
            let (Some(case), Some(field), Some(value)) = (span.case, span.field, &span.value) else { continue };
            if happens == Happens::Held {
                let words = value.text.split_whitespace().count();
                let latest = Latest { from: time, span: span.span, edition: value.edition, words };
                self.latest.entry(case).or_default().insert(field, latest);
            }
            let Some(edition) = value.edition else { continue };
            match happens {
                Happens::Held => {
                    let source = Source { from: time, span: span.span };
                    self.by_fact.entry((case, edition)).or_default().entry(field).or_default().push_back(source);
                }
                Happens::Keyed => {
                    if let Some(from) = self.held_by(estate, case, edition, field, time) {
                        let cases = self.pairs.entry((from, field)).or_default();
                        cases.insert(case);
                        found[worker].push(ReEntry {
                            span: span.span,
                            trace: span.trace,
                            micros: 0,
                            from,
                            to: field,
                            pair_cases: u32::try_from(cases.len()).unwrap_or(u32::MAX),
                        });
                    }
                }
            }
        }
        found
    }

    /// The field to name as the source of a value keyed into `to`: in another system before in the same; whole, part of
    /// what the field held, joined from several; then the earliest span, then the smaller id.
    fn held_by(&mut self, estate: &Estate, case: CaseId, edition: Edition, to: FieldId, time: i64) -> Option<FieldId> {
        let target = estate.field(to);
        let mut holding = Vec::new();
        let wholes = wholes_of(estate, edition.fact).into_iter();
        let wholes = wholes.map(|fact| (As::PartOfIt, Edition { fact, number: 0 }));
        for (how, edition) in std::iter::once((As::Whole, edition)).chain(wholes) {
            for (&from, sources) in self.by_fact.get_mut(&(case, edition)).into_iter().flatten() {
                while sources.front().is_some_and(|source| source.from < time - LOOK_BACK_MICROS) {
                    sources.pop_front();
                }
                let first = sources.iter().min_by_key(|source| (source.from, source.span));
                holding.extend(first.map(|first| (how, first.from, first.span, from)));
            }
        }
        let agreeing: BTreeSet<ScreenId> = holding.iter().map(|(.., from)| estate.field(*from).screen).collect();
        let joined = self.joined(estate, case, edition.fact, time).into_iter();
        holding.extend(joined.filter(|(.., from)| !agreeing.contains(&estate.field(*from).screen)));
        holding
            .into_iter()
            .filter(|(.., from)| estate.field(*from).screen != target.screen)
            .min_by_key(|&(how, at, span, from)| (estate.field(from).system == target.system, how, at, span))
            .map(|(.., from)| from)
    }

    /// The screens whose latest values make up a fact; of each, the field that gives most words of it.
    fn joined(&self, estate: &Estate, case: CaseId, fact: FactId, time: i64) -> Vec<(As, i64, SpanId, FieldId)> {
        let parts = parts_of(estate, fact);
        let mut screens: BTreeMap<ScreenId, Vec<(FactId, Latest, FieldId)>> = BTreeMap::new();
        for (&field, &latest) in self.latest.get(&case).into_iter().flatten() {
            let of = latest.edition.map(|edition| edition.fact).filter(|fact| parts.contains(fact));
            if let Some(of) = of.filter(|_| latest.from >= time - LOOK_BACK_MICROS) {
                screens.entry(estate.field(field).screen).or_default().push((of, latest, field));
            }
        }
        screens
            .into_values()
            .filter(|held| !parts.is_empty() && parts.iter().all(|part| held.iter().any(|(of, ..)| of == part)))
            .filter_map(|held| {
                held.into_iter().max_by_key(|(_, latest, _)| (latest.words, Reverse((latest.from, latest.span))))
            })
            .map(|(_, latest, field)| (As::Joined, latest.from, latest.span, field))
            .collect()
    }
}

/// The facts whose values hold the whole of this one's.
fn wholes_of(estate: &Estate, fact: FactId) -> Vec<FactId> {
    let mut wholes: Vec<FactId> = estate
        .numbered_facts()
        .filter(|(_, other)| matches!(&other.made_from, Some(MadeFrom::All(parts)) if parts.contains(&fact)))
        .map(|(id, _)| id)
        .collect();
    if let Some(MadeFrom::FirstOf(whole) | MadeFrom::RestOf(whole)) = estate.fact(fact).made_from {
        wholes.push(whole);
    }
    wholes
}

/// The facts whose values together are this one's; none where there are no such.
fn parts_of(estate: &Estate, fact: FactId) -> Vec<FactId> {
    if let Some(MadeFrom::All(parts)) = &estate.fact(fact).made_from {
        return parts.clone();
    }
    let is_part = |other: &Fact| matches!(other.made_from, Some(MadeFrom::FirstOf(whole) | MadeFrom::RestOf(whole)) if whole == fact);
    estate.numbered_facts().filter(|(_, other)| is_part(other)).map(|(id, _)| id).collect()
}

fn source_from(span: &Interaction) -> Option<i64> {
    match span.kind? {
        Kind::View => Some(span.started_at),
        Kind::Entry | Kind::Choice => {
            let shown = matches!(span.origin, Some(Origin::Prefilled | Origin::Autofilled));
            Some(if shown { span.started_at } else { span.ended_at })
        }
        Kind::Action
        | Kind::Search
        | Kind::Navigation
        | Kind::SignIn
        | Kind::SignOut
        | Kind::Wait
        | Kind::Hidden
        | Kind::Shown
        | Kind::Other => None,
    }
}
