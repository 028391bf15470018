//! What the systems of the estate send: OTLP, as their SDKs would make it.
//!
//! Each session of each system sends what ended in it every half minute to a minute, with the sender's clock and the
//! time of receipt, so that an export can be replayed long after. Logins, case and record numbers go in clear, as real
//! systems send them: to hash them is the gate's business. Values go as digests, or as text by systems whose server
//! cannot hash.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;
use gilbreth_conventions::attribute as name;
use gilbreth_conventions::digest::{Digester, client_digests};
use gilbreth_conventions::kind::{Kind, Outcome, Trigger, ValueKind};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as AnyKind;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, status};
use prost::Message;
use rand::RngExt;

use crate::estate::{CaseNumber, Estate, FieldId, Holds, SystemId, ValuesSent};
use crate::interaction::{Interaction, Value};
use crate::random::{Purpose, keyed};
use crate::world::cases::CaseId;
use crate::world::people::Worker;

/// A session sends when it holds so many spans, however young they are.
const SPANS_MAX: usize = 256;

/// Turns interactions into what is sent.
pub(crate) struct Sender {
    estate: Arc<Estate>,
    workers: Arc<Vec<Worker>>,
    page: Digester,
}

/// One request of one session.
#[derive(Debug, Clone)]
pub struct Export {
    /// When it was received, in Unix microseconds.
    pub received_at: i64,
    /// The request.
    pub request: ExportTraceServiceRequest,
}

/// Several requests in one body.
#[derive(Debug, Clone)]
pub struct Body {
    /// How many spans it holds.
    pub spans: usize,
    /// An encoded `ExportTraceServiceRequest`.
    pub bytes: Vec<u8>,
}

/// The exports of a day in the order of their receipt, each made when it is asked for.
pub struct Exports<'a> {
    sender: &'a Sender,
    days: &'a [Vec<Interaction>],
    batches: std::vec::IntoIter<Batch>,
}

/// What one session sends at once.
struct Batch {
    received_at: i64,
    sent_at: i64,
    /// Place of the worker's day, then places of the interactions in it.
    day: usize,
    spans: Vec<u32>,
}

impl<'a> Exports<'a> {
    pub(crate) fn new(sender: &'a Sender, days: &'a [Vec<Interaction>], seed: u64, date: NaiveDate) -> Self {
        let mut batches = Vec::new();
        for (at, day) in days.iter().enumerate() {
            batch(&mut batches, at, day, seed, date);
        }
        batches.sort_by_key(|batch| (batch.received_at, batch.day, batch.spans[0]));
        Self { sender, days, batches: batches.into_iter() }
    }

    /// The same, several to a body of about so many bytes.
    pub fn bodies(self, bytes: usize) -> impl Iterator<Item = Body> {
        Bodies { exports: self, bytes }
    }
}

impl Iterator for Exports<'_> {
    type Item = Export;

    fn next(&mut self) -> Option<Export> {
        let batch = self.batches.next()?;
        let request = self.sender.request(&self.days[batch.day], &batch);
        Some(Export { received_at: batch.received_at, request })
    }
}

struct Bodies<'a> {
    exports: Exports<'a>,
    bytes: usize,
}

impl Iterator for Bodies<'_> {
    type Item = Body;

    fn next(&mut self) -> Option<Body> {
        let mut body = Body { spans: 0, bytes: Vec::with_capacity(self.bytes + self.bytes / 8) };
        for export in self.exports.by_ref() {
            body.spans += spans_of(&export.request);
            // The request has one repeated field and nothing else: encoded one after the other, requests are one request.
            export.request.encode(&mut body.bytes).expect("a vector takes what it is given");
            if body.bytes.len() >= self.bytes {
                break;
            }
        }
        (body.spans > 0).then_some(body)
    }
}

/// How many spans a request holds.
#[must_use]
pub fn spans_of(request: &ExportTraceServiceRequest) -> usize {
    request.resource_spans.iter().flat_map(|resource| &resource.scope_spans).map(|scope| scope.spans.len()).sum()
}

