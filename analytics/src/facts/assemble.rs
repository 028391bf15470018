//! What single days say → what the whole estate says: one list of each kind of name, times corrected, cases linked,
//! task instances told.

use std::{collections::BTreeSet, hash::Hash, sync::Arc};

use super::{
    correction::Correction,
    field_spans::{FieldSpan, FieldSpans, NONE},
    gather::Part,
    known::Known,
};
use crate::{
    local_time::{Days, LocalTime},
    operators::{
        SpanKey,
        cases::{Components, Link},
        columns::Symbols,
        hashing::{FastMap, FastSet},
        rework::Mishaps,
        task_rules::{Event, Instances},
    },
    parameters::Parameters,
};

/// A shift: worker as sent, session, UTC day as sent, microseconds to add.
pub type Shift = (u64, u64, i32, i64);

/// What is known of the whole estate.
#[derive(Debug, Default)]
pub struct Assembled {
    /// Spans about a field.
    pub spans: FieldSpans,
    /// What turns spans into activities.
    pub correction: Correction,
    /// Which case each number belongs to.
    pub links: Vec<Link>,
    /// The clock shifts, in order.
    pub shifts: Vec<Shift>,
}

/// How a task instance is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Instance {
    Id(u64),
    Trace(u128),
    Rule(SpanKey),
}

/// Puts days together.
#[must_use]
pub fn assemble(mut parts: Vec<Part>, known: Arc<Known>, parameters: &Parameters, local: LocalTime) -> Assembled {
    parts.sort_unstable_by_key(|part| part.day);
    let links = links(&parts, parameters);
    let shifts = shifts(&parts, parameters);
    let mut correction = Correction {
        shifts: shifts.iter().map(|&(worker, session, day, by)| ((worker, session, day), by)).collect(),
        cases: links.iter().filter(|link| link.case != link.number).map(|link| (link.number, link.case)).collect(),
        roots: roots(&mut parts),
        task_names: task_names(&mut parts),
        told: Instances::default(),
        known,
    };
    correction.told = told(&parts, &correction, local);
    let spans = field_spans(parts, &correction);
    Assembled { spans, correction, links, shifts }
}

fn links(parts: &[Part], parameters: &Parameters) -> Vec<Link> {
    let mut components = Components::default();
    for part in parts {
        part.numbers.each().for_each(|number| components.add([*number]));
        part.together.iter().for_each(|numbers| components.add(numbers.iter().copied()));
    }
    components.links(usize::try_from(parameters.case_numbers_max).unwrap_or(usize::MAX))
}

/// `sql/facts/clock_shifts.sql`: a session's offset is the least seen in it; where any session of a worker-day is off by
/// more than the tolerance, all sessions of that worker-day are shifted, each by its own offset.
fn shifts(parts: &[Part], parameters: &Parameters) -> Vec<Shift> {
    let us = |seconds: f64| (seconds * 1e6).round() as i64;
    let (tolerance, replay) = (us(parameters.clock_tolerance_s), us(parameters.clock_replay_h * 3600.0));
    let mut offsets: FastMap<u64, i64> = FastMap::default();
    for (&session, &offset) in parts.iter().flat_map(|part| &part.offsets) {
        let least = offsets.entry(session).or_insert(offset);
        *least = offset.min(*least);
    }
    offsets.retain(|_, offset| offset.abs() <= replay);
    let of = |session: &u64| offsets.get(session).copied();
    let mut off: FastSet<(u64, i32)> = FastSet::default();
    for part in parts {
        let days = part.sessions.each().filter(|session| of(&session.session).is_some_and(|by| by.abs() > tolerance));
        off.extend(days.map(|session| (session.person, part.day)));
    }
    let shifted: BTreeSet<Shift> = parts
        .iter()
        .flat_map(|part| part.sessions.each().map(move |session| (part.day, session)))
        .filter(|(day, session)| off.contains(&(session.person, *day)))
        .filter_map(|(day, session)| Some((session.login, session.session, day, of(&session.session)?)))
        .filter(|shift| shift.3 != 0)
        .collect();
    shifted.into_iter().collect()
}

fn roots(parts: &mut [Part]) -> FastMap<u128, String> {
    let mut roots: FastMap<u128, (i64, u64, String)> = FastMap::default();
    for (trace, root) in parts.iter_mut().flat_map(|part| std::mem::take(&mut part.roots)) {
        match roots.get_mut(&trace) {
            Some(known) if root < *known => *known = root,
            Some(_) => {}
            None => {
                roots.insert(trace, root);
            }
        }
    }
    roots.into_iter().map(|(trace, (_, _, task))| (trace, task)).collect()
}

