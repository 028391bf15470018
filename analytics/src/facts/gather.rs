//! The spans of one UTC day → what the whole estate has to know of them, each name and value once.
//!
//! Days are gathered on several cores and put together by [`super::assemble`]. What is told only by looking at all days
//! (which numbers are one case, how far a session's clock is off, what a trace's root calls its task) is left open
//! here.

use std::cmp::Ordering;

use arrow::array::{Array, AsArray, BinaryArray, Int64Array, ListArray, RecordBatch, StringArray};
use datafusion::{common::exec_datafusion_err, error::Result};

use super::{
    field_spans::{FieldSpan, Is, NONE, Place},
    known::Known,
};
use crate::operators::{
    SpanKey,
    columns::{Symbols, binary, bytes, integer, integers, list, number, text, word},
    hashing::{FastMap, FastSet, hash},
    matcher::agree::Value,
    task_rules::Edge,
};

/// The columns of `spans` that are read here.
pub const COLUMNS: [&str; 24] = [
    "trace_id",
    "span_id",
    "parent_span_id",
    "kind",
    "trigger",
    "started_at",
    "ended_at",
    "sent_at",
    "received_at",
    "system",
    "worker",
    "session",
    "screen",
    "field",
    "case_refs",
    "record",
    "task",
    "task_instance",
    "origin",
    "continues",
    "value_kind",
    "value_digest",
    "value_parts",
    "outcome",
];

/// What a day's spans say. Numbers are those of the day's own lists; times are as sent.
#[derive(Debug, Default)]
pub struct Part {
    /// The day, UTC, as sent.
    pub day: i32,
    /// Spans about a field.
    pub rows: Vec<FieldSpan>,
    /// The place in `sessions` of each row; [`NONE`] where it has none.
    pub sessions_of_rows: Vec<u32>,
    /// Rows that continue a span.
    pub continues: Vec<(u32, u64)>,
    /// Interactions that went wrong.
    pub mishaps: Vec<PartMishap>,
    /// The hashes of workers.
    pub workers: Symbols<u64>,
    /// The hashes of case numbers.
    pub numbers: Symbols<u64>,
    /// When each was seen first, as sent.
    pub numbers_seen: Vec<i64>,
    /// Case numbers that a span names together, where they are several.
    pub together: FastSet<Vec<u64>>,
    /// Task instances by id.
    pub instances: Symbols<u64>,
    /// Records.
    pub records: Symbols<u64>,
    /// Where entries go and views look.
    pub places: Symbols<Place>,
    /// The values.
    pub values: Symbols<Value>,
    /// Sessions.
    pub sessions: Symbols<Session>,
    /// The least that a session's exports were received after they were sent, microseconds.
    pub offsets: FastMap<u64, i64>,
    /// The earliest span without a parent of each trace in which such a span names a task: start, span id, task.
    pub roots: FastMap<u128, (i64, u64, String)>,
    /// What the spans of an instance call their task; the first in alphabetical order.
    pub task_names: FastMap<u64, String>,
    /// Where tasks of the catalogue start and end.
    pub edges: Vec<PartEdge>,
    /// The traces of interactions, as far as their last eight bytes tell them apart.
    pub traces: FastSet<u64>,
    /// The instances that interactions name.
    pub named: FastSet<u64>,
    /// First start, last start and last end of interactions, and the last end of what may be an activity.
    pub times: Option<[i64; 4]>,
    /// Tells these spans from others, whatever their order.
    pub content: u64,
}

/// A worker's session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Session {
    /// The worker as sent.
    pub login: u64,
    /// The session.
    pub session: u64,
    /// The person behind the login.
    pub person: u64,
}

/// An activity at which a task of the catalogue starts or ends.
#[derive(Debug, Clone, Copy)]
pub struct PartEdge {
    /// The person.
    pub person: u64,
    /// The place in `sessions`; [`NONE`] where it has none.
    pub session: u32,
    /// Start, as sent.
    pub start: i64,
    /// Identity.
    pub key: SpanKey,
    /// Which.
    pub edge: Edge,
}

/// An interaction that went wrong. Its numbers are those of the day's lists.
#[derive(Debug, Clone, Copy)]
pub struct PartMishap {
    /// Identity.
    pub key: SpanKey,
    /// Start, as sent.
    pub start: i64,
    /// The person.
    pub worker: u32,
    /// The place in `sessions`; [`NONE`] where it has none.
    pub session: u32,
    /// A place of its system, screen and field unknown.
    pub system: u32,
    /// Whether it was a rejection, and not lost or failed.
    pub rejected: bool,
}

impl Part {
    /// A day of which nothing is known yet.
    #[must_use]
    pub fn new(day: i32) -> Self {
        Self { day, ..Self::default() }
    }

