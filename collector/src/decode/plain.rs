//! Spans as rows: how those who make spans in the program, and JSON, hand them over. Bytes of the protocol never take
//! this form.

use arrow::buffer::Buffer;
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, KeyValue, any_value},
    trace::v1::{Span as OtlpSpan, status::StatusCode},
};

use super::{
    DecodeError,
    columns::{Columns, Decoded, Head, Read},
    limits::Limits,
    slot::Slot,
    wire::Place,
};

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

/// What a request holds, before it is in columns.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plain {
    /// What each resource sent.
    pub batches: Vec<Batch>,
    /// Log records that are no event of the conventions.
    pub other_logs: u64,
}

impl From<Vec<Batch>> for Plain {
    fn from(batches: Vec<Batch>) -> Self {
        Self { batches, other_logs: 0 }
    }
}

impl Plain {
    /// The same in columns.
    ///
    /// # Errors
    /// `TooMany` if it is more than one request may hold.
    pub fn into_columns(self) -> Result<Decoded, DecodeError> {
        let spans = self.batches.iter().map(|batch| batch.spans.len()).sum();
        let mut limits = Limits::default();
        for _ in 0..self.other_logs {
            limits.span()?;
        }
        let mut columns = Columns::with_capacity(spans);
        columns.other_logs = self.other_logs;
        let mut arena = Vec::new();
        for batch in self.batches {
            limits.resource()?;
            let mut attributes = 0;
            columns.begin_resource();
            for attribute in batch.resource {
                limits.resource()?;
                limits.attribute(&mut attributes)?;
                let mut places = Vec::new();
                let (name, value) = laid(attribute, &mut arena, &mut places);
                columns.of_resource(&arena, name, value)?;
            }
            for span in batch.spans {
                put(span, &mut columns, &mut arena, &mut limits)?;
            }
        }
        columns.finish(&Buffer::from_vec(arena))
    }
}

fn put(span: Span, columns: &mut Columns, arena: &mut Vec<u8>, limits: &mut Limits) -> Result<(), DecodeError> {
    limits.span()?;
    let mut attributes = 0;
    for attribute in span.attributes {
        limits.attribute(&mut attributes)?;
        let slot = Slot::of(&attribute.name);
        let mut places = Vec::new();
        let (name, value) = laid(attribute, arena, &mut places);
        columns.attribute(arena, slot, name, value)?;
    }
    let name = lay(arena, &span.name);
    let head = Head {
        trace_id: &span.trace_id,
        span_id: &span.span_id,
        parent_span_id: &span.parent_span_id,
        name,
        started_at_ns: span.started_at_ns,
        ended_at_ns: span.ended_at_ns,
        failed: span.failed,
    };
    columns.span(arena, &head)
}

/// Lays an attribute's texts down.
fn laid<'a>(attribute: Attribute, arena: &mut Vec<u8>, places: &'a mut Vec<Place>) -> (Place, Read<'a>) {
    let name = lay(arena, &attribute.name);
    let value = match attribute.value {
        Value::Text(text) => Read::Text(lay(arena, &text)),
        Value::Integer(number) => Read::Integer(number),
        Value::Double(number) => Read::Double(number),
        Value::Boolean(truth) => Read::Boolean(truth),
        Value::Texts(texts) => {
            places.extend(texts.iter().map(|text| lay(arena, text)));
            Read::Texts(places)
        }
        Value::Other => Read::Other,
    };
    (name, value)
}

/// Lays a text down where a body would have it.
fn lay(arena: &mut Vec<u8>, text: &str) -> Place {
    let number = |number| u32::try_from(number).expect("the texts of one request are far below 4 GiB");
    let place = Place { from: number(arena.len()), length: number(text.len()) };
    arena.extend_from_slice(text.as_bytes());
    place
}

/// A message of the protocol as rows.
#[must_use]
pub fn traces(request: ExportTraceServiceRequest) -> Plain {
    let batches = request.resource_spans.into_iter().map(|of_resource| Batch {
        resource: attributes(of_resource.resource.map(|resource| resource.attributes).unwrap_or_default()),
        spans: of_resource.scope_spans.into_iter().flat_map(|scope| scope.spans).map(span).collect(),
    });
    Plain { batches: batches.collect(), other_logs: 0 }
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

pub(super) fn attributes(sent: Vec<KeyValue>) -> Vec<Attribute> {
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
