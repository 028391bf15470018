//! Spans → activities as the ledger sees them: times corrected, case numbers linked, task instances told. What
//! `sql/facts/corrected_spans.sql` and `sql/facts/activities.sql` say, for a batch at a time and with what the whole
//! estate knows; a test holds the two equal.

use std::sync::Arc;

use arrow::{
    array::{
        Array, ArrayRef, AsArray, BinaryArray, BinaryBuilder, BooleanArray, Int64Array, ListArray, RecordBatch,
        StringArray, StringBuilder, UInt32Array,
    },
    compute::filter_record_batch,
    datatypes::{DataType, Field, Schema},
};
use datafusion::error::Result;

use super::{
    gather::id,
    known::{Known, Login},
};
use crate::operators::{
    SpanKey,
    columns::{binary, column, integer, text, word},
    hashing::FastMap,
    task_rules::{Edge, Instances},
};

/// The columns of `spans` that are read here.
pub const COLUMNS: [&str; 22] = [
    "trace_id",
    "span_id",
    "kind",
    "trigger",
    "started_at",
    "ended_at",
    "system",
    "release",
    "worker",
    "organisation",
    "team",
    "role",
    "session",
    "screen",
    "field",
    "function",
    "case_refs",
    "task",
    "task_instance",
    "origin",
    "keystrokes",
    "outcome",
];

/// Columns that go through as they are.
const KEPT: [&str; 15] = [
    "worker",
    "trace_id",
    "span_id",
    "kind",
    "system",
    "release",
    "organisation",
    "team",
    "role",
    "screen",
    "field",
    "function",
    "origin",
    "keystrokes",
    "outcome",
];

/// What is known of spans only once all are seen.
#[derive(Debug, Default)]
pub struct Correction {
    /// By worker, session and UTC day as sent: microseconds to add to times.
    pub shifts: FastMap<(u64, u64, i32), i64>,
    /// The case of each number that is not its own case.
    pub cases: FastMap<u64, u64>,
    /// Traces whose root names a task.
    pub roots: FastMap<u128, Arc<str>>,
    /// What instances known by id are called.
    pub task_names: FastMap<u64, Arc<str>>,
    /// Instances that the task catalogue tells.
    pub told: Instances,
    /// Who is behind a login, and the catalogue.
    pub known: Arc<Known>,
}

impl Correction {
    /// Microseconds to add to the times of a span.
    #[must_use]
    pub fn shift(&self, worker: u64, session: u64, day: i32) -> i64 {
        self.shifts.get(&(worker, session, day)).copied().unwrap_or(0)
    }

    /// The case of a number.
    #[must_use]
    pub fn case(&self, number: u64) -> u64 {
        self.cases.get(&number).copied().unwrap_or(number)
    }

