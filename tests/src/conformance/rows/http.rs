//! Protobuf over HTTP, and what holds for any body over HTTP.

use opentelemetry_proto::tonic::{logs::v1::LogRecord, trace::v1::Span};

use super::{bodies::*, *};

pub(super) fn rows() -> Vec<Row> {
    [taken(), refused(), partly_refused(), limits(), framings(), pages(), elsewhere(), faults()]
        .into_iter()
        .flatten()
        .collect()
}

fn taken() -> Vec<Row> {
    let mut rows = vec![
        post("protobuf", TRACES, PROTOBUF, one()),
        post("protobuf, gzip", TRACES, PROTOBUF, gzip(&one())).with("content-encoding", "gzip"),
        post("protobuf, zstd", TRACES, PROTOBUF, zstd(&one())).with("content-encoding", "zstd").of(Scope::Ours),
        post("protobuf, identity by name", TRACES, PROTOBUF, one())
            .with("content-encoding", "identity")
            .of(Scope::Ours),
        post("encodings are named in either case", TRACES, PROTOBUF, gzip(&one())).with("content-encoding", "GZIP"),
        post("gzip in two members", TRACES, PROTOBUF, [gzip(&one()), gzip(&one())].concat())
            .with("content-encoding", "gzip"),
        post("a content type in capitals", TRACES, "application/X-Protobuf", one())
            .http(|request| request.headers[0].1 = "Application/X-Protobuf".to_owned())
            .gives(200, Content::Any),
        post("logs", LOGS, PROTOBUF, logs(vec![record()])),
        post("logs, gzip", LOGS, PROTOBUF, gzip(&logs(vec![record()]))).with("content-encoding", "gzip"),
        post("no logs", LOGS, PROTOBUF, Vec::new()),
        post("the same span again", TRACES, PROTOBUF, traces(vec![span(); 2])),
        post("every shape of a value in one span", TRACES, PROTOBUF, all_values()),
        post("values thirty deep", TRACES, PROTOBUF, nested(30)),
        post("a field that nobody knows", TRACES, PROTOBUF, [one(), vec![0xc2, 0x3e, 2, 1, 2]].concat()),
        post("two resources, one after the other", TRACES, PROTOBUF, one().repeat(2)),
    ];
    rows.extend(empty_requests().into_iter().map(|(name, body)| post(name, TRACES, PROTOBUF, body)));
    rows.extend(values().into_iter().map(|(name, value)| {
        let pair =
            opentelemetry_proto::tonic::common::v1::KeyValue { key: "k".to_owned(), value, ..Default::default() };
        post(
            format!("protobuf value: {name}"),
            TRACES,
            PROTOBUF,
            traces(vec![Span { attributes: vec![pair], ..span() }]),
        )
    }));
    rows
}

fn refused() -> Vec<Row> {
    let cut = |mut bytes: Vec<u8>| {
        bytes.truncate(bytes.len() / 2);
        bytes
    };
    let bad = |row: Row| row.gives(400, Content::Status(3));
    let unknown = |row: Row| row.gives(415, Content::Status(3)).of(Scope::Ours);
    vec![
        bad(post("no protobuf", TRACES, PROTOBUF, b"\xff\xff\xff".to_vec())),
        bad(post("protobuf cut short", TRACES, PROTOBUF, cut(one()))),
        bad(post("logs that are no protobuf", LOGS, PROTOBUF, b"\xff\xff\xff".to_vec())),
        bad(post("JSON said to be protobuf", TRACES, PROTOBUF, b"{\"resourceSpans\":[]}".to_vec())),
        bad(post("a text that is no UTF-8", TRACES, PROTOBUF, not_utf8())),
        bad(post("no gzip", TRACES, PROTOBUF, one()).with("content-encoding", "gzip")),
        bad(post("gzip cut short", TRACES, PROTOBUF, cut(gzip(&one()))).with("content-encoding", "gzip")),
        bad(post("gzip twice, said once", TRACES, PROTOBUF, gzip(&gzip(&one()))).with("content-encoding", "gzip")),
        bad(post("no zstd", TRACES, PROTOBUF, one()).with("content-encoding", "zstd")).of(Scope::Ours),
        bad(post("zstd cut short", TRACES, PROTOBUF, cut(zstd(&one()))).with("content-encoding", "zstd"))
            .of(Scope::Ours),
        bad(post("values nested without end", TRACES, PROTOBUF, nested(2_000))).of(Scope::Ours),
        unknown(post("an encoding that nobody knows", TRACES, PROTOBUF, one()).with("content-encoding", "br")),
        unknown(
            post("two encodings in one header", TRACES, PROTOBUF, gzip(&one())).with("content-encoding", "gzip, gzip"),
        ),
        unknown(
            post("two headers of encoding", TRACES, PROTOBUF, gzip(&one()))
                .with("content-encoding", "gzip")
                .with("content-encoding", "zstd"),
        ),
        unknown(post("a content type that nobody knows", TRACES, "application/xml", b"<spans/>".to_vec())),
        unknown(post("two content types in one header", TRACES, "application/json, application/json", b"{}".to_vec())),
        unknown(post("no content type", TRACES, PROTOBUF, one()).http(|request| request.headers.clear())),
        unknown(post("two content types", TRACES, JSON, b"{}".to_vec()).with("content-type", JSON)),
        unknown(post("a large body of an unknown type", TRACES, "text/html", vec![0; 8 << 20])),
    ]
}