fn task_names(parts: &mut [Part]) -> FastMap<u64, String> {
    let mut names: FastMap<u64, String> = FastMap::default();
    for (instance, task) in parts.iter_mut().flat_map(|part| std::mem::take(&mut part.task_names)) {
        match names.get_mut(&instance) {
            Some(known) if task < *known => *known = task,
            Some(_) => {}
            None => {
                names.insert(instance, task);
            }
        }
    }
    names
}

/// The task instances that the catalogue tells.
fn told(parts: &[Part], correction: &Correction, local: LocalTime) -> Instances {
    let mut days = Days::new(local);
    let mut events = Vec::new();
    for part in parts {
        let sessions = part.sessions.values();
        for edge in &part.edges {
            let session = sessions.get(edge.session as usize);
            let shift = session.map_or(0, |of| correction.shift(of.login, of.session, part.day));
            let start = edge.start + shift;
            events.push((edge.person, Event { start, key: edge.key, edge: edge.edge, day: days.of(start).day }));
        }
    }
    Instances::new(events)
}

fn field_spans(parts: Vec<Part>, correction: &Correction) -> FieldSpans {
    let mut workers: Symbols<u64> = Symbols::default();
    let mut cases: Symbols<u64> = Symbols::default();
    let mut instances: Symbols<Instance> = Symbols::default();
    let mut records: Symbols<u64> = Symbols::default();
    let mut places = Symbols::default();
    let mut values = Symbols::default();
    let mut all = FieldSpans {
        rows: Vec::with_capacity(parts.iter().map(|part| part.rows.len()).sum()),
        ..FieldSpans::default()
    };
    let mut mishaps = Vec::new();
    for part in parts {
        let persons = part.workers.values();
        let worker = renumbered(part.workers, &mut workers, |worker| worker);
        let case = renumbered(part.numbers, &mut cases, |number| correction.case(number));
        let task = renumbered(part.instances, &mut instances, Instance::Id);
        let record = renumbered(part.records, &mut records, |record| record);
        let place = renumbered(part.places, &mut places, |place| place);
        let value = renumbered(part.values, &mut values, |value| value);
        let shifts: Vec<i64> = part
            .sessions
            .into_values()
            .into_iter()
            .map(|of| correction.shift(of.login, of.session, part.day))
            .collect();
        let shift = |session: u32| if session == NONE { 0 } else { shifts[session as usize] };
        let of = |numbers: &[u32], number: u32| if number == NONE { NONE } else { numbers[number as usize] };

        let first = all.rows.len();
        let continues: FastMap<u32, u64> = part.continues.into_iter().collect();
        let mut seen: FastSet<(i64, SpanKey)> = FastSet::default();
        for ((row, session), place_in_part) in part.rows.into_iter().zip(part.sessions_of_rows).zip(0..) {
            if !seen.insert((row.start, row.key)) {
                continue;
            }
            if let Some(&span) = continues.get(&place_in_part) {
                all.continues.insert(all.rows.len() as u32, span);
            }
            let start = row.start + shift(session);
            let by_rule = || correction.told.at(*persons.get(row.worker as usize)?, start);
            let told = if row.task != NONE {
                of(&task, row.task)
            } else if correction.roots.contains_key(&row.key.trace) {
                instances.number(&Instance::Trace(row.key.trace))
            } else {
                by_rule().map_or(NONE, |told| instances.number(&Instance::Rule(told.by)))
            };
            all.rows.push(FieldSpan {
                start,
                end: row.end + shift(session),
                worker: of(&worker, row.worker),
                case: of(&case, row.case),
                task: told,
                record: of(&record, row.record),
                place: of(&place, row.place),
                value: of(&value, row.value),
                ..row
            });
        }
        all.days.insert(part.day, first..all.rows.len());
        mishaps.extend(part.mishaps.into_iter().map(|mishap| {
            let system = place[mishap.system as usize];
            (worker[mishap.worker as usize], system, mishap.start + shift(mishap.session), mishap.key, mishap.rejected)
        }));
    }
    all.workers = workers.into_values();
    all.cases = cases.into_values();
    all.values = values.into_values();
    all.places = places.into_values();
    let mut systems: Symbols<Option<String>> = Symbols::default();
    all.systems = all.places.iter().map(|place| systems.number(&place[0])).collect();
    all.mishaps = Mishaps::new(
        mishaps
            .into_iter()
            .map(|(worker, place, start, key, rejected)| (worker, all.systems[place as usize], start, key, rejected)),
    );
    all
}

/// For each of a day's numbers, that of what it stands for among all.
fn renumbered<K, L>(part: Symbols<K>, all: &mut Symbols<L>, means: impl Fn(K) -> L) -> Vec<u32>
where
    K: Eq + Hash,
    L: Eq + Hash + Clone,
{
    part.into_values().into_iter().map(|value| all.number(&means(value))).collect()
}
