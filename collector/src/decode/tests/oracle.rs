//! The pass against `prost`: on any bytes both refuse, or both read the same.

use opentelemetry_proto::tonic::{
    common::v1::{EntityRef, InstrumentationScope, KeyValueList},
    trace::v1::{Status, span},
};
use proptest::prelude::*;

use super::*;

/// What both make of a body; `None` if they refuse it.
fn check(signal: Signal, bytes: &[u8]) -> Option<Decoded> {
    let read = decode(signal, Encoding::Protobuf, bytes);
    let (expected, canonical) = match signal {
        Signal::Traces => {
            let message = ExportTraceServiceRequest::decode(bytes).ok();
            (message.clone().map(plain_traces), message.map(|message| message.encode_to_vec()))
        }
        Signal::Logs => {
            let message = ExportLogsServiceRequest::decode(bytes).ok();
            (message.clone().map(plain_logs), message.map(|message| message.encode_to_vec()))
        }
    };
    let Some(expected) = expected else {
        assert!(matches!(read, Err(DecodeError::Malformed)), "prost refuses what is read as {read:?}");
        return None;
    };
    let mut expected = expected.to_columns().unwrap();
    let mut read = read.expect("prost reads it");
    if signal == Signal::Logs && canonical.as_deref() != Some(bytes) {
        // The ids of a record are by its bytes, and these would not be written so by prost.
        for decoded in [&mut expected, &mut read] {
            decoded.span_id = decoded.parent_span_id.clone();
            decoded.trace_id = arrow::array::new_null_array(decoded.trace_id.data_type(), decoded.spans())
                .as_fixed_size_binary()
                .clone();
        }
    }
    assert_eq!(read, expected);
    Some(read)
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![".{0,6}", "[a-z ]{10,20}", Just(String::new())]
}

fn value() -> impl Strategy<Value = AnyValue> {
    use any_value::Value;
    let leaf = prop_oneof![
        4 => word().prop_map(|text| Some(Value::StringValue(text))),
        1 => any::<bool>().prop_map(|truth| Some(Value::BoolValue(truth))),
        2 => any::<i64>().prop_map(|number| Some(Value::IntValue(number))),
        // In eighths, which serde_json reads to the last digit; other bits come by spoiling.
        1 => any::<i32>().prop_map(|number| Some(Value::DoubleValue(f64::from(number) / 8.0))),
        1 => prop::collection::vec(any::<u8>(), 0..4).prop_map(|bytes| Some(Value::BytesValue(bytes))),
        1 => any::<i32>().prop_map(|number| Some(Value::StringValueStrindex(number))),
        1 => Just(None),
        1 => prop::collection::vec(word(), 0..4).prop_map(|texts| {
            let values = texts.into_iter().map(|text| AnyValue { value: Some(Value::StringValue(text)) }).collect();
            Some(Value::ArrayValue(ArrayValue { values }))
        }),
    ]
    .prop_map(|value| AnyValue { value });
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|values| AnyValue { value: Some(Value::ArrayValue(ArrayValue { values })) }),
            prop::collection::vec((word(), inner), 0..3).prop_map(|pairs| {
                let values = pairs
                    .into_iter()
                    .map(|(key, value)| KeyValue { key, value: Some(value), ..KeyValue::default() })
                    .collect();
                AnyValue { value: Some(Value::KvlistValue(KeyValueList { values })) }
            }),
        ]
    })
}

fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    let known = prop::sample::select(vec![
        attribute::INTERACTION,
        attribute::SESSION_ID,
        attribute::WORKER[0],
        attribute::WORKER[2],
        attribute::SCREEN[0],
        attribute::CASE_ID,
        attribute::VALUE_PARTS,
        attribute::INPUT_KEYSTROKES,
        "http.route",
    ]);
    let key = prop_oneof![4 => known.prop_map(str::to_owned), 1 => word()];
    let pair = (key, prop::option::weighted(0.9, value()), any::<i8>());
    let pair = pair.prop_map(|(key, value, number)| KeyValue { key, value, key_strindex: i32::from(number.min(0)) });
    prop::collection::vec(pair, 0..6)
}

fn scope() -> impl Strategy<Value = Option<InstrumentationScope>> {
    let scope = (word(), word(), attributes()).prop_map(|(name, version, attributes)| InstrumentationScope {
        name,
        version,
        attributes,
        dropped_attributes_count: 1,
    });
    prop::option::weighted(0.3, scope)
}

fn resource() -> impl Strategy<Value = Option<Resource>> {
    let entity = (word(), prop::collection::vec(word(), 0..3)).prop_map(|(id, keys)| EntityRef {
        r#type: id,
        id_keys: keys,
        ..EntityRef::default()
    });
    let resource = (attributes(), prop::collection::vec(entity, 0..2)).prop_map(|(attributes, entity_refs)| Resource {
        attributes,
        dropped_attributes_count: 3,
        entity_refs,
    });
    prop::option::weighted(0.8, resource)
}

fn id(length: usize) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![6 => prop::collection::vec(any::<u8>(), length), 1 => prop::collection::vec(any::<u8>(), 0..20)]
}

