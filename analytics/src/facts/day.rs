//! What the spans of a UTC day say, in lists, as it is put together with other days and kept for later refreshes: what
//! it says beside spans about fields ([`Day`]), and these ([`DayRows`]).

use std::sync::Arc;

use arrow::buffer::Buffer;

use super::{
    field_spans::{FieldSpan, Is, NONE, Place},
    gather::{Part, PartEdge, PartMishap, Session},
};
use crate::operators::{
    SpanKey,
    columns::Symbols,
    encoding::{Column, Decoder, Encoder, Lists, Narrow, Plain, Torn},
    hashing::{FastMap, FastSet},
    matcher::agree::Value,
    task_rules::Edge,
};

/// What a day's spans say, beside those about fields. Numbers are places in the day's own lists; times are as sent.
#[derive(Debug, Default)]
pub struct Day {
    /// The day, UTC, as sent.
    pub day: i32,
    /// Tells spans from others, whatever their order.
    pub content: u64,
    /// First start, last start and last end of interactions, and the last end of what may be an activity.
    pub times: Option<[i64; 4]>,
    /// The traces of interactions, as far as their last eight bytes tell them apart.
    pub traces: Vec<u64>,
    /// The instances that interactions name.
    pub named: Vec<u64>,
    /// Spans that are continued: of which rows, and their span ids.
    pub continues: Vec<(u32, u64)>,
    /// For each of these, the row of the day that is continued; [`NONE`] where it is none of them.
    pub continued: Vec<u32>,
    /// Places whose values have parts.
    pub with_parts: Vec<u32>,
    /// Interactions that went wrong.
    pub mishaps: Vec<PartMishap>,
    /// The hashes of workers.
    pub workers: Vec<u64>,
    /// The hashes of case numbers.
    pub numbers: Vec<u64>,
    /// When each was seen first.
    pub numbers_seen: Vec<i64>,
    /// Case numbers that a span names together, where they are several.
    pub together: Vec<Vec<u64>>,
    /// Task instances by id, of rows.
    pub instances: Vec<u64>,
    /// Records.
    pub records: Vec<u64>,
    /// Where entries go and views look.
    pub places: Vec<Place>,
    /// Sessions.
    pub sessions: Vec<Session>,
    /// The least that a session's exports were received after they were sent, microseconds.
    pub offsets: Vec<(u64, i64)>,
    /// Tasks that are named.
    pub tasks: Vec<Arc<str>>,
    /// The earliest span without a parent of each trace in which such a span names a task: trace, start, span id, task.
    pub roots: Vec<(u128, i64, u64, u32)>,
    /// What the spans of an instance call their task; the first in alphabetical order.
    pub task_names: Vec<(u64, u32)>,
    /// Where tasks of the catalogue start and end.
    pub edges: Vec<PartEdge>,
}

/// Spans about fields of a day, or some of them.
#[derive(Debug, Default)]
pub struct DayRows {
    /// The spans, each once. Numbers are those of the lists of the [`Day`], and of `values`.
    pub rows: Vec<FieldSpan>,
    /// The place in [`Day::sessions`] of each; [`NONE`] where it has none.
    pub sessions: Vec<u32>,
    /// Those that continue a span.
    pub continues: Vec<(u32, u64)>,
    /// The values.
    pub values: Vec<Value>,
}

