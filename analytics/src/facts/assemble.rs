//! What single days say → what the whole estate says: one list of each kind of name, times corrected, cases linked,
//! task instances told.

use std::{collections::BTreeSet, hash::BuildHasherDefault, ops::Range, sync::Arc};

use super::{
    cores::on_cores,
    correction::Correction,
    day::{Day, DayRows},
    field_spans::{FieldSpan, FieldSpans, NONE, Place, Then},
    known::Known,
};
use crate::{
    local_time::{Days, LocalTime},
    operators::{
        SpanKey,
        cases::{Components, Link},
        columns::Symbols,
        hashing::{FastMap, FastSet, hash},
        matcher::agree::Value,
        rework::Mishaps,
        task_rules::{Event, Instances},
    },
    parameters::Parameters,
};

/// A shift: worker as sent, session, UTC day as sent, microseconds to add.
pub type Shift = (u64, u64, i32, i64);

/// What is told only by looking at all days.
#[derive(Debug, Default)]
pub struct Context {
    /// What turns spans into activities.
    pub correction: Correction,
    /// Which case each number belongs to.
    pub links: Vec<Link>,
    /// The clock shifts, in order.
    pub shifts: Vec<Shift>,
}

/// How a task instance is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Instance {
    /// Its spans name it.
    Id(u64),
    /// The root of its trace names a task.
    Trace(u128),
    /// The task catalogue tells it by the span that starts it.
    Rule(SpanKey),
}

/// What days say together. Their rows are not asked.
#[must_use]
pub fn context<'a>(
    days: impl IntoIterator<Item = &'a Day>,
    known: Arc<Known>,
    parameters: &Parameters,
    local: LocalTime,
) -> Context {
    let mut days: Vec<&Day> = days.into_iter().collect();
    days.sort_unstable_by_key(|day| day.day);
    let links = links(&days, parameters);
    let shifts = shifts(&days, parameters);
    let mut correction = Correction {
        shifts: shifts.iter().map(|&(worker, session, day, by)| ((worker, session, day), by)).collect(),
        cases: links.iter().filter(|link| link.case != link.number).map(|link| (link.number, link.case)).collect(),
        roots: roots(&days),
        task_names: task_names(&days),
        told: Instances::default(),
        known,
    };
    correction.told = told(&days, &correction, local);
    Context { correction, links, shifts }
}

fn links(days: &[&Day], parameters: &Parameters) -> Vec<Link> {
    let mut components = Components::default();
    for day in days {
        day.numbers.iter().zip(&day.numbers_seen).for_each(|(number, at)| components.see(*number, *at));
        day.together.iter().for_each(|numbers| components.link(numbers.iter().copied()));
    }
    components.links(usize::try_from(parameters.case_numbers_max).unwrap_or(usize::MAX))
}

/// `sql/facts/clock_shifts.sql`: a session's offset is the least seen in it; where any session of a worker-day is off by
/// more than the tolerance, all sessions of that worker-day are shifted, each by its own offset.
fn shifts(parts: &[&Day], parameters: &Parameters) -> Vec<Shift> {
    let us = |seconds: f64| (seconds * 1e6).round() as i64;
    let (tolerance, replay) = (us(parameters.clock_tolerance_s), us(parameters.clock_replay_h * 3600.0));
    let mut offsets: FastMap<u64, i64> = with_room(parts, |day| day.offsets.len());
    for &(session, offset) in parts.iter().flat_map(|part| &part.offsets) {
        let least = offsets.entry(session).or_insert(offset);
        *least = offset.min(*least);
    }
    offsets.retain(|_, offset| offset.abs() <= replay);
    let of = |session: &u64| offsets.get(session).copied();
    let far: FastSet<u64> =
        offsets.iter().filter(|(_, by)| by.abs() > tolerance).map(|(session, _)| *session).collect();
    let mut off: FastSet<(u64, i32)> = FastSet::default();
    for part in parts.iter().filter(|_| !far.is_empty()) {
        let days = part.sessions.iter().filter(|session| far.contains(&session.session));
        off.extend(days.map(|session| (session.person, part.day)));
    }
    if off.is_empty() {
        return Vec::new();
    }
    let shifted: BTreeSet<Shift> = parts
        .iter()
        .flat_map(|part| part.sessions.iter().map(move |session| (part.day, session)))
        .filter(|(day, session)| off.contains(&(session.person, *day)))
        .filter_map(|(day, session)| Some((session.login, session.session, day, of(&session.session)?)))
        .filter(|shift| shift.3 != 0)
        .collect();
    shifted.into_iter().collect()
}

fn roots(days: &[&Day]) -> FastMap<u128, Arc<str>> {
    let mut roots: FastMap<u128, (i64, u64, &Arc<str>)> = with_room(days, |day| day.roots.len());
    for day in days {
        for &(trace, start, span, task) in &day.roots {
            let root = (start, span, &day.tasks[task as usize]);
            roots.entry(trace).and_modify(|known| *known = root.min(*known)).or_insert(root);
        }
    }
    roots.into_iter().map(|(trace, (_, _, task))| (trace, task.clone())).collect()
}

