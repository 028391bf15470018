//! Which entries key again what the case held already, and where it was held first.
//!
//! The simulation knows which fact of which case each value is, so nothing is compared: two values are the same when
//! they are the same edition of the same fact. What agrees by nature is no fact, and never a re-entry.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use gilbreth_conventions::kind::{Kind, Origin};

use super::ReEntry;
use crate::estate::{Estate, FieldId};
use crate::interaction::{Interaction, SpanId};
use crate::world::cases::{CaseId, Edition};

/// A source is no older than this when the value is keyed.
const LOOK_BACK_MICROS: i64 = 90 * 86_400 * 1_000_000;

/// A span that carried a value.
#[derive(Debug, Clone, Copy)]
struct Source {
    started_at: i64,
    /// From when it counts: its end; for what is shown or filled in by the system, its start.
    from: i64,
    span: SpanId,
}

/// Which field held which fact of which case, and when.
#[derive(Default)]
pub(super) struct Held {
    by_fact: HashMap<(CaseId, Edition), BTreeMap<FieldId, VecDeque<Source>>>,
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
                if span.value.as_ref().is_none_or(|value| value.edition.is_none()) || span.case.is_none() {
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
            let (Some(case), Some(field), Some(edition)) =
                (span.case, span.field, span.value.as_ref().and_then(|value| value.edition))
            else {
                continue;
            };
            match happens {
                Happens::Held => {
                    let source = Source { started_at: span.started_at, from: time, span: span.span };
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

    /// The field to name as the source of a value keyed into `to`: in another system before in the same, then the
    /// earliest span, then the smaller id.
    fn held_by(&mut self, estate: &Estate, case: CaseId, edition: Edition, to: FieldId, time: i64) -> Option<FieldId> {
        let target = estate.field(to);
        let mut best: Option<((bool, i64, SpanId), FieldId)> = None;
        for (&from, sources) in self.by_fact.get_mut(&(case, edition))? {
            while sources.front().is_some_and(|source| source.from < time - LOOK_BACK_MICROS) {
                sources.pop_front();
            }
            let source = estate.field(from);
            if source.screen == target.screen {
                continue;
            }
            let within = source.system == target.system;
            let Some(first) = sources.iter().min_by_key(|source| (source.started_at, source.span)) else { continue };
            let order = (within, first.started_at, first.span);
            if best.is_none_or(|(other, _)| order < other) {
                best = Some((order, from));
            }
        }
        best.map(|(_, from)| from)
    }
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