    /// Takes a batch of the day's spans.
    pub fn add(&mut self, batch: &RecordBatch, activity_max_us: i64, known: &Known) -> Result<()> {
        let columns = Columns::new(batch)?;
        // Names of a batch are few and borrowed; those new to the day are copied.
        let mut places: FastMap<[Option<&str>; 3], u32> = FastMap::default();
        let (mut last_trace, mut last_instance) = (None, None);
        for row in 0..batch.num_rows() {
            let system = word(&columns.system, row);
            let login = id(&columns.worker, row);
            let person = login.map(|login| known.directory.person(system, login, self.day));
            let session = self.about_clock(&columns, row, login.zip(person));
            let case_number = self.about_case(&columns, row)?;
            self.about_task(&columns, row);
            let (key, start, end) = (columns.key(row), columns.started.value(row), columns.ended.value(row));
            // Where a span was sent again and compaction kept the other row, that was received at another time.
            let received = columns.received.value(row);
            self.content = self.content.wrapping_add(hash(&(key, start, end, received)));
            let Some(kind) = word(&columns.kind, row) else { continue };
            if last_trace != Some(key.trace) {
                last_trace = Some(key.trace);
                self.traces.insert(key.trace as u64);
            }
            if let Some(instance) = id(&columns.instance, row)
                && last_instance != Some(instance)
            {
                last_instance = Some(instance);
                self.named.insert(instance);
            }
            let [first, last, latest, closes] = self.times.unwrap_or([start, start, end, start]);
            let may_close = if end - start <= activity_max_us { end } else { start };
            self.times = Some([first.min(start), last.max(start), latest.max(end), closes.max(may_close)]);
            if let (false, Some(person)) = (known.catalogue.is_empty(), person)
                && columns.is_activity(row, activity_max_us)
            {
                let edges = known.catalogue.edges(kind, system, word(&columns.screen, row), word(&columns.field, row));
                self.edges.extend(edges.map(|edge| PartEdge { person, session, start, key, edge }));
            }
            if let (Some("lost" | "failed" | "rejected"), Some(worker)) = (word(&columns.outcome, row), person) {
                self.mishaps.push(PartMishap {
                    key,
                    start,
                    worker: self.workers.number(&worker),
                    session,
                    system: self.places.number(&[system.map(str::to_owned), None, None]),
                    rejected: word(&columns.outcome, row) == Some("rejected"),
                });
            }
            let Some(is) = columns.is(kind, row, activity_max_us) else { continue };
            let value = number(&columns.digest, row).map(|digest| Value::new(digest, list(&columns.parts, row)));
            if !is.has(Is::ENTERED) && value.is_none() {
                continue;
            }
            let place = [system, word(&columns.screen, row), word(&columns.field, row)];
            let place =
                *places.entry(place).or_insert_with(|| self.places.number(&place.map(|name| name.map(str::to_owned))));
            let worker = person.map_or(NONE, |person| self.workers.number(&person));
            let mut numbered = |symbols: fn(&mut Self) -> &mut Symbols<u64>, column: &BinaryArray| {
                id(column, row).map_or(NONE, |id| symbols(self).number(&id))
            };
            let task = numbered(|part| &mut part.instances, &columns.instance);
            let record = numbered(|part| &mut part.records, &columns.record);
            if let Some(span) = id(&columns.continues, row) {
                self.continues.push((self.rows.len() as u32, span));
            }
            self.rows.push(FieldSpan {
                key,
                start,
                end,
                worker,
                case: case_number,
                task,
                record,
                place,
                value: value.map_or(NONE, |value| self.values.number(&value)),
                is,
            });
            self.sessions_of_rows.push(session);
        }
        Ok(())
    }

    /// Notes by how much the clock of the span's session may be off.
    fn about_clock(&mut self, columns: &Columns, row: usize, worker: Option<(u64, u64)>) -> u32 {
        let Some(session) = id(&columns.session, row) else { return NONE };
        if let Some(sent) = number(&columns.sent, row) {
            let offset = columns.received.value(row) - sent;
            let least = self.offsets.entry(session).or_insert(offset);
            *least = offset.min(*least);
        }
        worker.map_or(NONE, |(login, person)| self.sessions.number(&Session { login, session, person }))
    }

    /// Notes the case numbers of a span; gives the first.
    fn about_case(&mut self, columns: &Columns, row: usize) -> Result<u32> {
        if columns.cases.is_null(row) {
            return Ok(NONE);
        }
        let at = columns.started.value(row);
        let offsets = columns.cases.value_offsets();
        let (from, to) = (offsets[row] as usize, offsets[row + 1] as usize);
        let numbers = columns.case_numbers.as_binary_opt::<i32>();
        let numbers = numbers.ok_or_else(|| exec_datafusion_err!("case numbers are binary"))?;
        let Some(first) = (from..to).find_map(|place| id(numbers, place)) else { return Ok(NONE) };
        if to - from > 1 {
            let mut together: Vec<u64> = (from..to).filter_map(|place| id(numbers, place)).collect();
            together.sort_unstable();
            together.dedup();
            together.iter().for_each(|number| {
                self.saw(*number, at);
            });
            if together.len() > 1 && !self.together.contains(&together) {
                self.together.insert(together);
            }
        }
        let named_first = id(numbers, from).map(|number| self.saw(number, at));
        self.saw(first, at);
        Ok(named_first.unwrap_or(NONE))
    }

