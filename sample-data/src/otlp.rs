//! What the systems of the estate send: OTLP, as their SDKs would make it.
//!
//! Each session of each system sends what ended in it every half minute to a minute, with the sender's clock and the
//! time of receipt, so that an export can be replayed long after. Logins, case and record numbers go in clear, as real
//! systems send them: to hash them is the gate's business. Values go as digests, or as text by systems whose server
//! cannot hash.

mod batch;

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

use crate::estate::{CaseNumber, Estate, FieldId, Holds, SystemId, ValuesSent};
use crate::faults::Faults;
use crate::interaction::{Interaction, Value};
use crate::options::Options;
use crate::world::cases::CaseId;
use crate::world::people::Worker;

use batch::Batch;

/// Turns interactions into what is sent.
pub(crate) struct Sender {
    estate: Arc<Estate>,
    workers: Arc<Vec<Worker>>,
    page: Digester,
    faults: Faults,
    options: Options,
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
    date: NaiveDate,
    batches: std::vec::IntoIter<Batch>,
}

impl<'a> Exports<'a> {
    pub(crate) fn new(sender: &'a Sender, days: &'a [Vec<Interaction>], seed: u64, date: NaiveDate) -> Self {
        let mut batches = Vec::new();
        for (at, day) in days.iter().enumerate() {
            batch::batch(&mut batches, at, day, &sender.faults, seed, date);
        }
        batches.sort_by_key(|batch| (batch.received_at, batch.day, batch.spans[0]));
        Self { sender, days, date, batches: batches.into_iter() }
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
        let request = self.sender.request(&self.days[batch.day], &batch, self.date);
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

impl Sender {
    pub(crate) fn new(estate: Arc<Estate>, workers: Arc<Vec<Worker>>, options: &Options) -> Self {
        let faults = Faults::of(options.scenario, options.seed);
        Self { estate, workers, page: Digester::new(&options.page_key), faults, options: options.clone() }
    }

    fn request(&self, day: &[Interaction], batch: &Batch, date: NaiveDate) -> ExportTraceServiceRequest {
        let first = &day[batch.spans[0] as usize];
        let system = self.estate.system(first.system);
        let planted =
            self.options.has_effects().then(|| self.estate.effects.release(first.system, date, &self.options));
        let release = planted.flatten().map_or(&system.release, |planted| &planted.name);
        let ahead = self.faults.ahead(first.session);
        let resource = Resource {
            attributes: vec![
                text(name::SERVICE_NAME, &system.name),
                text(name::SERVICE_VERSION, release),
                text(name::ENVIRONMENT, name::ENVIRONMENT_SIMULATION),
                int(name::CLOCK_SENT, (batch.sent_at + ahead) * 1_000),
                int(name::CLOCK_RECEIVED, batch.received_at * 1_000),
            ],
            ..Resource::default()
        };
        let spans = batch.spans.iter().map(|index| self.span(&day[*index as usize], ahead)).collect();
        let scope = InstrumentationScope { name: "casework".to_owned(), ..InstrumentationScope::default() };
        let scope_spans = vec![ScopeSpans { scope: Some(scope), spans, schema_url: String::new() }];
        let resource_spans = vec![ResourceSpans { resource: Some(resource), scope_spans, schema_url: String::new() }];
        ExportTraceServiceRequest { resource_spans }
    }

    /// A span by the clock of its session, which is `ahead` by so many microseconds.
    fn span(&self, of: &Interaction, ahead: i64) -> Span {
        let status = (of.outcome == Outcome::Failed)
            .then(|| Status { message: String::new(), code: status::StatusCode::Error as i32 });
        Span {
            trace_id: of.trace.to_be_bytes().to_vec(),
            span_id: of.span.to_be_bytes().to_vec(),
            parent_span_id: of.parent.map_or_else(Vec::new, |parent| parent.to_be_bytes().to_vec()),
            name: of.kind.map_or("task", Kind::as_str).to_owned(),
            kind: if of.kind.is_some() { SpanKind::Client } else { SpanKind::Internal } as i32,
            start_time_unix_nano: nanos(of.started_at + ahead),
            end_time_unix_nano: nanos(of.ended_at + ahead),
            attributes: self.attributes(of),
            status,
            ..Span::default()
        }
    }

    fn attributes(&self, of: &Interaction) -> Vec<KeyValue> {
        let worker = &self.workers[of.worker];
        let mut list = Vec::with_capacity(20);
        list.push(text(name::WORKER[2], &worker.login_in(&self.estate, of.system, self.options.logins_apart)));
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
            list.push(self.case_numbers(of, case));
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

    /// A task that the systems know is named on each span; another by the root of its trace at most.
    fn task(&self, of: &Interaction, list: &mut Vec<KeyValue>) {
        let Some(task) = of.task else { return };
        if task.known || (of.kind.is_none() && task.named) {
            list.push(text(name::TASK_NAME, &self.estate.task(task.task).name));
        }
        if task.known {
            list.push(text(name::TASK_ID, &format!("{:016x}", task.instance)));
        }
    }

    /// The numbers by which a screen names a case. Where numbers are kept apart, the national one is that of the first
    /// system, and the others show it only where a screen is opened: what links them.
    fn case_numbers(&self, of: &Interaction, case: CaseId) -> KeyValue {
        let system = self.estate.system(of.system);
        let crn = format!("X{:06}", 100_000 + case.0);
        let own = || format!("{}{:07}", system.name.to_uppercase(), case.0);
        let apart = self.faults.numbers_apart && of.system.index() > 0;
        match system.case_number {
            _ if apart && of.kind != Some(Kind::Navigation) => text(name::CASE_ID, &own()),
            CaseNumber::Crn if !apart => text(name::CASE_ID, &crn),
            CaseNumber::Crn | CaseNumber::CrnAndOwn => strings(name::CASE_ID, vec![crn, own()]),
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