fn one() -> impl Strategy<Value = OtlpSpan> {
    let event = (word(), attributes()).prop_map(|(name, attributes)| span::Event {
        time_unix_nano: 9,
        name,
        attributes,
        dropped_attributes_count: 1,
    });
    let link = (id(16), attributes()).prop_map(|(trace_id, attributes)| span::Link {
        trace_id,
        attributes,
        flags: 7,
        ..span::Link::default()
    });
    let status = (word(), 0..4).prop_map(|(message, code)| Status { message, code });
    let head = (id(16), id(8), id(8), word(), any::<u64>(), any::<u64>(), any::<u32>());
    let rest =
        (attributes(), prop::collection::vec(event, 0..2), prop::collection::vec(link, 0..2), prop::option::of(status));
    (head, rest).prop_map(|((trace_id, span_id, parent_span_id, name, start, end, flags), rest)| {
        let (attributes, events, links, status) = rest;
        OtlpSpan {
            trace_id,
            span_id,
            parent_span_id,
            name,
            start_time_unix_nano: start,
            end_time_unix_nano: end,
            flags,
            attributes,
            events,
            links,
            status,
            ..OtlpSpan::default()
        }
    })
}

fn traces() -> impl Strategy<Value = Vec<u8>> {
    let scope_spans = (scope(), prop::collection::vec(one(), 0..4), word())
        .prop_map(|(scope, spans, schema_url)| ScopeSpans { scope, spans, schema_url });
    let resource_spans = (resource(), prop::collection::vec(scope_spans, 0..3), word());
    let resource_spans = resource_spans.prop_map(|(resource, scope_spans, schema_url)| ResourceSpans {
        resource,
        scope_spans,
        schema_url,
    });
    prop::collection::vec(resource_spans, 0..3)
        .prop_map(|resource_spans| ExportTraceServiceRequest { resource_spans }.encode_to_vec())
}

fn logs() -> impl Strategy<Value = Vec<u8>> {
    let event = prop_oneof![
        3 => prop::sample::select(vec!["app.widget.click", "browser.web_vital", "session.end"]).prop_map(str::to_owned),
        1 => word(),
    ];
    let record = (event, id(16), id(8), attributes(), prop::option::of(value()), any::<[u8; 2]>());
    let record = record.prop_map(|(event_name, trace_id, span_id, attributes, body, [time, observed])| LogRecord {
        event_name,
        trace_id,
        span_id,
        attributes,
        body,
        time_unix_nano: u64::from(time / 64),
        observed_time_unix_nano: u64::from(observed),
        severity_text: "info".to_owned(),
        ..LogRecord::default()
    });
    let scope_logs = (scope(), prop::collection::vec(record, 0..4)).prop_map(|(scope, log_records)| ScopeLogs {
        scope,
        log_records,
        ..ScopeLogs::default()
    });
    let resource_logs = (resource(), prop::collection::vec(scope_logs, 0..3))
        .prop_map(|(resource, scope_logs)| ResourceLogs { resource, scope_logs, ..ResourceLogs::default() });
    prop::collection::vec(resource_logs, 0..3)
        .prop_map(|resource_logs| ExportLogsServiceRequest { resource_logs }.encode_to_vec())
}

/// A change of the bytes.
#[derive(Debug, Clone)]
enum Change {
    Set(prop::sample::Index, u8),
    Insert(prop::sample::Index, Vec<u8>),
    Remove(prop::sample::Index),
    /// A piece that stands somewhere is there once more.
    Repeat(prop::sample::Index, prop::sample::Index, u8),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    use prop::sample::Index;
    // Bytes that mean something: keys of fields, short lengths, ends of numbers.
    let byte = prop_oneof![any::<u8>(), 0_u8..0x90];
    let change = prop_oneof![
        3 => (any::<Index>(), byte.clone()).prop_map(|(at, byte)| Change::Set(at, byte)),
        2 => (any::<Index>(), prop::collection::vec(byte, 1..4)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        1 => any::<Index>().prop_map(Change::Remove),
        2 => (any::<Index>(), any::<Index>(), 1_u8..30).prop_map(|(at, from, n)| Change::Repeat(at, from, n)),
    ];
    prop::collection::vec(change, 0..4)
}

fn changed(mut bytes: Vec<u8>, changes: Vec<Change>) -> Vec<u8> {
    for change in changes {
        let length = bytes.len();
        if length == 0 {
            return bytes;
        }
        match change {
            Change::Set(at, byte) => bytes[at.index(length)] = byte,
            Change::Insert(at, piece) => {
                let at = at.index(length);
                bytes.splice(at..at, piece);
            }
            Change::Remove(at) => drop(bytes.remove(at.index(length))),
            Change::Repeat(at, from, piece) => {
                let (at, from) = (at.index(length), from.index(length));
                let piece = bytes[from..(from + usize::from(piece)).min(length)].to_vec();
                bytes.splice(at..at, piece);
            }
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(
        std::env::var("GILBRETH_DECODE_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(400)
    ))]

    #[test]
    fn messages_are_read_as_prost_reads_them(traces in traces(), logs in logs()) {
        prop_assert!(check(Signal::Traces, &traces).is_some());
        prop_assert!(check(Signal::Logs, &logs).is_some());
    }

    #[test]
    fn spoilt_messages_are_refused_or_read_as_by_prost(
        (traces, logs) in (traces(), logs()),
        (in_traces, in_logs) in (changes(), changes()),
    ) {
        check(Signal::Traces, &changed(traces, in_traces));
        check(Signal::Logs, &changed(logs, in_logs));
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        for signal in [Signal::Traces, Signal::Logs] {
            check(signal, &bytes);
            let _ = decode(signal, Encoding::Json, &bytes);
        }
    }

    #[test]
    fn both_encodings_say_the_same(traces in traces()) {
        let request = ExportTraceServiceRequest::decode(traces.as_slice()).unwrap();
        // The types' own serialiser is the other implementation here; it writes some values that it cannot read back.
        let text = serde_json::to_vec(&request).unwrap();
        let binary = decode(Signal::Traces, Encoding::Protobuf, &traces).unwrap();
        prop_assert_eq!(decode(Signal::Traces, Encoding::Json, &text).unwrap(), binary);
    }
}