/// A request whose span's name is no UTF-8.
fn not_utf8() -> Vec<u8> {
    let marked = traces(vec![Span { name: "NAME".to_owned(), ..span() }]);
    let at = marked.windows(4).position(|four| four == b"NAME").expect("the name is there");
    [&marked[..at], b"\xff\xfe\xfd\xfc", &marked[at + 4..]].concat()
}

fn partly_refused() -> Vec<Row> {
    let of = |name: &str, refused: i64, spans: Vec<Span>| {
        post(name, TRACES, PROTOBUF, traces(spans)).gives(200, Content::Partial(refused)).of(Scope::Ours)
    };
    let now = now_ns();
    let day = 24 * 3600 * 1_000_000_000;
    vec![
        of("a trace id of 15 bytes", 1, vec![Span { trace_id: vec![1; 15], ..span() }, span()]),
        of("a trace id of zeros", 1, vec![Span { trace_id: vec![0; 16], ..span() }]),
        of("no trace id", 1, vec![Span { trace_id: Vec::new(), ..span() }]),
        of("a span id of 16 bytes", 1, vec![Span { span_id: vec![1; 16], ..span() }]),
        of("a span id of zeros", 1, vec![Span { span_id: vec![0; 8], ..span() }]),
        of("a span that ends before it starts", 1, vec![Span { end_time_unix_nano: now - day, ..span() }]),
        of("a span of 40 days ago", 1, vec![Span { start_time_unix_nano: now - 40 * day, ..span() }]),
        of(
            "a span of the day after tomorrow",
            1,
            vec![Span { start_time_unix_nano: now + 2 * day, end_time_unix_nano: now + 2 * day, ..span() }],
        ),
        of(
            "two of three",
            2,
            vec![Span { trace_id: vec![1; 3], ..span() }, span(), Span { span_id: vec![2; 7], ..span() }],
        ),
        post(
            "a log record that is no event",
            LOGS,
            PROTOBUF,
            logs(vec![record(), LogRecord { event_name: "x".to_owned(), ..record() }]),
        )
        .gives(200, Content::Partial(1))
        .of(Scope::Ours),
    ]
}

fn limits() -> Vec<Row> {
    let large = |row: Row| row.gives(413, Content::Status(8)).of(Scope::Ours);
    let [most, more] = [of_length(BYTES_MAX), of_length(BYTES_MAX + 1)];
    let spans = vec![span(); 65_536];
    vec![
        post("64 MiB after gzip", TRACES, PROTOBUF, gzip(&most)).with("content-encoding", "gzip").of(Scope::Ours),
        post("64 MiB after zstd", TRACES, PROTOBUF, zstd(&most)).with("content-encoding", "zstd").of(Scope::Ours),
        large(post("more than 64 MiB after gzip", TRACES, PROTOBUF, gzip(&more)).with("content-encoding", "gzip")),
        large(post("more than 64 MiB after zstd", TRACES, PROTOBUF, zstd(&more)).with("content-encoding", "zstd")),
        large(
            post("more than 64 MiB of JSON after gzip", TRACES, JSON, gzip(&vec![b' '; BYTES_MAX + 1]))
                .with("content-encoding", "gzip"),
        ),
        large(post("more than 64 MiB as they are", TRACES, PROTOBUF, more)),
        post("65,536 spans", TRACES, PROTOBUF, gzip(&traces(spans))).with("content-encoding", "gzip").of(Scope::Ours),
        large(post("more spans than that", TRACES, PROTOBUF, empty_spans(65_537))),
        large(post("a bomb of spans", TRACES, PROTOBUF, gzip(&empty_spans(30 << 20))).with("content-encoding", "gzip")),
    ]
}

