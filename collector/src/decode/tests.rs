use std::collections::BTreeMap;

use arrow::array::{Array, ArrayAccessor, AsArray, StringArray};
use gilbreth_conventions::attribute;
use opentelemetry_proto::tonic::{
    collector::{logs::v1::ExportLogsServiceRequest, trace::v1::ExportTraceServiceRequest},
    common::v1::{AnyValue, ArrayValue, KeyValue, any_value},
    logs::v1::{LogRecord, ResourceLogs, ScopeLogs},
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span as OtlpSpan},
};
use prost::Message;

use super::*;

mod corpus;
mod oracle;

const TRACE: &[u8] = include_bytes!("../../tests-data/otlp/trace.json");
const LOGS: &[u8] = include_bytes!("../../tests-data/otlp/logs.json");
const EVENTS: &[u8] = include_bytes!("../../tests-data/otlp/events.json");

fn decode(signal: Signal, encoding: Encoding, bytes: &[u8]) -> Result<Decoded, DecodeError> {
    super::decode(signal, encoding, bytes)
}

fn json(text: &str) -> Decoded {
    decode(Signal::Traces, Encoding::Json, text.as_bytes()).unwrap()
}

fn one_span(fields: &str) -> String {
    format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{{fields}}}]}}]}}]}}"#)
}

/// The attributes of a row that have no column.
fn others(decoded: &Decoded, row: u32) -> BTreeMap<String, Value> {
    let of_row = decoded.others.iter().filter(|entry| entry.of == row);
    of_row.map(|entry| (decoded.name_of(entry).to_owned(), plain(decoded.value_of(entry)))).collect()
}

fn plain(value: EntryValue<'_>) -> Value {
    match value {
        EntryValue::Text(text) => Value::Text(text.to_owned()),
        EntryValue::Integer(number) => Value::Integer(number),
        EntryValue::Double(number) => Value::Double(number),
        EntryValue::Boolean(truth) => Value::Boolean(truth),
        EntryValue::Other => Value::Other,
    }
}

fn text_at(column: &Texts, row: usize) -> Option<String> {
    let texts = column.downcast_dict::<StringArray>().unwrap();
    column.is_valid(row).then(|| texts.value(row).to_owned())
}

fn text(decoded: &Decoded, of: Text, row: usize) -> Option<String> {
    decoded.text(of).and_then(|column| text_at(column, row))
}

fn list(decoded: &Decoded, of: List, row: usize) -> Option<Vec<String>> {
    let column = decoded.list(of)?;
    let range = column.value_offsets()[row] as usize..column.value_offsets()[row + 1] as usize;
    column.is_valid(row).then(|| range.map(|at| text_at(items_of(column), at).unwrap()).collect())
}

#[test]
fn the_protocols_own_example_of_a_trace_is_read() {
    let decoded = decode(Signal::Traces, Encoding::Json, TRACE).unwrap();
    let resource: Vec<_> =
        decoded.of_resources.iter().map(|entry| (entry.of, decoded.name_of(entry), decoded.value_of(entry))).collect();
    assert_eq!(resource, [(0, "service.name", EntryValue::Text("my.service"))]);
    assert!(decoded.trace_id.is_valid(0));
    assert_eq!(decoded.span_id.value(0), [0xee, 0xe1, 0x9b, 0x7e, 0xc3, 0xc1, 0xb1, 0x74]);
    assert_eq!(decoded.parent_span_id.value(0)[7], 0x73);
    assert_eq!(decoded.ended_at_ns.value(0) - decoded.started_at_ns.value(0), 1_000_000_000);
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
        decode(Signal::Logs, Encoding::Json, text.as_bytes()).unwrap()
    };
    let says = r#","attributes":[{"key":"casework.interaction","value":{"stringValue":"wait"}}]"#;
    for said in ["", says] {
        let click = record("app.widget.click", said);
        assert_eq!(text(&click, Text::Interaction, 0).as_deref(), Some("action"));
        assert_eq!(click.started_at_ns.value(0), 5);
        assert!(click.trace_id.is_valid(0) && click.span_id.is_valid(0));
        assert_eq!(click, record("app.widget.click", said));
        assert_ne!(click.span_id, record("app.screen.click", said).span_id);
    }
    let ids = r#","spanId":"00000000000000aa","traceId":"000000000000000000000000000000bb""#;
    let vital = record("browser.web_vital", &format!("{ids}{says}"));
    assert_eq!(text(&vital, Text::Interaction, 0), None);
    assert_eq!((vital.parent_span_id.value(0)[7], vital.trace_id.value(0)[15]), (0xaa, 0xbb));
    assert_ne!(vital.span_id, vital.parent_span_id);
}

