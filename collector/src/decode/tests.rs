use proptest::prelude::*;

use super::*;

const TRACE: &[u8] = include_bytes!("../../tests-data/otlp/trace.json");
const LOGS: &[u8] = include_bytes!("../../tests-data/otlp/logs.json");
const EVENTS: &[u8] = include_bytes!("../../tests-data/otlp/events.json");

fn json(text: &str) -> Decoded {
    decode(Signal::Traces, Encoding::Json, text.as_bytes()).unwrap()
}

fn one_span(fields: &str) -> String {
    format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{{fields}}}]}}]}}]}}"#)
}

fn attribute_value(any: &str) -> Value {
    let text = one_span(&format!(r#""attributes":[{{"key":"a","value":{any}}}]"#));
    json(&text).batches[0].spans[0].attributes[0].value.clone()
}

#[test]
fn the_protocols_own_example_of_a_trace_is_read() {
    let decoded = decode(Signal::Traces, Encoding::Json, TRACE).unwrap();
    let span = &decoded.batches[0].spans[0];
    assert_eq!(decoded.batches[0].resource, [Attribute::text("service.name", "my.service")]);
    assert_eq!(span.trace_id.len(), 16);
    assert_eq!(span.span_id, [0xee, 0xe1, 0x9b, 0x7e, 0xc3, 0xc1, 0xb1, 0x74]);
    assert_eq!(span.parent_span_id[7], 0x73);
    assert_eq!(span.ended_at_ns - span.started_at_ns, 1_000_000_000);
}

#[test]
fn ordinary_log_records_are_counted_and_not_kept() {
    for sample in [LOGS, EVENTS] {
        let decoded = decode(Signal::Logs, Encoding::Json, sample).unwrap();
        assert_eq!((decoded.spans(), decoded.other_logs), (0, 1));
    }
}

#[test]
fn events_of_the_conventions_become_spans_with_an_id_of_their_own() {
    let record = |event: &str, ids: &str| {
        let text = format!(
            r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{"eventName":"{event}","timeUnixNano":"5"{ids}}}]}}]}}]}}"#
        );
        decode(Signal::Logs, Encoding::Json, text.as_bytes()).unwrap().batches.remove(0).spans.remove(0)
    };
    let click = record("app.widget.click", "");
    assert_eq!(click.attributes, [Attribute::text("casework.interaction", "action")]);
    assert_eq!((click.trace_id.len(), click.span_id.len(), click.started_at_ns), (16, 8, 5));
    assert_eq!(click, record("app.widget.click", ""));
    assert_ne!(click.span_id, record("app.screen.click", "").span_id);
    let vital =
        record("browser.web_vital", r#","spanId":"00000000000000aa","traceId":"000000000000000000000000000000bb""#);
    assert!(vital.attributes.is_empty());
    assert_eq!((vital.parent_span_id[7], vital.trace_id[15]), (0xaa, 0xbb));
    assert_ne!(vital.span_id, vital.parent_span_id);
}