fn framings() -> Vec<Row> {
    vec![
        post("a body in chunks", TRACES, PROTOBUF, one()).http(|request| request.framing = Framing::Chunked),
        post("a gzip body in chunks", TRACES, PROTOBUF, gzip(&one()))
            .with("content-encoding", "gzip")
            .http(|request| request.framing = Framing::Chunked),
        post("a body that waits to be asked for", TRACES, PROTOBUF, one())
            .http(|request| request.framing = Framing::OnceAsked),
        post("HTTP/1.0", TRACES, PROTOBUF, one()).http(|request| request.version = "HTTP/1.0").of(Scope::Ours),
        post("a body shorter than it is said to be", TRACES, PROTOBUF, one())
            .http(|request| request.framing = Framing::CutShort)
            .gives(400, Content::Status(3))
            .of(Scope::Ours),
        post("a query", "/v1/traces?a=b", PROTOBUF, one()),
    ]
}

fn pages() -> Vec<Row> {
    let preflight = |name: &str, origin: &str, asked: &str| {
        post(name, TRACES, "", Vec::new())
            .http(|request| {
                request.method = "OPTIONS";
                request.headers.clear();
            })
            .with("origin", origin)
            .with("access-control-request-method", "POST")
            .with("access-control-request-headers", asked)
            .gives(204, Content::Any)
            .of(Scope::Ours)
    };
    let beacon = format!(
        "{{\"resourceSpans\":[{{\"scopeSpans\":[{{\"spans\":[{}]}}]}}]}}",
        json::SPAN.replace("NOW", &now_ns().to_string())
    );
    vec![
        preflight("a page asks whether it may send JSON", ORIGIN, "content-type")
            .has("access-control-allow-origin", ORIGIN)
            .has("access-control-allow-methods", "POST")
            .has("access-control-allow-headers", "content-type, content-encoding, authorization")
            .has("access-control-allow-credentials", "true")
            .has("access-control-max-age", "*")
            .has("vary", "origin"),
        preflight("a page asks whether it may send a token", ORIGIN, "authorization, content-type")
            .has("access-control-allow-headers", "content-type, content-encoding, authorization"),
        preflight("a page of elsewhere asks", "https://evil.example", "content-type")
            .has("access-control-allow-origin", "-")
            .has("access-control-allow-methods", "-"),
        post("a page sends, and may read the answer", TRACES, JSON, beacon.clone())
            .with("origin", ORIGIN)
            .has("access-control-allow-origin", ORIGIN)
            .of(Scope::Ours),
        post("a page may read why it is refused", TRACES, JSON, b"{".to_vec())
            .with("origin", ORIGIN)
            .gives(400, Content::Status(3))
            .has("access-control-allow-origin", ORIGIN)
            .of(Scope::Ours),
        post("a page of elsewhere sends", TRACES, "text/plain", beacon.clone())
            .with("origin", "https://evil.example")
            .gives(403, Content::Status(7))
            .has("access-control-allow-origin", "-")
            .of(Scope::Ours),
        post("a page's beacon", TRACES, "text/plain;charset=UTF-8", beacon).with("origin", ORIGIN).of(Scope::Ours),
    ]
}

fn elsewhere() -> Vec<Row> {
    let method = |method: &'static str| {
        post(method, TRACES, JSON, b"{}".to_vec())
            .http(|request| request.method = method)
            .gives(405, Content::Status(12))
            .has("allow", "POST, OPTIONS")
            .of(Scope::Ours)
    };
    vec![
        method("GET"),
        method("PUT"),
        method("DELETE"),
        post("another path", "/v1/trace", PROTOBUF, one()).gives(404, Content::Status(5)).of(Scope::Ours),
        post("another path, JSON", "/", JSON, b"{}".to_vec()).gives(404, Content::Status(5)).of(Scope::Ours),
    ]
}

/// Rows that only a server in need can show.
fn faults() -> Vec<Row> {
    let fault = |scope, path, kind, body: Vec<u8>| {
        let name = if scope == Scope::Overloaded { "one sender holds all that it may" } else { "the disk is full" };
        post(format!("{name}: {path}, {kind}"), path, kind, body).gives(503, Content::Status(14)).of(scope)
    };
    let json = format!(
        "{{\"resourceSpans\":[{{\"scopeSpans\":[{{\"spans\":[{}]}}]}}]}}",
        json::SPAN.replace("NOW", &now_ns().to_string())
    );
    [Scope::Overloaded, Scope::DiskFull]
        .into_iter()
        .flat_map(|scope| {
            [
                fault(scope, TRACES, PROTOBUF, one()),
                fault(scope, TRACES, JSON, json.clone().into_bytes()),
                fault(scope, LOGS, PROTOBUF, logs(vec![record()])),
            ]
        })
        .collect()
}