    /// The activities among spans of a UTC day, as sent: a span with a worker and a kind, triggered by the user, of no
    /// more than so many microseconds. `row_of` gives the place of a span about a field by its corrected start and key.
    pub fn activities(
        &self,
        spans: &RecordBatch,
        day: i32,
        activity_max_us: i64,
        row_of: &FastMap<(i64, SpanKey), u32>,
    ) -> Result<RecordBatch> {
        let spans = filter_record_batch(spans, &active(spans, activity_max_us)?)?;
        let rows = spans.num_rows();
        let mut columns: Vec<(&str, ArrayRef)> = Vec::with_capacity(KEPT.len() + 8);
        for name in KEPT {
            columns.push((name, column_as_it_is(&spans, name)?));
        }
        self.look_up_logins(&mut columns, &spans, day)?;
        let (started, ended) = (integer(&spans, "started_at")?, integer(&spans, "ended_at")?);
        let shifts = self.shifts_of(&spans, day)?;
        let shifted = |times: Int64Array| match &shifts {
            None => times,
            Some(shifts) => Int64Array::from_iter_values(times.values().iter().zip(shifts).map(|(time, by)| time + by)),
        };
        let started = shifted(started);
        columns.push(("started_us", Arc::new(started.clone())));
        columns.push(("ended_us", Arc::new(shifted(ended))));
        columns.push(("case_id", self.cases_of(&spans)?));
        let persons = columns[0].1.as_binary().clone();
        let (task, instance, delimiter) = self.tasks_of(&spans, &persons, &started)?;
        columns.push(("task", task));
        columns.push(("task_instance", instance));
        columns.push(("delimiter", delimiter));
        columns.push(("completes", self.completes(&spans)?));
        let (traces, span_ids, kinds) =
            (binary(&spans, "trace_id")?, binary(&spans, "span_id")?, text(&spans, "kind")?);
        let entries = (0..rows).map(|row| {
            matches!(kinds.value(row), "entry" | "choice").then(|| {
                row_of.get(&(started.value(row), SpanKey::from_bytes(span_ids.value(row), traces.value(row)))).copied()
            })?
        });
        columns.push(("entry", Arc::new(UInt32Array::from_iter(entries))));
        let fields: Vec<Field> =
            columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
        Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns.into_iter().map(|column| column.1).collect())?)
    }

    /// Puts the person behind each login in the place of the worker, and what the directory says of the person.
    fn look_up_logins(&self, columns: &mut [(&str, ArrayRef)], spans: &RecordBatch, day: i32) -> Result<()> {
        if self.known.directory.is_empty() {
            return Ok(());
        }
        let (workers, systems) = (binary(spans, "worker")?, text(spans, "system")?);
        let logins: Vec<Option<&Login>> = (0..spans.num_rows())
            .map(|row| self.known.directory.login(word(&systems, row), id(&workers, row)?, day))
            .collect();
        for (name, array) in columns {
            let part = match *name {
                "worker" => {
                    let persons = logins.iter().enumerate().map(|(row, login)| {
                        login.map_or_else(|| id(&workers, row), |login| Some(login.person)).map(u64::to_be_bytes)
                    });
                    *array = Arc::new(BinaryArray::from_iter(persons));
                    continue;
                }
                "organisation" => 0,
                "team" => 1,
                "role" => 2,
                _ => continue,
            };
            let sent = array.as_string::<i32>();
            let said = logins
                .iter()
                .enumerate()
                .map(|(row, login)| login.and_then(|login| login.place[part].as_deref()).or_else(|| word(sent, row)));
            *array = Arc::new(StringArray::from_iter(said));
        }
        Ok(())
    }

    /// Which activities end a run of work, as the task catalogue says.
    fn completes(&self, spans: &RecordBatch) -> Result<ArrayRef> {
        if self.known.catalogue.is_empty() {
            return Ok(Arc::new(BooleanArray::from(vec![false; spans.num_rows()])));
        }
        let [kind, system, screen, field] =
            [text(spans, "kind")?, text(spans, "system")?, text(spans, "screen")?, text(spans, "field")?];
        let completes = (0..spans.num_rows()).map(|row| {
            let names = [&system, &screen, &field].map(|names| word(names, row));
            let mut edges = self.known.catalogue.edges(kind.value(row), names[0], names[1], names[2]);
            Some(edges.any(|edge| edge == Edge::Completes))
        });
        Ok(Arc::new(completes.collect::<BooleanArray>()))
    }

    /// The shift of each span; none where nothing is shifted.
    fn shifts_of(&self, spans: &RecordBatch, day: i32) -> Result<Option<Vec<i64>>> {
        if self.shifts.is_empty() {
            return Ok(None);
        }
        let (workers, sessions) = (binary(spans, "worker")?, binary(spans, "session")?);
        Ok(Some(
            (0..spans.num_rows())
                .map(|row| match (id(&workers, row), id(&sessions, row)) {
                    (Some(worker), Some(session)) => self.shift(worker, session, day),
                    _ => 0,
                })
                .collect(),
        ))
    }

    /// The case that the first number of each span belongs to.
    fn cases_of(&self, spans: &RecordBatch) -> Result<ArrayRef> {
        let lists = case_refs(spans)?;
        let numbers = lists.values().as_binary::<i32>();
        let offsets = lists.value_offsets();
        let mut cases = BinaryBuilder::with_capacity(lists.len(), lists.len() * 8);
        for row in 0..lists.len() {
            let first = offsets[row] as usize;
            let number =
                if lists.is_null(row) || first == offsets[row + 1] as usize { None } else { id(numbers, first) };
            cases.append_option(number.map(|number| self.case(number).to_be_bytes()));
        }
        Ok(Arc::new(cases.finish()))
    }

    /// Task, instance and delimiter of each span.
    fn tasks_of(
        &self,
        spans: &RecordBatch,
        persons: &BinaryArray,
        started: &Int64Array,
    ) -> Result<(ArrayRef, ArrayRef, ArrayRef)> {
        let (traces, said, sent) = (binary(spans, "trace_id")?, text(spans, "task")?, binary(spans, "task_instance")?);
        let rows = spans.num_rows();
        let mut tasks = StringBuilder::with_capacity(rows, rows * 12);
        let mut instances = BinaryBuilder::with_capacity(rows, rows * 8);
        let mut delimiters = StringBuilder::with_capacity(rows, rows * 8);
        for row in 0..rows {
            let own = word(&said, row);
            if let Some(instance) = id(&sent, row) {
                tasks.append_option(own.or_else(|| self.task_names.get(&instance).map(AsRef::as_ref)));
                instances.append_value(sent.value(row));
                delimiters.append_value("task_id");
            } else if let Some(task) = self.root_task(traces.value(row)) {
                tasks.append_value(task);
                instances.append_value(traces.value(row));
                delimiters.append_value("trace");
            } else if let Some(told) = id(persons, row).and_then(|person| self.told.at(person, started.value(row))) {
                tasks.append_value(&self.known.catalogue.tasks[told.task as usize]);
                instances.append_value([&told.by.span.to_be_bytes()[..], &told.by.trace.to_be_bytes()].concat());
                delimiters.append_value("rule");
            } else {
                tasks.append_option(own);
                instances.append_null();
                delimiters.append_null();
            }
        }
        Ok((Arc::new(tasks.finish()), Arc::new(instances.finish()), Arc::new(delimiters.finish())))
    }

    fn root_task(&self, trace: &[u8]) -> Option<&str> {
        if self.roots.is_empty() {
            return None;
        }
        self.roots.get(&SpanKey::from_bytes(&[], trace).trace).map(AsRef::as_ref)
    }
}