fn task_names(days: &[&Day]) -> FastMap<u64, Arc<str>> {
    let mut names: FastMap<u64, &Arc<str>> = with_room(days, |day| day.task_names.len());
    for day in days {
        for &(instance, task) in &day.task_names {
            let task = &day.tasks[task as usize];
            names.entry(instance).and_modify(|known| *known = task.min(*known)).or_insert(task);
        }
    }
    names.into_iter().map(|(instance, task)| (instance, task.clone())).collect()
}

/// A map with room for what days have.
fn with_room<K, V>(days: &[&Day], of: impl Fn(&Day) -> usize) -> FastMap<K, V> {
    FastMap::with_capacity_and_hasher(days.iter().map(|day| of(day)).sum(), BuildHasherDefault::default())
}

/// The task instances that the catalogue tells.
fn told(parts: &[&Day], correction: &Correction, local: LocalTime) -> Instances {
    let mut days = Days::new(local);
    let mut events = Vec::new();
    for part in parts {
        for edge in &part.edges {
            let session = part.sessions.get(edge.session as usize);
            let shift = session.map_or(0, |of| correction.shift(of.login, of.session, part.day));
            let start = edge.start + shift;
            events.push((edge.person, Event { start, key: edge.key, edge: edge.edge, day: days.of(start).day }));
        }
    }
    Instances::new(events)
}

/// What spans about fields name, each once and by number. Numbers given stay as they are when more is named.
#[derive(Debug, Default)]
pub struct Names {
    workers: Symbols<u64>,
    cases: Symbols<u64>,
    instances: Symbols<Instance>,
    records: Symbols<u64>,
    places: Symbols<Place>,
    values: Symbols<Value>,
}

/// The names of [`Names`] in order of their numbers.
#[derive(Debug, Clone, Default)]
pub struct Lists {
    /// The hashes of workers.
    pub workers: Vec<u64>,
    /// The hashes of cases.
    pub cases: Vec<u64>,
    /// Task instances.
    pub instances: Vec<Instance>,
    /// Where entries go and views look.
    pub places: Vec<Place>,
    /// The values.
    pub values: Arc<Vec<Value>>,
}

impl Names {
    /// Workers, places and values that have numbers already.
    #[must_use]
    pub fn of(workers: &[u64], places: &[Place], values: Vec<Value>) -> Self {
        Self {
            workers: Symbols::of(workers.iter().copied()),
            places: Symbols::of(places.iter().cloned()),
            values: Symbols::of(values),
            ..Self::default()
        }
    }

    /// The cases named so far, in order of their numbers.
    #[must_use]
    pub fn cases(&self) -> Vec<u64> {
        self.cases.values()
    }

    /// The worker of a number.
    #[must_use]
    pub fn workers(&self) -> Vec<u64> {
        self.workers.values()
    }

    /// The number of a place.
    pub fn place(&mut self, place: &Place) -> u32 {
        self.places.number(place)
    }

    /// The values of some numbers.
    #[must_use]
    pub fn some_values(&self, numbers: &FastSet<u32>) -> Vec<Value> {
        let some = self.values.each_numbered().filter(|(_, number)| numbers.contains(number));
        some.map(|(value, _)| value.clone()).collect()
    }

    /// What is named.
    #[must_use]
    pub fn lists(self) -> Lists {
        Lists {
            workers: self.workers.into_values(),
            cases: self.cases.into_values(),
            instances: self.instances.into_values(),
            places: self.places.into_values(),
            values: Arc::new(self.values.into_values()),
        }
    }
}

/// Rows of several days, with numbers of all, which [`Rows::named`] makes spans about fields.
#[derive(Debug, Default)]
pub struct Rows {
    rows: Vec<FieldSpan>,
    then: Option<Then>,
    days: FastMap<i32, Range<usize>>,
    continues: FastMap<u32, u64>,
    // Worker, place of the system, start, key, whether rejected.
    mishaps: Vec<(u32, u32, i64, SpanKey, bool)>,
}

/// The numbers of what one day names, given as they are asked for.
struct Renumbered(Vec<u32>);

impl Renumbered {
    fn new(names: usize) -> Self {
        Self(vec![NONE; names])
    }

    fn of(&mut self, number: u32, new: impl FnOnce(usize) -> u32) -> u32 {
        let Some(known) = self.0.get_mut(number as usize) else { return NONE };
        if *known == NONE {
            *known = new(number as usize);
        }
        *known
    }
}

