//! OTLP bytes → plain spans. Pure: no clock, no store, nothing judged; what a span must be is the gate's business.
//!
//! Protocol types stop here. Both encodings become the same messages first ([`json`] reads JSON as the protocol's own
//! rules have it), so one conversion serves both, and what it does not carry over (events, links, status messages, log
//! bodies) is gone before anything else sees it.

mod json;
mod logs;
mod size;
#[cfg(test)]
mod tests;

use opentelemetry_proto::tonic::{
    collector::{logs::v1::ExportLogsServiceRequest, trace::v1::ExportTraceServiceRequest},
    common::v1::{AnyValue, KeyValue, any_value},
    trace::v1::{Span as OtlpSpan, status::StatusCode},
};
use prost::Message;

pub(crate) use size::measure;
pub use size::{ATTRIBUTES_MAX, ELEMENTS_MAX, SPANS_MAX};

/// An export, as the gate takes it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Decoded {
    /// What each resource sent.
    pub batches: Vec<Batch>,
    /// Log records that are no event of the conventions; they are not kept.
    pub other_logs: u64,
}

impl Decoded {
    /// Whether it is no more than one request may hold.
    ///
    /// # Errors
    /// `TooMany` if there are more than [`SPANS_MAX`] spans and log records, or more than [`ATTRIBUTES_MAX`] attributes of
    /// one.
    pub fn check(&self) -> Result<(), DecodeError> {
        let others = usize::try_from(self.other_logs).unwrap_or(usize::MAX);
        size::within("spans", self.spans().saturating_add(others), SPANS_MAX)?;
        let attributes = |batch: &Batch| {
            let of_spans = batch.spans.iter().map(|span| span.attributes.len()).max().unwrap_or(0);
            of_spans.max(batch.resource.len())
        };
        let most = self.batches.iter().map(attributes).max().unwrap_or(0);
        // A log record got one that says what it is.
        size::within("attributes of one span", most.saturating_sub(1), ATTRIBUTES_MAX)
    }

    /// How many spans there are, log records made spans included.
    #[must_use]
    pub fn spans(&self) -> usize {
        self.batches.iter().map(|batch| batch.spans.len()).sum()
    }
}

/// The spans of one resource.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch {
    /// Attributes of the resource.
    pub resource: Vec<Attribute>,
    /// Its spans.
    pub spans: Vec<Span>,
}

/// A span as sent: nothing checked, nothing hashed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Span {
    /// Should be 16 bytes.
    pub trace_id: Vec<u8>,
    /// Should be 8 bytes.
    pub span_id: Vec<u8>,
    /// Empty for a root.
    pub parent_span_id: Vec<u8>,
    /// The span's name.
    pub name: String,
    /// Start, Unix nanoseconds.
    pub started_at_ns: u64,
    /// End, Unix nanoseconds.
    pub ended_at_ns: u64,
    /// Whether its status is an error.
    pub failed: bool,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
}

/// A named value.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Value,
}

impl Attribute {
    /// An attribute whose value is text.
    pub fn text(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: Value::Text(value.into()) }
    }
}

/// The values that attributes of the conventions have.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A double.
    Double(f64),
    /// True or false.
    Boolean(bool),
    /// Several texts.
    Texts(Vec<String>),
    /// Anything else: bytes, maps, mixed arrays, nothing.
    Other,
}

/// How an export is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Protocol buffers.
    Protobuf,
    /// JSON as OTLP defines it.
    Json,
}

/// What is exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Spans.
    Traces,
    /// Log records.
    Logs,
}

/// The bytes are no export of that encoding.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Not protocol buffers.
    #[error("the body is not an OTLP protobuf message")]
    Protobuf(#[source] prost::DecodeError),
    /// Not protocol buffers, seen before decoding.
    #[error("the body is not an OTLP protobuf message")]
    Malformed,
    /// More than one request may hold.
    #[error("more than {most} {what} in one request")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many are taken.
        most: usize,
    },
    /// Not JSON, or not of the protocol's form. Only the place is told: serde's message may quote the input.
    #[error("the body is not OTLP JSON: {fault} at line {line}, column {column}")]
    Json {
        /// What kind of fault.
        fault: &'static str,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
}

/// Decodes an export.
///
/// # Errors
/// If the bytes are malformed; an id that is not hex makes JSON malformed.
pub fn decode(signal: Signal, encoding: Encoding, bytes: &[u8]) -> Result<Decoded, DecodeError> {
    match (signal, encoding) {
        (Signal::Traces, Encoding::Protobuf) => {
            ExportTraceServiceRequest::decode(bytes).map(traces).map_err(DecodeError::Protobuf)
        }
        (Signal::Logs, Encoding::Protobuf) => {
            ExportLogsServiceRequest::decode(bytes).map(logs::spans).map_err(DecodeError::Protobuf)
        }
        (Signal::Traces, Encoding::Json) => json::traces(bytes).map(traces),
        (Signal::Logs, Encoding::Json) => json::logs(bytes).map(logs::spans),
    }
}

/// The same from a message that is decoded already.
#[must_use]
pub fn traces(request: ExportTraceServiceRequest) -> Decoded {
    let batches = request
        .resource_spans
        .into_iter()
        .map(|of_resource| Batch {
            resource: attributes(of_resource.resource.map(|resource| resource.attributes).unwrap_or_default()),
            spans: of_resource.scope_spans.into_iter().flat_map(|scope| scope.spans).map(span).collect(),
        })
        .collect();
    Decoded { batches, other_logs: 0 }
}

fn span(sent: OtlpSpan) -> Span {
    Span {
        trace_id: sent.trace_id,
        span_id: sent.span_id,
        parent_span_id: sent.parent_span_id,
        name: sent.name,
        started_at_ns: sent.start_time_unix_nano,
        ended_at_ns: sent.end_time_unix_nano,
        failed: sent.status.is_some_and(|status| status.code == StatusCode::Error as i32),
        attributes: attributes(sent.attributes),
    }
}

fn attributes(sent: Vec<KeyValue>) -> Vec<Attribute> {
    sent.into_iter()
        .map(|pair| Attribute { name: pair.key, value: value(pair.value.and_then(|any| any.value)) })
        .collect()
}

fn value(sent: Option<any_value::Value>) -> Value {
    match sent {
        Some(any_value::Value::StringValue(text)) => Value::Text(text),
        Some(any_value::Value::IntValue(number)) => Value::Integer(number),
        Some(any_value::Value::DoubleValue(number)) => Value::Double(number),
        Some(any_value::Value::BoolValue(truth)) => Value::Boolean(truth),
        Some(any_value::Value::ArrayValue(array)) => texts(array.values).map_or(Value::Other, Value::Texts),
        _ => Value::Other,
    }
}

/// The items, if all of them are text.
fn texts(items: Vec<AnyValue>) -> Option<Vec<String>> {
    items
        .into_iter()
        .map(|item| match item.value {
            Some(any_value::Value::StringValue(text)) => Some(text),
            _ => None,
        })
        .collect()
}