    /// Notes when a case number was seen; gives its place.
    fn saw(&mut self, number: u64, at: i64) -> u32 {
        let place = self.numbers.number(&number);
        match self.numbers_seen.get_mut(place as usize) {
            Some(first) => *first = at.min(*first),
            None => self.numbers_seen.push(at),
        }
        place
    }

    /// Notes what a span calls the task of its trace or of its instance.
    fn about_task(&mut self, columns: &Columns, row: usize) {
        let Some(task) = word(&columns.task, row) else { return };
        if let Some(instance) = id(&columns.instance, row) {
            match self.task_names.get_mut(&instance) {
                Some(known) if task < known.as_str() => task.clone_into(known),
                Some(_) => {}
                None => {
                    self.task_names.insert(instance, task.to_owned());
                }
            }
        }
        if columns.parent.is_null(row) {
            let key = columns.key(row);
            let start = columns.started.value(row);
            let earlier = |root: &(i64, u64, String)| {
                (root.0, root.1).cmp(&(start, key.span)).then_with(|| root.2.as_str().cmp(task)) != Ordering::Greater
            };
            if !self.roots.get(&key.trace).is_some_and(earlier) {
                self.roots.insert(key.trace, (start, key.span, task.to_owned()));
            }
        }
    }
}

/// An id or keyed hash of at most eight bytes as a number.
pub(super) fn id(array: &BinaryArray, row: usize) -> Option<u64> {
    bytes(array, row).map(|bytes| match bytes.try_into() {
        Ok(bytes) => u64::from_be_bytes(bytes),
        Err(_) => SpanKey::from_bytes(bytes, &[]).span,
    })
}

/// The columns of a batch.
struct Columns {
    trace: BinaryArray,
    span: BinaryArray,
    parent: BinaryArray,
    kind: StringArray,
    trigger: StringArray,
    started: Int64Array,
    ended: Int64Array,
    sent: Int64Array,
    received: Int64Array,
    system: StringArray,
    worker: BinaryArray,
    session: BinaryArray,
    screen: StringArray,
    field: StringArray,
    cases: ListArray,
    case_numbers: arrow::array::ArrayRef,
    record: BinaryArray,
    task: StringArray,
    instance: BinaryArray,
    origin: StringArray,
    continues: BinaryArray,
    value_kind: StringArray,
    digest: Int64Array,
    parts: ListArray,
    outcome: StringArray,
}

impl Columns {
    fn new(batch: &RecordBatch) -> Result<Self> {
        let cases = super::correction::case_refs(batch)?;
        Ok(Self {
            trace: binary(batch, "trace_id")?,
            span: binary(batch, "span_id")?,
            parent: binary(batch, "parent_span_id")?,
            kind: text(batch, "kind")?,
            trigger: text(batch, "trigger")?,
            started: integer(batch, "started_at")?,
            ended: integer(batch, "ended_at")?,
            sent: integer(batch, "sent_at")?,
            received: integer(batch, "received_at")?,
            system: text(batch, "system")?,
            worker: binary(batch, "worker")?,
            session: binary(batch, "session")?,
            screen: text(batch, "screen")?,
            field: text(batch, "field")?,
            case_numbers: cases.values().clone(),
            cases,
            record: binary(batch, "record")?,
            task: text(batch, "task")?,
            instance: binary(batch, "task_instance")?,
            origin: text(batch, "origin")?,
            continues: binary(batch, "continues")?,
            value_kind: text(batch, "value_kind")?,
            digest: integer(batch, "value_digest")?,
            parts: integers(batch, "value_parts")?,
            outcome: text(batch, "outcome")?,
        })
    }

    fn key(&self, row: usize) -> SpanKey {
        SpanKey::from_bytes(self.span.value(row), self.trace.value(row))
    }

    /// Whether a span is something that a person did and that did not last too long; its worker may be unknown.
    fn is_activity(&self, row: usize, activity_max_us: i64) -> bool {
        let lasted = self.ended.value(row) - self.started.value(row);
        lasted <= activity_max_us && word(&self.trigger, row) == Some("user")
    }

    /// What a span about a field is; none for other kinds.
    fn is(&self, kind: &str, row: usize, activity_max_us: i64) -> Option<Is> {
        let origin = match (word(&self.origin, row), kind) {
            (origin, "view") => origin.unwrap_or_default(),
            (origin, "entry") => origin.unwrap_or("typed"),
            (origin, "choice") => origin.unwrap_or("selected"),
            _ => return None,
        };
        let by_hand = matches!(origin, "typed" | "pasted" | "selected");
        let value_kind = word(&self.value_kind, row);
        Some(
            Is::default()
                .and(Is::ENTERED, kind != "view" && by_hand && self.is_activity(row, activity_max_us))
                .and(Is::SHOWN, kind == "view" || matches!(origin, "prefilled" | "autofilled"))
                .and(Is::DATE, value_kind == Some("date"))
                .and(Is::WORDS, matches!(value_kind, Some("name" | "text")))
                .and(Is::PASTED, origin == "pasted")
                .and(Is::SELECTED, origin == "selected"),
        )
    }
}