#[test]
fn json_follows_the_rules_of_the_protocol() {
    let upper = json(&one_span(r#""spanId":"ABCDEF0123456789","startTimeUnixNano":7,"endTimeUnixNano":"8""#));
    let lower = json(&one_span(r#""spanId":"abcdef0123456789","startTimeUnixNano":"7","endTimeUnixNano":8"#));
    assert_eq!(upper, lower);
    assert_eq!(upper.batches[0].spans[0].ended_at_ns, 8);
    assert!(json(&one_span(r#""status":{"code":2,"message":"x"}"#)).batches[0].spans[0].failed);
    assert!(!json(&one_span(r#""status":{},"flags":256,"unknown":{"a":[1]}"#)).batches[0].spans[0].failed);
    assert_eq!(json(&one_span(r#""traceId":null,"name":null,"attributes":null,"status":null"#)), json(&one_span("")));
    assert_eq!(json("{}"), Decoded::default());
    // A number of nanoseconds that a double cannot hold keeps its last digit.
    let exact = json(&one_span(r#""startTimeUnixNano":1544712660300000001"#));
    assert_eq!(exact.batches[0].spans[0].started_at_ns, 1_544_712_660_300_000_001);
}

#[test]
fn every_shape_of_a_value_is_taken() {
    for (any, expected) in [
        (r#"{"stringValue":"x"}"#, Value::Text("x".into())),
        (r#"{"stringValue":""}"#, Value::Text(String::new())),
        (r#"{"intValue":"-5"}"#, Value::Integer(-5)),
        (r#"{"intValue":5}"#, Value::Integer(5)),
        (r#"{"doubleValue":1.5}"#, Value::Double(1.5)),
        (r#"{"doubleValue":2}"#, Value::Double(2.0)),
        (r#"{"doubleValue":"Infinity"}"#, Value::Double(f64::INFINITY)),
        (r#"{"boolValue":true}"#, Value::Boolean(true)),
        (
            r#"{"arrayValue":{"values":[{"stringValue":"a"},{"stringValue":"b"}]}}"#,
            Value::Texts(vec!["a".into(), "b".into()]),
        ),
        (r#"{"arrayValue":{"values":[{"stringValue":"a"},{"intValue":1}]}}"#, Value::Other),
        (r#"{"arrayValue":{}}"#, Value::Texts(vec![])),
        (r#"{"kvlistValue":{"values":[{"key":"k"}]}}"#, Value::Other),
        (r#"{"kvlistValue":{}}"#, Value::Other),
        (r#"{"bytesValue":"aGk="}"#, Value::Other),
        (r#"{"bytesValue":"-_8"}"#, Value::Other),
        (r"{}", Value::Other),
        ("null", Value::Other),
        (r#"{"futureValue":{"x":1}}"#, Value::Other),
    ] {
        assert_eq!(attribute_value(any), expected, "{any}");
    }
}

#[test]
fn malformed_bodies_are_errors_that_do_not_quote_them() {
    for text in [
        "",
        "{",
        "[]",
        "secret",
        r#"{"resourceSpans":"secret"}"#,
        &one_span(r#""traceId":"secret""#),
        &one_span(r#""traceId":"0x5b8efff798038103""#),
        &one_span(r#""spanId":"abc""#),
        &one_span(r#""startTimeUnixNano":"secret""#),
        &one_span(r#""attributes":[{"key":"a","value":{"bytesValue":"***"}}]"#),
        &one_span(r#""status":{"code":"STATUS_CODE_ERROR"}"#),
    ] {
        let error = decode(Signal::Traces, Encoding::Json, text.as_bytes()).unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    assert!(decode(Signal::Traces, Encoding::Protobuf, b"\xff\xff\xff").is_err());
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        for signal in [Signal::Traces, Signal::Logs] {
            let _ = decode(signal, Encoding::Protobuf, &bytes);
            let _ = decode(signal, Encoding::Json, &bytes);
        }
    }

    #[test]
    fn both_encodings_say_the_same(
        trace in any::<[u8; 16]>(), id in any::<[u8; 8]>(), name in ".{0,20}", start in any::<u64>(), number in any::<i64>(), text in ".{0,20}",
    ) {
        let attribute = |key: &str, value| KeyValue { key: key.into(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() };
        let sent = OtlpSpan {
            trace_id: trace.to_vec(),
            span_id: id.to_vec(),
            name: name.clone(),
            start_time_unix_nano: start,
            end_time_unix_nano: start,
            attributes: vec![
                attribute("n", any_value::Value::IntValue(number)),
                attribute("t", any_value::Value::StringValue(text.clone())),
            ],
            ..OtlpSpan::default()
        };
        let request = ExportTraceServiceRequest {
            resource_spans: vec![opentelemetry_proto::tonic::trace::v1::ResourceSpans {
                scope_spans: vec![opentelemetry_proto::tonic::trace::v1::ScopeSpans { spans: vec![sent], ..Default::default() }],
                ..Default::default()
            }],
        };
        let binary = decode(Signal::Traces, Encoding::Protobuf, &request.encode_to_vec()).unwrap();
        // The types' own serialiser is the other implementation here.
        let text = serde_json::to_vec(&request).unwrap();
        prop_assert_eq!(decode(Signal::Traces, Encoding::Json, &text).unwrap(), binary);
    }
}