/// Which spans are activities.
fn active(spans: &RecordBatch, activity_max_us: i64) -> Result<BooleanArray> {
    let (workers, kinds, triggers) = (binary(spans, "worker")?, text(spans, "kind")?, text(spans, "trigger")?);
    let (started, ended) = (integer(spans, "started_at")?, integer(spans, "ended_at")?);
    Ok((0..spans.num_rows())
        .map(|row| {
            let who = workers.is_valid(row) && kinds.is_valid(row) && word(&triggers, row) == Some("user");
            Some(who && ended.value(row) - started.value(row) <= activity_max_us)
        })
        .collect())
}

/// A column as plain values: what comes as a dictionary is cast.
fn column_as_it_is(batch: &RecordBatch, name: &str) -> Result<ArrayRef> {
    let data_type = match name {
        "worker" | "trace_id" | "span_id" => DataType::Binary,
        "keystrokes" => DataType::Int64,
        _ => DataType::Utf8,
    };
    column(batch, name, &data_type)
}

/// The case numbers of each span, as lists of plain binary values.
pub(super) fn case_refs(batch: &RecordBatch) -> Result<ListArray> {
    let item = match batch.column_by_name("case_refs").map(|array| array.data_type().clone()) {
        Some(DataType::List(item)) if item.data_type() == &DataType::Binary => item,
        _ => Arc::new(Field::new("element", DataType::Binary, true)),
    };
    Ok(column(batch, "case_refs", &DataType::List(item))?.as_list::<i32>().clone())
}
