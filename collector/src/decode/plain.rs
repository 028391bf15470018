//! Spans as rows: how those who make spans in the program, and JSON, hand them over. Bytes of the protocol never take
//! this form.

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
    pub fn to_columns(&self) -> Result<Decoded, DecodeError> {
        let spans = self.batches.iter().map(|batch| batch.spans.len()).sum();
        let mut limits = Limits::default();
        for _ in 0..self.other_logs {
            limits.span()?;
        }
        let mut columns = Columns::with_capacity(spans);
        columns.other_logs = self.other_logs;
        for batch in &self.batches {
            limits.resource()?;
            columns.begin_resource();
            let mut attributes = 0;
            for attribute in &batch.resource {
                limits.resource()?;
                limits.attribute(&mut attributes)?;
                let mut texts = Vec::new();
                columns.of_resource(attribute.name.as_bytes(), attribute.value.read(&mut texts))?;
            }
            for span in &batch.spans {
                span.put(&mut columns, &mut limits)?;
            }
        }
        Ok(columns.finish())
    }
}

impl Span {
    fn put<'a>(&'a self, columns: &mut Columns<'a>, limits: &mut Limits) -> Result<(), DecodeError> {
        limits.span()?;
        let mut attributes = 0;
        for Attribute { name, value } in &self.attributes {
            limits.attribute(&mut attributes)?;
            columns.attribute(Slot::of(name), name.as_bytes(), value.read(&mut Vec::new()))?;
        }
        columns.span(&Head {
            trace_id: &self.trace_id,
            span_id: &self.span_id,
            parent_span_id: &self.parent_span_id,
            name: self.name.as_bytes(),
            started_at_ns: self.started_at_ns,
            ended_at_ns: self.ended_at_ns,
            failed: self.failed,
        })
    }
}

impl Value {
    fn read<'a, 'b>(&'a self, texts: &'b mut Vec<&'a [u8]>) -> Read<'a, 'b> {
        match self {
            Self::Text(text) => Read::Text(text.as_bytes()),
            Self::Integer(number) => Read::Integer(*number),
            Self::Double(number) => Read::Double(*number),
            Self::Boolean(truth) => Read::Boolean(*truth),
            Self::Texts(all) => {
                texts.extend(all.iter().map(String::as_bytes));
                Read::Texts(texts)
            }
            Self::Other => Read::Other,
        }
    }
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
