//! gRPC.

use opentelemetry_proto::tonic::{logs::v1::LogRecord, trace::v1::Span};

use super::{bodies::*, *};

const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const LOGS: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
const INVALID: i32 = 3;
const EXHAUSTED: i32 = 8;
const UNIMPLEMENTED: i32 = 12;
const INTERNAL: i32 = 13;
const UNAVAILABLE: i32 = 14;

pub(super) fn rows() -> Vec<Row> {
    [taken(), refused(), limits(), broken(), faults()].into_iter().flatten().collect()
}

fn framed(flag: u8, message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("messages are shorter than 4 GiB");
    [&[flag][..], &length.to_be_bytes(), message].concat()
}

fn of(name: &str, message: &[u8]) -> Row {
    call(name, TRACES, framed(0, message))
}

fn packed(name: &str, encoding: &str, message: &[u8]) -> Row {
    call(name, TRACES, framed(1, message)).with("grpc-encoding", encoding)
}

fn taken() -> Vec<Row> {
    let mut rows = vec![
        of("a span", &one()),
        packed("a span, gzip", "gzip", &gzip(&one())),
        packed("a span, zstd", "zstd", &zstd(&one())).of(Scope::Ours),
        of("not packed though an encoding is named", &one()).with("grpc-encoding", "gzip"),
        of("identity by name", &one()).with("grpc-encoding", "identity"),
        of("a deadline", &one()).with("grpc-timeout", "20S"),
        of("an answer names the encodings that are taken", &one())
            .has("grpc-accept-encoding", "identity,gzip,zstd")
            .of(Scope::Ours),
        of("a content type with its codec", &one()).grpc(|call| call.content_type = "application/grpc+proto"),
        call("a log record", LOGS, framed(0, &logs(vec![record()]))),
        call("no log records", LOGS, framed(0, b"")),
        of("every shape of a value in one span", &all_values()),
        of("a field that nobody knows", &[one(), vec![0xc2, 0x3e, 2, 1, 2]].concat()),
    ];
    rows.extend(empty_requests().into_iter().map(|(name, body)| of(name, &body)));
    rows
}

fn refused() -> Vec<Row> {
    let partial = |row: Row, refused| row.gives(200, Content::Partial(refused)).of(Scope::Ours);
    vec![
        partial(of("a trace id of zeros", &traces(vec![Span { trace_id: vec![0; 16], ..span() }, span()])), 1),
        partial(
            of(
                "span ids of wrong lengths",
                &traces(vec![Span { span_id: vec![1; 7], ..span() }, Span { span_id: vec![1; 9], ..span() }]),
            ),
            2,
        ),
        partial(call("a log record that is no event", LOGS, framed(0, &logs(vec![LogRecord::default()]))), 1),
        of("no protobuf", b"\xff\xff\xff").fails(INVALID).of(Scope::Ours),
        of("values nested without end", &nested(2_000)).fails(INVALID).of(Scope::Ours),
        packed("no gzip", "gzip", b"no gzip").fails(INVALID).of(Scope::Ours),
        packed("no zstd", "zstd", b"no zstd").fails(INVALID).of(Scope::Ours),
        call("logs that are no protobuf", LOGS, framed(0, b"\xff\xff")).fails(INVALID).of(Scope::Ours),
        packed("an encoding that nobody knows", "br", &one()).fails(UNIMPLEMENTED).has("grpc-accept-encoding", "*"),
        call("another service", "/opentelemetry.proto.collector.profiles.v9.ProfilesService/Export", framed(0, b""))
            .fails(UNIMPLEMENTED),
        call("another method", "/opentelemetry.proto.collector.trace.v1.TraceService/Import", framed(0, b""))
            .fails(UNIMPLEMENTED),
    ]
}

fn limits() -> Vec<Row> {
    let large = |row: Row| row.fails(EXHAUSTED).of(Scope::Ours);
    let [most, more] = [of_length(BYTES_MAX), of_length(BYTES_MAX + 1)];
    vec![
        packed("64 MiB after gzip", "gzip", &gzip(&most)).of(Scope::Ours),
        of("5 MiB as they are", &of_length(5 << 20)).of(Scope::Ours),
        large(packed("more than 64 MiB after gzip", "gzip", &gzip(&more))),
        large(packed("more than 64 MiB after zstd", "zstd", &zstd(&more))),
        large(of("more than 64 MiB as they are", &more)),
        large(call("a message said to be of 4 GiB", TRACES, [&[0][..], &u32::MAX.to_be_bytes(), &[0; 100]].concat())),
        large(of("more than 65,536 spans", &empty_spans(65_537))),
    ]
}

fn broken() -> Vec<Row> {
    let broken = |row: Row| row.fails(INTERNAL).of(Scope::Ours);
    let no_grpc = |row: Row, status| row.gives(status, Content::Any).of(Scope::Ours);
    vec![
        broken(call("no message", TRACES, Vec::new())),
        broken(call("half a prefix", TRACES, vec![0, 0])),
        broken(call("a message cut short", TRACES, framed(0, &one())[..20].to_vec())),
        broken(call("two messages", TRACES, framed(0, &one()).repeat(2))),
        broken(call("packed, and not said how", TRACES, framed(1, &gzip(&one())))),
        of("a deadline that is none", &one()).with("grpc-timeout", "soon").fails(INVALID).of(Scope::Ours),
        no_grpc(of("JSON", b"{}").grpc(|call| call.content_type = "application/json"), 415),
        no_grpc(of("GET", b"").grpc(|call| call.method = Method::GET), 405),
    ]
}

fn faults() -> Vec<Row> {
    let fault =
        |scope, name: &str, path, message: Vec<u8>| call(name, path, framed(0, &message)).fails(UNAVAILABLE).of(scope);
    vec![
        fault(Scope::Overloaded, "one sender holds all that it may", TRACES, one()),
        fault(Scope::Overloaded, "one sender holds all that it may: logs", LOGS, logs(vec![record()])),
        fault(Scope::DiskFull, "the disk is full", TRACES, one()),
        fault(Scope::DiskFull, "the disk is full: logs", LOGS, logs(vec![record()])),
    ]
}