/// Splits a worker's day into what each session sends.
fn batch(batches: &mut Vec<Batch>, at: usize, day: &[Interaction], seed: u64, date: NaiveDate) {
    struct Pending {
        until: i64,
        last: i64,
        spans: Vec<u32>,
    }
    let Some(worker) = day.first().map(|span| span.worker) else { return };
    let day_number = u64::from(date.to_epoch_days().unsigned_abs());
    let mut rng = keyed(seed, Purpose::Export, worker as u64, day_number);
    let mut order: Vec<u32> = (0..u32::try_from(day.len()).expect("a day has few interactions")).collect();
    order.sort_by_key(|index| (day[*index as usize].ended_at, *index));
    let mut pending: BTreeMap<(SystemId, u64), Pending> = BTreeMap::new();
    let mut send = |pending: Pending, latency: (i64, i64)| {
        let sent_at = pending.last + latency.0;
        batches.push(Batch { received_at: sent_at + latency.1, sent_at, day: at, spans: pending.spans });
    };
    let mut latency = {
        let mut rng = rng.clone();
        move || (rng.random_range(200_000..1_500_000), rng.random_range(15_000..180_000))
    };
    for index in order {
        let span = &day[index as usize];
        let session = (span.system, span.session);
        let full =
            pending.get(&session).is_some_and(|held| span.ended_at > held.until || held.spans.len() >= SPANS_MAX);
        if full && let Some(held) = pending.remove(&session) {
            send(held, latency());
        }
        let held = pending.entry(session).or_insert_with(|| Pending {
            until: span.ended_at + rng.random_range(30_000_000..60_000_000),
            last: 0,
            spans: Vec::new(),
        });
        held.last = span.ended_at;
        held.spans.push(index);
    }
    for held in pending.into_values() {
        send(held, latency());
    }
}

impl Sender {
    pub(crate) fn new(estate: Arc<Estate>, workers: Arc<Vec<Worker>>, page_key: &[u8]) -> Self {
        Self { estate, workers, page: Digester::new(page_key) }
    }

    fn request(&self, day: &[Interaction], batch: &Batch) -> ExportTraceServiceRequest {
        let system = self.estate.system(day[batch.spans[0] as usize].system);
        let resource = Resource {
            attributes: vec![
                text(name::SERVICE_NAME, &system.name),
                text(name::SERVICE_VERSION, &system.release),
                text(name::ENVIRONMENT, name::ENVIRONMENT_SIMULATION),
                int(name::CLOCK_SENT, batch.sent_at * 1_000),
                int(name::CLOCK_RECEIVED, batch.received_at * 1_000),
            ],
            ..Resource::default()
        };
        let spans = batch.spans.iter().map(|index| self.span(&day[*index as usize])).collect();
        let scope = InstrumentationScope { name: "casework".to_owned(), ..InstrumentationScope::default() };
        let scope_spans = vec![ScopeSpans { scope: Some(scope), spans, schema_url: String::new() }];
        let resource_spans = vec![ResourceSpans { resource: Some(resource), scope_spans, schema_url: String::new() }];
        ExportTraceServiceRequest { resource_spans }
    }

    fn span(&self, of: &Interaction) -> Span {
        let status = (of.outcome == Outcome::Failed)
            .then(|| Status { message: String::new(), code: status::StatusCode::Error as i32 });
        Span {
            trace_id: of.trace.to_be_bytes().to_vec(),
            span_id: of.span.to_be_bytes().to_vec(),
            parent_span_id: of.parent.map_or_else(Vec::new, |parent| parent.to_be_bytes().to_vec()),
            name: of.kind.map_or("task", Kind::as_str).to_owned(),
            kind: if of.kind.is_some() { SpanKind::Client } else { SpanKind::Internal } as i32,
            start_time_unix_nano: nanos(of.started_at),
            end_time_unix_nano: nanos(of.ended_at),
            attributes: self.attributes(of),
            status,
            ..Span::default()
        }
    }