impl Part {
    /// The day, once all of its spans were added. A span about a field that came twice is one.
    #[must_use]
    pub fn finish(self) -> (Day, DayRows) {
        let continues: FastMap<u32, u64> = self.continues.into_iter().collect();
        let mut day = Day {
            day: self.day,
            content: self.content,
            times: self.times,
            traces: self.traces.into_iter().collect(),
            named: self.named.into_iter().collect(),
            mishaps: self.mishaps,
            workers: self.workers.into_values(),
            numbers: self.numbers.into_values(),
            numbers_seen: self.numbers_seen,
            together: self.together.into_iter().collect(),
            instances: self.instances.into_values(),
            records: self.records.into_values(),
            places: self.places.into_values(),
            sessions: self.sessions.into_values(),
            offsets: self.offsets.into_iter().collect(),
            edges: self.edges,
            ..Day::default()
        };
        let mut tasks: Symbols<String> = Symbols::default();
        let roots = self.roots.into_iter();
        day.roots = roots.map(|(trace, (start, span, task))| (trace, start, span, tasks.number(&task))).collect();
        let named = self.task_names.into_iter();
        day.task_names = named.map(|(instance, task)| (instance, tasks.number(&task))).collect();
        day.tasks = tasks.into_values().into_iter().map(Arc::from).collect();
        let mut rows = DayRows { values: self.values.into_values(), ..DayRows::default() };
        let mut seen: FastSet<(i64, SpanKey)> = FastSet::default();
        let mut with_parts = vec![false; day.places.len()];
        rows.rows.reserve_exact(self.rows.len());
        rows.sessions.reserve_exact(self.rows.len());
        for ((row, session), place) in self.rows.into_iter().zip(self.sessions_of_rows).zip(0..) {
            if !seen.insert((row.start, row.key)) {
                continue;
            }
            if let Some(&span) = continues.get(&place) {
                rows.continues.push((rows.rows.len() as u32, span));
            }
            if row.case != NONE && row.value != NONE && !rows.values[row.value as usize].parts.is_empty() {
                with_parts[row.place as usize] = true;
            }
            rows.rows.push(row);
            rows.sessions.push(session);
        }
        day.continues.clone_from(&rows.continues);
        day.continued = continued(&rows);
        day.with_parts = (0..).zip(with_parts).filter(|(_, with)| *with).map(|(place, _)| place).collect();
        (day, rows)
    }
}

/// For each row that continues a span, the latest row before it that has its id, and is of the same worker, case number
/// and place.
fn continued(rows: &DayRows) -> Vec<u32> {
    let ids: FastSet<u64> = rows.continues.iter().map(|of| of.1).collect();
    let mut by_id: FastMap<u64, Vec<u32>> = FastMap::default();
    for (place, row) in (0..).zip(&rows.rows).filter(|(_, row)| ids.contains(&row.key.span)) {
        by_id.entry(row.key.span).or_default().push(place);
    }
    let of = |row: &FieldSpan| (row.worker, row.case, row.place);
    let latest = |(row, span): &(u32, u64)| {
        let row = &rows.rows[*row as usize];
        let before = by_id.get(span).into_iter().flatten().copied();
        before
            .map(|place| (&rows.rows[place as usize], place))
            .filter(|(before, _)| of(before) == of(row) && (before.start, before.key) < (row.start, row.key))
            .max_by_key(|(before, _)| (before.start, before.key))
    };
    rows.continues.iter().map(|of| latest(of).map_or(NONE, |(_, place)| place)).collect()
}

