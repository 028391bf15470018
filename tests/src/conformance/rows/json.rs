//! JSON over HTTP: what OTLP's own form of it asks for beyond that of protocol buffers.

use super::{bodies::now_ns, *};

/// A good span; `NOW` stands for the time.
pub(super) const SPAN: &str = r#"{"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"EEE19B7EC3C1B174","name":"x","startTimeUnixNano":"NOW","endTimeUnixNano":"NOW"}"#;

pub(super) fn rows() -> Vec<Row> {
    let mut rows = vec![
        json("JSON", SPAN),
        row("JSON, gzip", TRACES, String::new())
            .http(|request| request.body = gzip(body(SPAN).as_bytes()))
            .with("content-encoding", "gzip"),
        row("JSON, zstd", TRACES, String::new())
            .http(|request| request.body = zstd(body(SPAN).as_bytes()))
            .with("content-encoding", "zstd")
            .of(Scope::Ours),
        row("a content type with a charset", TRACES, body(SPAN))
            .http(|request| request.headers[0].1 = "application/json; charset=utf-8".to_owned()),
        row("no spans", TRACES, r#"{"resourceSpans":[]}"#.to_owned()),
        row("an empty object", TRACES, "{}".to_owned()),
        row("an empty resource", TRACES, r#"{"resourceSpans":[{}]}"#.to_owned()),
        row("no log records", LOGS, r#"{"resourceLogs":[]}"#.to_owned()),
        row("a log record", LOGS, log(r#""eventName":"session.start""#)),
        row(
            "a log record with a body of every kind",
            LOGS,
            log(
                r#""eventName":"session.end","body":{"kvlistValue":{"values":[{"key":"k","value":{"arrayValue":{"values":[{},{"bytesValue":"AA=="}]}}}]}}"#,
            ),
        ),
        row(
            "unknown fields everywhere",
            TRACES,
            format!(
                r#"{{"later":1,"resourceSpans":[{{"later":{{}},"resource":{{"later":[]}},"scopeSpans":[{{"later":null,"spans":[{}]}}]}}]}}"#,
                span(r#""later":{"deep":[1,2]},"flags":257,"#).replace("NOW", &now_ns().to_string())
            ),
        ),
        // Read as what they are not, these would be malformed.
        row(
            "names with underscores are unknown",
            TRACES,
            r#"{"resource_spans":[{"scope_spans":[{"spans":[{"trace_id":"no hex"}]}]}]}"#.to_owned(),
        ),
        row(
            "names of log records with underscores are unknown",
            LOGS,
            r#"{"resource_logs":[{"scope_logs":7}]}"#.to_owned(),
        ),
        json("enums are numbers", &span(r#""kind":3,"status":{"code":1},"#)),
        json(
            "events and links",
            &span(
                r#""events":[{"timeUnixNano":"1","name":"e","attributes":[{"key":"k","value":{}}]}],"links":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174"}],"#,
            ),
        ),
        json("null for what is absent", &span(r#""attributes":null,"parentSpanId":null,"status":null,"#)),
    ];
    rows.extend(ids_and_numbers());
    rows.extend(values());
    rows.extend(refused());
    rows
}

fn ids_and_numbers() -> Vec<Row> {
    let ids = |trace: &str, span: &str| {
        SPAN.replace("5B8EFFF798038103D269B633813FC60C", trace).replace("EEE19B7EC3C1B174", span)
    };
    let number = |text: &str| SPAN.replace("\"NOW\"", text);
    vec![
        json("ids in small letters", &ids("5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174")),
        json("ids in both", &ids("5B8efff798038103d269b633813fC60c", "eeE19b7ec3c1b17F")),
        json("times as numbers", &number("NOW")),
        json("a parent", &span(r#""parentSpanId":"EEE19B7EC3C1B173","#)),
        json("no parent", &span(r#""parentSpanId":"","#)),
        json("a trace id of 15 bytes", &ids("5B8EFFF798038103D269B633813FC6", "EEE19B7EC3C1B174"))
            .gives(200, Content::Partial(1))
            .of(Scope::Ours),
        json("a span id of zeros", &ids("5B8EFFF798038103D269B633813FC60C", "0000000000000000"))
            .gives(200, Content::Partial(1))
            .of(Scope::Ours),
        json("ids by names with underscores are no ids", &SPAN.replace("traceId", "trace_id"))
            .gives(200, Content::Partial(1))
            .of(Scope::Ours),
        row("a log record that is no event", LOGS, log(r#""eventName":"x""#))
            .gives(200, Content::Partial(1))
            .of(Scope::Ours),
        json("a trace id that is no hex", &ids("5B8EFFF798038103D269B633813FC60G", "EEE19B7EC3C1B174"))
            .gives(400, Content::Status(3)),
        json("a trace id in base64", &ids("W47/95gDgQPSabYzgT/GDA==", "EEE19B7EC3C1B174"))
            .gives(400, Content::Status(3)),
        json("an id of half a byte", &ids("5B8EFFF798038103D269B633813FC60C", "EEE19B7EC3C1B17"))
            .gives(400, Content::Status(3)),
        json("a time that is no number", &number("\"noon\"")).gives(400, Content::Status(3)),
    ]
}

fn values() -> Vec<Row> {
    [
        ("text", r#"{"stringValue":"x"}"#),
        ("empty text", r#"{"stringValue":""}"#),
        ("escapes", r#"{"stringValue":"\u00e9\ud83d\ude00\n\"\\"}"#),
        ("false", r#"{"boolValue":false}"#),
        ("integer as text", r#"{"intValue":"-9223372036854775808"}"#),
        ("integer as number", r#"{"intValue":9223372036854775807}"#),
        ("double", r#"{"doubleValue":-1.5e-3}"#),
        ("double as a whole number", r#"{"doubleValue":3}"#),
        ("not a number", r#"{"doubleValue":"NaN"}"#),
        ("infinity", r#"{"doubleValue":"-Infinity"}"#),
        ("array", r#"{"arrayValue":{"values":[{"stringValue":"x"},{"intValue":1},{}]}}"#),
        ("empty array", r#"{"arrayValue":{}}"#),
        ("array of no values", r#"{"arrayValue":{"values":[]}}"#),
        ("array of arrays", r#"{"arrayValue":{"values":[{"arrayValue":{"values":[{"boolValue":true}]}}]}}"#),
        ("map", r#"{"kvlistValue":{"values":[{"key":"k","value":{"stringValue":"x"}}]}}"#),
        ("empty map", r#"{"kvlistValue":{}}"#),
        ("bytes", r#"{"bytesValue":"AP8="}"#),
        ("empty bytes", r#"{"bytesValue":""}"#),
        ("empty value", "{}"),
        ("null", "null"),
        ("a kind that nobody knows", r#"{"laterValue":{"x":1}}"#),
    ]
    .into_iter()
    .map(|(name, value)| {
        json(
            &format!("JSON value: {name}"),
            &span(&format!(r#""attributes":[{{"key":"k","value":{value}}},{{"key":"none"}}],"#)),
        )
    })
    .collect()
}

fn refused() -> Vec<Row> {
    [
        ("nothing", ""),
        ("half a body", r#"{"resourceSpans":["#),
        ("an array", "[]"),
        ("a text", r#""spans""#),
        ("spans that are no array", r#"{"resourceSpans":7}"#),
        ("something after the end", "{}{}"),
        ("protobuf said to be JSON", "\u{a}\0"),
        ("an integer that is too large", r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"attributes":[{"key":"k","value":{"intValue":"9223372036854775808"}}]}]}]}]}"#),
    ]
    .into_iter()
    .map(|(name, body)| row(&format!("JSON: {name}"), TRACES, body.to_owned()).gives(400, Content::Status(3)))
    .chain([row("logs that are no JSON", LOGS, "{".to_owned()).gives(400, Content::Status(3))])
    .collect()
}

fn row(name: &str, path: &'static str, body: String) -> Row {
    post(name, path, JSON, body)
}

fn json(name: &str, span: &str) -> Row {
    row(name, TRACES, body(span))
}

/// The good span, with more fields.
fn span(more: &str) -> String {
    SPAN.replacen('{', &format!("{{{more}"), 1)
}

fn body(span: &str) -> String {
    let resource = r#"{"attributes":[{"key":"service.name","value":{"stringValue":"conformance"}}]}"#;
    let body = format!(
        r#"{{"resourceSpans":[{{"resource":{resource},"scopeSpans":[{{"scope":{{"name":"x"}},"spans":[{span}]}}]}}]}}"#
    );
    body.replace("NOW", &now_ns().to_string())
}

fn log(fields: &str) -> String {
    let record = format!(r#"{{"timeUnixNano":"{}","traceId":"5B8EFFF798038103D269B633813FC60C",{fields}}}"#, now_ns());
    format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{record}]}}]}}]}}"#)
}