/// Rows of days, corrected.
#[must_use]
pub fn rows<'a>(
    days: impl IntoIterator<Item = (&'a Day, DayRows)>,
    correction: &Correction,
    names: &mut Names,
) -> Rows {
    let mut all = Rows::default();
    let mut days: Vec<(&Day, DayRows)> = days.into_iter().collect();
    days.sort_unstable_by_key(|(day, _)| day.day);
    all.rows.reserve_exact(days.iter().map(|(_, rows)| rows.rows.len()).sum());
    // Values are many, and most may have a number already: these are looked up on all cores.
    let known = &names.values;
    let known = on_cores(days.iter().map(|(_, rows)| &rows.values).collect(), |values: &Vec<Value>| {
        Renumbered(values.iter().map(|value| known.known(value).unwrap_or(NONE)).collect())
    });
    for ((day, DayRows { rows, sessions, continues, values: of_day }), mut values) in days.into_iter().zip(known) {
        let mut workers = Renumbered::new(day.workers.len());
        let mut cases = Renumbered::new(day.numbers.len());
        let mut instances = Renumbered::new(day.instances.len());
        let mut records = Renumbered::new(day.records.len());
        let mut places = Renumbered::new(day.places.len());
        let shifts = day_shifts(day, correction);
        let shift = |session: u32| shifts.get(session as usize).copied().unwrap_or(0);
        let first = all.rows.len();
        all.continues.extend(continues.into_iter().map(|(row, span)| (first as u32 + row, span)));
        for (row, session) in rows.into_iter().zip(sessions) {
            let start = row.start + shift(session);
            let by_rule = || correction.told.at(*day.workers.get(row.worker as usize)?, start);
            let task = if row.task != NONE {
                instances.of(row.task, |place| names.instances.number(&Instance::Id(day.instances[place])))
            } else if correction.roots.contains_key(&row.key.trace) {
                names.instances.number(&Instance::Trace(row.key.trace))
            } else {
                by_rule().map_or(NONE, |told| names.instances.number(&Instance::Rule(told.by)))
            };
            all.rows.push(FieldSpan {
                start,
                end: row.end + shift(session),
                worker: workers.of(row.worker, |place| names.workers.number(&day.workers[place])),
                case: cases.of(row.case, |place| names.cases.number(&correction.case(day.numbers[place]))),
                task,
                record: records.of(row.record, |place| names.records.number(&day.records[place])),
                place: places.of(row.place, |place| names.places.number(&day.places[place])),
                value: values.of(row.value, |place| names.values.number(&of_day[place])),
                ..row
            });
        }
        all.days.insert(day.day, first..all.rows.len());
        all.mishaps.extend(day.mishaps.iter().map(|mishap| {
            let worker = workers.of(mishap.worker, |place| names.workers.number(&day.workers[place]));
            let place = places.of(mishap.system, |place| names.places.number(&day.places[place]));
            (worker, place, mishap.start + shift(mishap.session), mishap.key, mishap.rejected)
        }));
    }
    all
}

/// What is added to the times of each session of a day.
#[must_use]
pub fn day_shifts(day: &Day, correction: &Correction) -> Vec<i64> {
    day.sessions.iter().map(|of| correction.shift(of.login, of.session, day.day)).collect()
}

impl Rows {
    /// Adds others, which are of other days.
    #[must_use]
    pub fn with(mut self, other: Self) -> Self {
        let first = self.rows.len();
        self.rows.extend(other.rows);
        self.days.extend(other.days.into_iter().map(|(day, range)| (day, first + range.start..first + range.end)));
        self.continues.extend(other.continues.into_iter().map(|(row, span)| (first as u32 + row, span)));
        self.mishaps.extend(other.mishaps);
        self
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Adds what others there were before: in their place are now all but the first `stayed` of these.
    #[must_use]
    pub fn before(mut self, stayed: usize, others: Self) -> Self {
        self.then = Some(Then { stayed, now: self.rows.len() });
        self.rows.extend(others.rows);
        self
    }

    /// The rows, each with what tells it from others, and the span that it continues.
    pub fn told_apart(&self) -> impl Iterator<Item = (u64, &FieldSpan, Option<u64>)> {
        self.rows.iter().zip(0..).map(|(row, place)| {
            let continues = self.continues.get(&place).copied();
            (hash(&(row, continues)), row, continues)
        })
    }

    /// Interactions that went wrong: what tells each from others, its worker and its start.
    pub fn mishaps(&self) -> impl Iterator<Item = (u64, u32, i64)> {
        self.mishaps.iter().map(|mishap| (hash(mishap), mishap.0, mishap.2))
    }

    /// Spans about fields, with the names that their numbers are of.
    #[must_use]
    pub fn named(self, lists: &Lists) -> FieldSpans {
        let mut systems: Symbols<Option<String>> = Symbols::default();
        let systems: Vec<u32> = lists.places.iter().map(|place| systems.number(&place[0])).collect();
        let mishaps = self
            .mishaps
            .into_iter()
            .map(|(worker, place, start, key, rejected)| (worker, systems[place as usize], start, key, rejected));
        FieldSpans {
            then: self.then,
            rows: self.rows,
            days: self.days,
            continues: self.continues,
            mishaps: Mishaps::new(mishaps),
            systems,
            workers: lists.workers.clone(),
            cases: lists.cases.clone(),
            places: lists.places.clone(),
            values: lists.values.clone(),
        }
    }
}