impl Day {
    /// The day with all of its rows as bytes, which [`KeptDay`] reads.
    #[must_use]
    pub fn encode(&self, rows: &DayRows) -> Vec<u8> {
        let mut to = Encoder::default();
        to.column([self.day]);
        to.column([self.content]);
        to.column(self.times.iter().flatten().copied().collect::<Vec<i64>>());
        to.column(self.traces.iter().copied());
        to.column(self.named.iter().copied());
        to.column(self.continues.iter().map(|of| of.0));
        to.column(self.continues.iter().map(|of| of.1));
        to.narrow(self.continued.iter().copied());
        to.column(self.with_parts.iter().copied());
        to.column(self.workers.iter().copied());
        to.column(self.numbers.iter().copied());
        to.column(self.numbers_seen.iter().copied());
        to.lists(self.together.iter().map(Vec::as_slice));
        to.column(self.instances.iter().copied());
        to.column(self.records.iter().copied());
        for part in 0..3 {
            to.texts(self.places.iter().map(|place| place[part].as_deref()));
        }
        to.column(self.sessions.iter().map(|session| session.login));
        to.column(self.sessions.iter().map(|session| session.session));
        to.column(self.sessions.iter().map(|session| session.person));
        to.column(self.offsets.iter().map(|of| of.0));
        to.column(self.offsets.iter().map(|of| of.1));
        to.column(self.roots.iter().map(|root| root.0));
        to.column(self.roots.iter().map(|root| root.1));
        to.column(self.roots.iter().map(|root| root.2));
        to.narrow(self.roots.iter().map(|root| root.3));
        to.column(self.task_names.iter().map(|of| of.0));
        to.narrow(self.task_names.iter().map(|of| of.1));
        to.texts(self.tasks.iter().map(|task| Some(&**task)));
        to.column(self.mishaps.iter().map(|of| of.key.span));
        to.column(self.mishaps.iter().map(|of| of.key.trace));
        to.column(self.mishaps.iter().map(|of| of.start));
        to.column(self.mishaps.iter().map(|of| of.worker));
        to.column(self.mishaps.iter().map(|of| of.session));
        to.column(self.mishaps.iter().map(|of| of.system));
        to.column(self.mishaps.iter().map(|of| u8::from(of.rejected)));
        to.column(self.edges.iter().map(|of| of.person));
        to.column(self.edges.iter().map(|of| of.session));
        to.column(self.edges.iter().map(|of| of.start));
        to.column(self.edges.iter().map(|of| of.key.span));
        to.column(self.edges.iter().map(|of| of.key.trace));
        to.column(self.edges.iter().map(|of| match of.edge {
            Edge::Start(_) => 0_u8,
            Edge::End(_) => 1,
            Edge::Completes => 2,
        }));
        to.column(self.edges.iter().map(|of| match of.edge {
            Edge::Start(task) | Edge::End(task) => task,
            Edge::Completes => 0,
        }));
        to.column(rows.values.iter().map(|value| value.digest));
        to.lists(rows.values.iter().map(|value| value.parts.as_slice()));
        let mut traces: Symbols<u128> = Symbols::default();
        let of_traces: Vec<u32> = rows.rows.iter().map(|row| traces.number(&row.key.trace)).collect();
        to.column(traces.into_values());
        to.narrow(of_traces);
        to.column(rows.rows.iter().map(|row| row.key.span));
        to.column(rows.rows.iter().map(|row| row.start));
        // What is too long for four bytes stands apart.
        let length = |row: &FieldSpan| u32::try_from(row.end - row.start).unwrap_or(LONG);
        let long = || (0_u32..).zip(&rows.rows).filter(|(_, row)| length(row) == LONG);
        to.column(rows.rows.iter().map(length));
        to.column(long().map(|(place, _)| place).collect::<Vec<_>>());
        to.column(long().map(|(_, row)| row.end).collect::<Vec<_>>());
        for of in [
            |row: &FieldSpan| row.worker,
            |row: &FieldSpan| row.case,
            |row: &FieldSpan| row.task,
            |row: &FieldSpan| row.record,
            |row: &FieldSpan| row.place,
            |row: &FieldSpan| row.value,
        ] {
            to.narrow(rows.rows.iter().map(of));
        }
        to.column(rows.rows.iter().map(|row| row.is.bits()));
        to.narrow(rows.sessions.iter().copied());
        to.into_bytes()
    }
}

/// The length of what is longer.
const LONG: u32 = u32::MAX;

/// A day as it was kept: the bytes, and what can be had of them.
#[derive(Debug)]
pub struct KeptDay {
    bytes: Buffer,
}