    fn attributes(&self, of: &Interaction) -> Vec<KeyValue> {
        let worker = &self.workers[of.worker];
        let mut list = Vec::with_capacity(20);
        list.push(text(name::WORKER[2], &worker.login));
        list.push(text(name::WORKER_ORGANISATION, &worker.organisation));
        list.push(text(name::WORKER_TEAM, &worker.team));
        list.push(text(name::WORKER_ROLE, &worker.role));
        if of.session != 0 {
            list.push(text(name::SESSION_ID, &format!("{:016x}", of.session)));
        }
        if let Some(kind) = of.kind {
            list.push(text(name::INTERACTION, kind.as_str()));
        }
        if of.trigger != Trigger::User {
            list.push(text(name::TRIGGER, of.trigger.as_str()));
        }
        if let Some(screen) = of.screen {
            let screen = self.estate.screen(screen);
            list.push(text(name::SCREEN[0], &screen.name));
            list.push(text(name::FUNCTION, &screen.function));
        }
        if let Some(field) = of.field {
            list.push(text(name::FIELD[0], &self.estate.field(field).name));
        }
        if let Some(case) = of.case {
            list.push(self.case_numbers(of.system, case));
        }
        if let Some(record) = of.record {
            list.push(text(name::RECORD_ID, &format!("{record:016x}")));
        }
        self.task(of, &mut list);
        if let Some(origin) = of.origin {
            list.push(text(name::INPUT_ORIGIN, origin.as_str()));
        }
        if let Some(keys) = of.keystrokes {
            list.push(int(name::INPUT_KEYSTROKES, i64::from(keys)));
        }
        if let Some(corrections) = of.corrections {
            list.push(int(name::INPUT_CORRECTIONS, i64::from(corrections)));
        }
        if let Some(begun) = of.continues {
            list.push(text(name::CONTINUES, &format!("{begun:016x}")));
        }
        if let Some(value) = &of.value {
            self.value(of.system, value, self.value_kind(of.field, value), &mut list);
        }
        if of.outcome != Outcome::Ok {
            list.push(text(name::OUTCOME, of.outcome.as_str()));
        }
        list
    }

    /// A task that the systems know is named on each span; another by the root of its trace alone.
    fn task(&self, of: &Interaction, list: &mut Vec<KeyValue>) {
        let Some(task) = of.task else { return };
        if task.known || of.kind.is_none() {
            list.push(text(name::TASK_NAME, &self.estate.task(task.task).name));
        }
        if task.known {
            list.push(text(name::TASK_ID, &format!("{:016x}", task.instance)));
        }
    }

    fn case_numbers(&self, system: SystemId, case: CaseId) -> KeyValue {
        let crn = format!("X{:06}", 100_000 + case.0);
        match self.estate.system(system).case_number {
            CaseNumber::Crn => text(name::CASE_ID, &crn),
            CaseNumber::CrnAndOwn => {
                let own = format!("{}{:07}", self.estate.system(system).name.to_uppercase(), case.0);
                strings(name::CASE_ID, vec![crn, own])
            }
        }
    }

    fn value_kind(&self, field: Option<FieldId>, value: &Value) -> ValueKind {
        let maker = match (value.edition, field.map(|field| &self.estate.field(field).holds)) {
            (Some(edition), _) => &self.estate.fact(edition.fact).maker,
            (None, Some(Holds::Value(maker))) => maker,
            (None, Some(Holds::Fact(fact))) => &self.estate.fact(*fact).maker,
            (None, None) => return ValueKind::Text,
        };
        maker.value_kind()
    }

    fn value(&self, system: SystemId, value: &Value, kind: ValueKind, list: &mut Vec<KeyValue>) {
        list.push(text(name::VALUE_KIND, kind.as_str()));
        match self.estate.system(system).values {
            ValuesSent::Text => list.push(text(name::VALUE_TEXT, &value.text)),
            ValuesSent::Digest => {
                let digests = client_digests(&self.page, &value.text, kind);
                if let Some(whole) = digests.whole {
                    list.push(text(name::VALUE_DIGEST, &whole));
                }
                if !digests.parts.is_empty() {
                    list.push(strings(name::VALUE_PARTS, digests.parts));
                }
            }
        }
    }
}

fn nanos(micros: i64) -> u64 {
    u64::try_from(micros).expect("a simulation is of our time") * 1_000
}

fn attribute(key: &str, value: AnyKind) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, AnyKind::StringValue(value.to_owned()))
}

fn int(key: &str, value: i64) -> KeyValue {
    attribute(key, AnyKind::IntValue(value))
}

fn strings(key: &str, values: Vec<String>) -> KeyValue {
    let values = values.into_iter().map(|value| AnyValue { value: Some(AnyKind::StringValue(value)) }).collect();
    attribute(key, AnyKind::ArrayValue(ArrayValue { values }))
}