#[test]
fn a_record_has_the_same_ids_in_both_encodings() {
    let record = LogRecord {
        event_name: "session.start".to_owned(),
        time_unix_nano: 7,
        body: Some(AnyValue { value: Some(any_value::Value::StringValue("b".to_owned())) }),
        ..LogRecord::default()
    };
    let scope_logs = vec![ScopeLogs { log_records: vec![record], ..ScopeLogs::default() }];
    let request =
        ExportLogsServiceRequest { resource_logs: vec![ResourceLogs { scope_logs, ..ResourceLogs::default() }] };
    let binary = decode(Signal::Logs, Encoding::Protobuf, &request.encode_to_vec()).unwrap();
    let text = decode(Signal::Logs, Encoding::Json, &serde_json::to_vec(&request).unwrap()).unwrap();
    assert_eq!(binary.spans(), 1);
    assert_eq!(binary, text);
}

#[test]
fn json_follows_the_rules_of_the_protocol() {
    let upper = json(&one_span(r#""spanId":"ABCDEF0123456789","startTimeUnixNano":7,"endTimeUnixNano":"8""#));
    let lower = json(&one_span(r#""spanId":"abcdef0123456789","startTimeUnixNano":"7","endTimeUnixNano":8"#));
    assert_eq!(upper, lower);
    assert_eq!(upper.ended_at_ns.value(0), 8);
    assert!(json(&one_span(r#""status":{"code":2,"message":"x"}"#)).failed.value(0));
    assert!(!json(&one_span(r#""status":{},"flags":256,"unknown":{"a":[1]}"#)).failed.value(0));
    assert_eq!(json(&one_span(r#""traceId":null,"name":null,"attributes":null,"status":null"#)), json(&one_span("")));
    assert_eq!(json("{}").spans(), 0);
    // A number of nanoseconds that a double cannot hold keeps its last digit.
    let exact = json(&one_span(r#""startTimeUnixNano":1544712660300000001"#));
    assert_eq!(exact.started_at_ns.value(0), 1_544_712_660_300_000_001);
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
        (r#"{"arrayValue":{"values":[{"stringValue":"a"},{"stringValue":"b"}]}}"#, Value::Other),
        (r#"{"arrayValue":{}}"#, Value::Other),
        (r#"{"kvlistValue":{"values":[{"key":"k"}]}}"#, Value::Other),
        (r#"{"kvlistValue":{}}"#, Value::Other),
        (r#"{"bytesValue":"aGk="}"#, Value::Other),
        (r#"{"bytesValue":"-_8"}"#, Value::Other),
        (r"{}", Value::Other),
        ("null", Value::Other),
        (r#"{"futureValue":{"x":1}}"#, Value::Other),
    ] {
        let decoded = json(&one_span(&format!(r#""attributes":[{{"key":"a","value":{any}}}]"#)));
        assert_eq!(others(&decoded, 0), [("a".to_owned(), expected)].into(), "{any}");
    }
}

fn pair(key: &str, value: any_value::Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

fn of_text(text: &str) -> any_value::Value {
    any_value::Value::StringValue(text.to_owned())
}

fn of_texts(texts: &[&str]) -> any_value::Value {
    let values = texts.iter().map(|text| AnyValue { value: Some(of_text(text)) }).collect();
    any_value::Value::ArrayValue(ArrayValue { values })
}

fn request(spans: Vec<OtlpSpan>) -> ExportTraceServiceRequest {
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    let resource = Some(Resource { attributes: vec![pair("service.name", of_text("s"))], ..Resource::default() });
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans { resource, scope_spans, ..ResourceSpans::default() }],
    }
}

#[test]
fn each_attribute_goes_to_its_column_and_the_first_of_a_repeated_one_stays() {
    let long = "a name of more than twelve bytes";
    let spans = vec![
        OtlpSpan::default(),
        OtlpSpan {
            name: long.to_owned(),
            attributes: vec![
                pair(attribute::SCREEN[1], of_text(long)),
                pair(attribute::SCREEN[1], of_text("later")),
                pair(attribute::CASE_ID, of_texts(&["a", long])),
                pair(attribute::CASE_ID, of_text("later")),
                pair(attribute::INPUT_KEYSTROKES, any_value::Value::IntValue(3)),
                pair(attribute::INPUT_CORRECTIONS, of_text("none")),
            ],
            ..OtlpSpan::default()
        },
        OtlpSpan {
            attributes: vec![pair(attribute::CASE_ID, of_text("one")), pair(attribute::VALUE_PARTS, of_text("one"))],
            ..OtlpSpan::default()
        },
    ];
    let decoded = decode(Signal::Traces, Encoding::Protobuf, &request(spans).encode_to_vec()).unwrap();
    assert_eq!(text_at(&decoded.name, 1).as_deref(), Some(long));
    let column = |of| (0..3).map(|row| text(&decoded, of, row)).collect::<Vec<_>>();
    assert_eq!(column(Text::Screen1), [None, Some(long.to_owned()), None]);
    let cases: Vec<_> = (0..3).map(|row| list(&decoded, List::Cases, row)).collect();
    assert_eq!(cases, [None, Some(vec!["a".to_owned(), long.to_owned()]), Some(vec!["one".to_owned()])]);
    let keystrokes = decoded.integer(Integer::Keystrokes).unwrap();
    assert_eq!(keystrokes.iter().collect::<Vec<_>>(), [None, Some(3), None]);
    assert!(decoded.text(Text::Session).is_none() && decoded.list(List::Parts).is_none());
    assert_eq!(others(&decoded, 1), [(attribute::INPUT_CORRECTIONS.to_owned(), Value::Text("none".into()))].into());
    assert_eq!(others(&decoded, 2), [(attribute::VALUE_PARTS.to_owned(), Value::Text("one".into()))].into());
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

fn refusal(encoding: Encoding, bytes: &[u8]) -> Result<(), String> {
    decode(Signal::Traces, encoding, bytes).map(drop).map_err(|error| error.to_string())
}

#[test]
fn too_much_is_refused_whatever_the_encoding() {
    let protobuf = |spans, attributes| {
        let span = OtlpSpan { attributes: vec![KeyValue::default(); attributes], ..OtlpSpan::default() };
        refusal(Encoding::Protobuf, &request(vec![span; spans]).encode_to_vec())
    };
    assert_eq!(protobuf(SPANS_MAX, 0), Ok(()));
    assert_eq!(protobuf(SPANS_MAX + 1, 0), Err("more than 65536 spans in one request".to_owned()));
    assert_eq!(protobuf(1, ATTRIBUTES_MAX), Ok(()));
    let attributes = "more than 1024 attributes of one span in one request".to_owned();
    assert_eq!(protobuf(1, ATTRIBUTES_MAX + 1), Err(attributes));
    // Two bytes each: the emptiest of values, in one array.
    let values = vec![AnyValue::default(); ELEMENTS_MAX];
    let array = pair("k", any_value::Value::ArrayValue(ArrayValue { values }));
    let sent = request(vec![OtlpSpan { attributes: vec![array], ..OtlpSpan::default() }]);
    let parts = Err("more than 2097152 attributes and other parts in one request".to_owned());
    assert_eq!(refusal(Encoding::Protobuf, &sent.encode_to_vec()), parts);
    let resource_spans = vec![ResourceSpans::default(); RESOURCES_MAX + 1];
    let resources = Err("more than 65536 resources and their attributes in one request".to_owned());
    let sent = ExportTraceServiceRequest { resource_spans };
    assert_eq!(refusal(Encoding::Protobuf, &sent.encode_to_vec()), resources);

    let json = |spans: &str| {
        let text = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{spans}]}}]}}]}}"#);
        refusal(Encoding::Json, text.as_bytes())
    };
    assert_eq!(json("{},".repeat(SPANS_MAX).trim_end_matches(',')), Ok(()));
    for (many, empty) in [(SPANS_MAX + 1, "{},"), (2 * SPANS_MAX + 1, "[],")] {
        assert!(json(empty.repeat(many).trim_end_matches(',')).unwrap_err().contains("spans"));
    }
    for many in [ATTRIBUTES_MAX + 1, 2 * ATTRIBUTES_MAX + 1] {
        let refused = json(&format!(r#"{{"attributes":[{}]}}"#, vec!["{}"; many].join(",")));
        assert!(refused.unwrap_err().contains("attributes of one span"));
    }
}

#[test]
fn a_body_is_measured_before_it_is_decoded() {
    let memory = |encoding, bytes: &[u8]| measure(Signal::Traces, encoding, bytes).map(Size::memory);
    // Two bytes a span: most of what it takes is in the columns, whether they are counted or only could be there.
    for spans in [300, SPANS_MAX] {
        let sent = request(vec![OtlpSpan::default(); spans]).encode_to_vec();
        assert!(memory(Encoding::Protobuf, &sent).unwrap() > spans * 640);
    }
    let attributes = vec![pair("k", of_text(&"v".repeat(10_000))); 200];
    let large = request(vec![OtlpSpan { attributes, ..OtlpSpan::default() }]).encode_to_vec();
    assert!(memory(Encoding::Protobuf, &large).unwrap() < 20 * large.len(), "one span is counted as one");
    let json = br#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"a{[\"{"},{"attributes":[{"value":{}}]}]}]}]}"#;
    let objects = 11 * 160 + 2 * 640;
    assert_eq!(memory(Encoding::Json, json).unwrap(), objects + 18 * json.len());
    let mut many = vec![0x0a; 3 * (1 << 20)];
    many[1..4].copy_from_slice(&[0xff, 0xff, 0x7f]);
    assert!(memory(Encoding::Protobuf, &many).is_err(), "malformed on the face of it");
}

#[test]
fn what_is_cut_short_or_nested_without_end_is_malformed() {
    let attributes = vec![pair("k", of_text("v")); 2];
    let whole = request(vec![OtlpSpan { attributes, ..OtlpSpan::default() }; 2]).encode_to_vec();
    let malformed = Err(DecodeError::Malformed.to_string());
    for length in [1, whole.len() / 2, whole.len() - 1] {
        assert_eq!(refusal(Encoding::Protobuf, &whole[..length]), malformed, "{length}");
    }
    let nested = |depth| {
        let mut value = AnyValue::default();
        for _ in 0..depth {
            value = AnyValue { value: Some(any_value::Value::ArrayValue(ArrayValue { values: vec![value] })) };
        }
        let sent = request(vec![OtlpSpan {
            attributes: vec![KeyValue { value: Some(value), ..KeyValue::default() }],
            ..OtlpSpan::default()
        }]);
        sent.encode_to_vec()
    };
    // Five messages down to the attribute's value, then two for each array in an array.
    for depth in [46, 47, 48, 49] {
        let is_read = ExportTraceServiceRequest::decode(nested(depth).as_slice()).is_ok();
        assert_eq!(refusal(Encoding::Protobuf, &nested(depth)).is_ok(), is_read, "{depth}");
        assert_eq!(is_read, depth < 48, "{depth}");
    }
}