/// The rows of a kept day and their values, read as they are asked for.
#[derive(Debug)]
pub struct Rows<'a> {
    /// The digest of each value.
    pub digests: Column<'a, i64>,
    /// Its parts.
    pub parts: Lists<'a, i64>,
    /// The span id of each row.
    pub spans: Column<'a, u64>,
    traces: Column<'a, u128>,
    of_traces: Narrow<'a>,
    /// Its start, as sent.
    pub starts: Column<'a, i64>,
    lengths: Column<'a, u32>,
    long: Column<'a, u32>,
    long_ends: Column<'a, i64>,
    /// Its worker.
    pub workers: Narrow<'a>,
    /// Its case number.
    pub cases: Narrow<'a>,
    tasks: Narrow<'a>,
    records: Narrow<'a>,
    /// Its place.
    pub places: Narrow<'a>,
    /// Its value.
    pub values: Narrow<'a>,
    is: Column<'a, u8>,
    /// Its session.
    pub sessions: Narrow<'a>,
}

impl KeptDay {
    /// From what [`Day::encode`] made.
    #[must_use]
    pub const fn new(bytes: Buffer) -> Self {
        Self { bytes }
    }

    /// What the day says beside spans about fields; and these.
    pub fn read(&self) -> Result<(Day, Rows<'_>), Torn> {
        let mut from = Decoder::new(&self.bytes);
        let one = |column: Vec<i32>| column.first().copied().ok_or(Torn);
        let mut day = Day { day: one(from.column()?.to_vec())?, ..Day::default() };
        day.content = from.column()?.iter().next().ok_or(Torn)?;
        day.times = from.column::<i64>()?.to_vec().try_into().ok();
        day.traces = from.column()?.to_vec();
        day.named = from.column()?.to_vec();
        day.continues = both(from.column()?, from.column()?);
        let continued = from.narrow()?;
        day.continued = (0..continued.len()).map(|place| continued.get(place)).collect();
        day.with_parts = from.column()?.to_vec();
        day.workers = from.column()?.to_vec();
        day.numbers = from.column()?.to_vec();
        day.numbers_seen = from.column()?.to_vec();
        let together = from.lists()?;
        day.together = (0..together.len()).map(|place| together.get(place).collect()).collect();
        day.instances = from.column()?.to_vec();
        day.records = from.column()?.to_vec();
        let [systems, screens, fields] = [from.texts()?, from.texts()?, from.texts()?];
        day.places = systems.into_iter().zip(screens).zip(fields).map(|((a, b), c)| [a, b, c]).collect();
        let [logins, sessions, persons] = [from.column::<u64>()?, from.column()?, from.column()?];
        day.sessions = logins
            .iter()
            .zip(sessions.iter())
            .zip(persons.iter())
            .map(|((login, session), person)| Session { login, session, person })
            .collect();
        day.offsets = both(from.column()?, from.column()?);
        let (traces, starts, spans) = (from.column()?, from.column()?, from.column::<u64>()?);
        let tasks = from.narrow()?;
        day.roots = (0..traces.len())
            .map(|place| (traces.get(place), starts.get(place), spans.get(place), tasks.get(place)))
            .collect();
        let (instances, tasks) = (from.column()?, from.narrow()?);
        day.task_names = (0..instances.len()).map(|place| (instances.get(place), tasks.get(place))).collect();
        day.tasks = from.whole_texts()?.into_iter().map(Arc::from).collect();
        let (spans, traces, starts) = (from.column::<u64>()?, from.column::<u128>()?, from.column::<i64>()?);
        let (workers, sessions, systems) = (from.column::<u32>()?, from.column::<u32>()?, from.column::<u32>()?);
        let rejected = from.column::<u8>()?;
        day.mishaps = (0..spans.len())
            .map(|place| PartMishap {
                key: SpanKey { span: spans.get(place), trace: traces.get(place) },
                start: starts.get(place),
                worker: workers.get(place),
                session: sessions.get(place),
                system: systems.get(place),
                rejected: rejected.get(place) != 0,
            })
            .collect();
        let (persons, sessions, starts) = (from.column::<u64>()?, from.column::<u32>()?, from.column::<i64>()?);
        let (spans, traces) = (from.column::<u64>()?, from.column::<u128>()?);
        let (edges, tasks) = (from.column::<u8>()?, from.column::<u32>()?);
        day.edges = (0..persons.len())
            .map(|place| PartEdge {
                person: persons.get(place),
                session: sessions.get(place),
                start: starts.get(place),
                key: SpanKey { span: spans.get(place), trace: traces.get(place) },
                edge: match edges.get(place) {
                    0 => Edge::Start(tasks.get(place)),
                    1 => Edge::End(tasks.get(place)),
                    _ => Edge::Completes,
                },
            })
            .collect();
        let (digests, parts) = (from.column()?, from.lists()?);
        let (traces, of_traces) = (from.column()?, from.narrow()?);
        let rows = Rows {
            digests,
            parts,
            traces,
            of_traces,
            spans: from.column()?,
            starts: from.column()?,
            lengths: from.column()?,
            long: from.column()?,
            long_ends: from.column()?,
            workers: from.narrow()?,
            cases: from.narrow()?,
            tasks: from.narrow()?,
            records: from.narrow()?,
            places: from.narrow()?,
            values: from.narrow()?,
            is: from.column()?,
            sessions: from.narrow()?,
        };
        Ok((day, rows))
    }
}

