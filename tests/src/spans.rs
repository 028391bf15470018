//! Spans as a case system sends them, made with the OpenTelemetry types.

use gilbreth_conventions::attribute;
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, ArrayValue, KeyValue, any_value::Value},
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span},
};

/// One attribute with a text value.
pub fn text(key: &str, value: impl Into<String>) -> KeyValue {
    attribute_of(key, Value::StringValue(value.into()))
}

/// One attribute with a whole number.
pub fn number(key: &str, value: i64) -> KeyValue {
    attribute_of(key, Value::IntValue(value))
}

/// One attribute with several texts.
pub fn texts(key: &str, values: &[&str]) -> KeyValue {
    let values = values.iter().map(|value| AnyValue { value: Some(Value::StringValue((*value).to_owned())) }).collect();
    attribute_of(key, Value::ArrayValue(ArrayValue { values }))
}

fn attribute_of(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

/// An interaction: its ids follow from `id`, its times are Unix milliseconds.
pub fn interaction(id: u64, kind: &str, start_ms: i64, end_ms: i64, more: Vec<KeyValue>) -> Span {
    let mut attributes = vec![text(attribute::INTERACTION, kind)];
    attributes.extend(more);
    let nanos = |milliseconds: i64| u64::try_from(milliseconds * 1_000_000).expect("times after 1970");
    Span {
        trace_id: (u128::from(id) + (7 << 64)).to_be_bytes().to_vec(),
        span_id: (id + 1).to_be_bytes().to_vec(),
        name: kind.to_owned(),
        start_time_unix_nano: nanos(start_ms),
        end_time_unix_nano: nanos(end_ms),
        attributes,
        ..Span::default()
    }
}

/// A request of one system.
pub fn request(system: &str, spans: Vec<Span>) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource {
                attributes: vec![text(attribute::SERVICE_NAME, system), text(attribute::SERVICE_VERSION, "1.0.0")],
                ..Resource::default()
            }),
            scope_spans: vec![ScopeSpans { spans, ..ScopeSpans::default() }],
            ..ResourceSpans::default()
        }],
    }
}
