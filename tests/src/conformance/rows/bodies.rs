//! What the rows send.

use opentelemetry_proto::tonic::{
    collector::{logs::v1::ExportLogsServiceRequest, trace::v1::ExportTraceServiceRequest},
    common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList, any_value::Value},
    logs::v1::{LogRecord, ResourceLogs, ScopeLogs},
    trace::v1::Span,
};
use prost::Message as _;

use crate::spans;

/// Unix nanoseconds, now.
pub(super) fn now_ns() -> u64 {
    let elapsed = std::time::UNIX_EPOCH.elapsed().expect("the clock stands after 1970");
    u64::try_from(elapsed.as_nanos()).expect("and before 2554")
}

pub(super) fn span() -> Span {
    let now = i64::try_from(now_ns() / 1_000_000).expect("and before 2554");
    spans::interaction(now_ns(), "action", now - 5, now, Vec::new())
}

/// A request with these spans.
pub(super) fn traces(spans: Vec<Span>) -> Vec<u8> {
    spans::request("conformance", spans).encode_to_vec()
}

pub(super) fn one() -> Vec<u8> {
    traces(vec![span()])
}

/// Every shape of a value, by name.
pub(super) fn values() -> Vec<(&'static str, Option<AnyValue>)> {
    let of = |value| Some(AnyValue { value: Some(value) });
    let text = || AnyValue { value: Some(Value::StringValue("x".to_owned())) };
    let pair = KeyValue { key: "k".to_owned(), value: Some(text()), ..KeyValue::default() };
    let mixed = vec![text(), AnyValue { value: Some(Value::IntValue(1)) }, AnyValue::default()];
    let nested =
        ArrayValue { values: vec![AnyValue { value: Some(Value::ArrayValue(ArrayValue { values: mixed.clone() })) }] };
    vec![
        ("text", of(Value::StringValue("x".to_owned()))),
        ("empty text", of(Value::StringValue(String::new()))),
        ("true", of(Value::BoolValue(true))),
        ("least integer", of(Value::IntValue(i64::MIN))),
        ("double", of(Value::DoubleValue(0.5))),
        ("not a number", of(Value::DoubleValue(f64::NAN))),
        ("infinity", of(Value::DoubleValue(f64::INFINITY))),
        ("array of mixed values", of(Value::ArrayValue(ArrayValue { values: mixed }))),
        ("empty array", of(Value::ArrayValue(ArrayValue::default()))),
        ("array of arrays", of(Value::ArrayValue(nested))),
        ("map", of(Value::KvlistValue(KeyValueList { values: vec![pair] }))),
        ("empty map", of(Value::KvlistValue(KeyValueList::default()))),
        ("bytes", of(Value::BytesValue(vec![0, 255]))),
        ("empty value", Some(AnyValue::default())),
        ("no value", None),
    ]
}

/// A span with every shape of a value.
pub(super) fn all_values() -> Vec<u8> {
    let attributes =
        values().into_iter().map(|(key, value)| KeyValue { key: key.to_owned(), value, ..KeyValue::default() });
    traces(vec![Span { attributes: attributes.collect(), ..span() }])
}

/// A log record that is an event of the conventions.
pub(super) fn record() -> LogRecord {
    let Span { trace_id, span_id, .. } = span();
    LogRecord {
        event_name: "session.start".to_owned(),
        time_unix_nano: now_ns(),
        trace_id,
        span_id,
        ..LogRecord::default()
    }
}

pub(super) fn logs(log_records: Vec<LogRecord>) -> Vec<u8> {
    let scope_logs = vec![ScopeLogs { log_records, ..ScopeLogs::default() }];
    ExportLogsServiceRequest { resource_logs: vec![ResourceLogs { scope_logs, ..ResourceLogs::default() }] }
        .encode_to_vec()
}

/// A good request of exactly so many bytes: one span, and a field that nobody knows.
pub(super) fn of_length(bytes: usize) -> Vec<u8> {
    let mut body = one();
    // Field 1000, length-delimited: two bytes of key, and four of length for all that this is used for.
    let rest = bytes - body.len() - 2 - 4;
    assert!((1 << 21..1 << 28).contains(&rest), "its length takes four bytes");
    body.extend([0xc2, 0x3e]);
    prost::encoding::encode_varint(rest as u64, &mut body);
    body.resize(bytes, 0);
    body
}

/// So many empty spans, two bytes each.
pub(super) fn empty_spans(count: usize) -> Vec<u8> {
    let mut body = [0x12, 0].repeat(count);
    for key in [0x12, 0x0a] {
        let mut wrapped = vec![key];
        prost::encoding::encode_varint(body.len() as u64, &mut wrapped);
        wrapped.append(&mut body);
        body = wrapped;
    }
    body
}

/// A span that holds an array in an array in an array …
pub(super) fn nested(depth: usize) -> Vec<u8> {
    let mut value = AnyValue::default();
    for _ in 0..depth {
        value = AnyValue { value: Some(Value::ArrayValue(ArrayValue { values: vec![value] })) };
    }
    let attributes = vec![KeyValue { key: "k".to_owned(), value: Some(value), ..KeyValue::default() }];
    traces(vec![Span { attributes, ..span() }])
}

/// Nothing at all, and something without anything in it.
pub(super) fn empty_requests() -> Vec<(&'static str, Vec<u8>)> {
    let resource_spans = vec![spans::request("conformance", Vec::new()).resource_spans.remove(0)];
    vec![
        ("no bytes", Vec::new()),
        ("a resource without spans", ExportTraceServiceRequest { resource_spans }.encode_to_vec()),
        ("an empty resource", vec![0x0a, 0]),
    ]
}