fn both<A: Plain, B: Plain>(one: Column<'_, A>, other: Column<'_, B>) -> Vec<(A, B)> {
    one.iter().zip(other.iter()).collect()
}

impl Rows<'_> {
    /// A value.
    #[must_use]
    pub fn value(&self, place: usize) -> Value {
        Value { digest: self.digests.get(place), parts: self.parts.get(place).collect() }
    }

    /// What a value offers to others: its digest and its parts.
    #[inline]
    pub fn tokens(&self, place: usize) -> impl Iterator<Item = i64> {
        std::iter::once(self.digests.get(place)).chain(self.parts.get(place))
    }

    fn end(&self, row: usize) -> i64 {
        let length = self.lengths.get(row);
        if length == LONG {
            let long = self.long.iter().position(|long| long as usize == row);
            return long.map_or(self.starts.get(row), |place| self.long_ends.get(place));
        }
        self.starts.get(row) + i64::from(length)
    }

    /// Whether a row was entered by a person.
    #[must_use]
    pub fn entered(&self, row: usize) -> bool {
        Is::of_bits(self.is.get(row)).has(Is::ENTERED)
    }

    /// Those rows that are wanted, with their values.
    #[must_use]
    pub fn only(&self, day: &Day, wanted: impl Fn(usize) -> bool) -> DayRows {
        let continues: FastMap<u32, u64> = day.continues.iter().copied().collect();
        let mut only = DayRows::default();
        let mut values = vec![NONE; self.digests.len()];
        for row in (0..self.spans.len()).filter(|row| wanted(*row)) {
            if let Some(span) = continues.get(&(row as u32)) {
                only.continues.push((only.rows.len() as u32, *span));
            }
            let value = self.values.get(row);
            let number = match values.get_mut(value as usize) {
                None => NONE,
                Some(number) => {
                    if *number == NONE {
                        *number = only.values.len() as u32;
                        only.values.push(self.value(value as usize));
                    }
                    *number
                }
            };
            only.sessions.push(self.sessions.get(row));
            only.rows.push(FieldSpan {
                key: SpanKey { span: self.spans.get(row), trace: self.traces.get(self.of_traces.get(row) as usize) },
                start: self.starts.get(row),
                end: self.end(row),
                worker: self.workers.get(row),
                case: self.cases.get(row),
                task: self.tasks.get(row),
                record: self.records.get(row),
                place: self.places.get(row),
                value: number,
                is: Is::of_bits(self.is.get(row)),
            });
        }
        only
    }
}
