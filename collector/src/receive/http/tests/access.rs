//! Who may send, as answers show it.

use chrono::Utc;
use opentelemetry_proto::tonic::{
    common::v1::{AnyValue, KeyValue, any_value},
    resource::v1::Resource,
};

use super::*;
use crate::access::{self, Limits, Rights, Token, Wanted};

const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 7));
const PAGE: &str = "https://cases.example";

impl Bench {
    fn token(&self, label: &str, rights: Rights, limits: Option<Limits>) -> Token {
        let limits = limits.unwrap_or_else(|| Limits::default_for(&rights));
        let wanted = Wanted { label: label.to_owned(), rights, limits };
        access::add(&self.store, wanted, Utc::now()).unwrap().0
    }

    async fn export(&self, path: &str, headers: &[(&str, &str)], system: &str) -> (StatusCode, HeaderMap, Vec<u8>) {
        let headers: Vec<_> = headers.iter().copied().chain([("content-type", PROTOBUF)]).collect();
        self.request("POST", path, &headers, of_system(system, 1).encode_to_vec()).await
    }

    async fn with_token(&self, token: &Token, system: &str) -> (StatusCode, HeaderMap, Vec<u8>) {
        self.export("/v1/traces", &[("authorization", &format!("Bearer {}", token.reveal()))], system).await
    }
}

fn of_system(name: &str, spans: usize) -> ExportTraceServiceRequest {
    let mut request = export(spans, &[1; 16]);
    let value = Some(AnyValue { value: Some(any_value::Value::StringValue(name.to_owned())) });
    let attributes = vec![KeyValue { key: "service.name".to_owned(), value, ..KeyValue::default() }];
    request.resource_spans[0].resource = Some(Resource { attributes, ..Resource::default() });
    request
}

fn rejected(body: &[u8]) -> (i64, String) {
    let partial = ExportTraceServiceResponse::decode(body).unwrap().partial_success;
    partial.map(|partial| (partial.rejected_spans, partial.error_message)).unwrap_or_default()
}

fn told(body: &[u8]) -> Status {
    Status::decode(body).unwrap()
}

fn ndelius() -> Rights {
    Rights::send(Some(&["ndelius".to_owned()]), false).unwrap()
}

#[tokio::test]
async fn without_tokens_this_machine_may_send_and_with_one_nobody_without() {
    let mut bench = bench();
    assert_eq!(bench.export("/v1/traces", &[], "oasys").await.0, StatusCode::OK);
    for mapped in ["::1", "::ffff:127.0.0.1", "127.8.8.8"] {
        bench.peer = mapped.parse().unwrap();
        assert_eq!(bench.export("/v1/traces", &[], "oasys").await.0, StatusCode::OK, "{mapped}");
    }
    bench.peer = ELSEWHERE;
    let (status, headers, body) = bench.export("/v1/traces", &[], "oasys").await;
    assert_eq!((status, headers[header::WWW_AUTHENTICATE].to_str().unwrap()), (StatusCode::UNAUTHORIZED, "Bearer"));
    assert_eq!(told(&body).code, 16);
    assert!(!headers.contains_key(header::RETRY_AFTER));

    // A reader's token changes nothing for senders, and sends nothing.
    let reader = bench.token("audit", Rights::read(access::Role::Auditor), None);
    bench.peer = LOOPBACK;
    let (status, _, body) = bench.with_token(&reader, "ndelius").await;
    assert_eq!((status, told(&body).code), (StatusCode::FORBIDDEN, 7));
    assert_eq!(bench.export("/v1/traces", &[], "oasys").await.0, StatusCode::OK);

    let token = bench.token("servers", ndelius(), None);
    assert_eq!(bench.with_token(&token, "ndelius").await.0, StatusCode::OK, "it is known the moment it is made");
    assert_eq!(bench.export("/v1/traces", &[], "ndelius").await.0, StatusCode::UNAUTHORIZED);
    bench.peer = ELSEWHERE;
    assert_eq!(bench.with_token(&token, "ndelius").await.0, StatusCode::OK);
    // Health is for all to ask.
    assert_eq!(bench.request("GET", "/livez", &[], "").await.0, StatusCode::OK);

    access::revoke(&bench.store, "servers", Utc::now()).unwrap();
    while bench.with_token(&token, "ndelius").await.0 != StatusCode::UNAUTHORIZED {
        tokio::task::yield_now().await;
    }
    bench.peer = LOOPBACK;
    assert_eq!(bench.export("/v1/traces", &[], "ndelius").await.0, StatusCode::UNAUTHORIZED, "revoking opens nothing");
}

#[tokio::test]
async fn what_is_no_token_in_force_is_answered_alike_and_shows_nothing_of_it() {
    let bench = bench();
    let token = bench.token("servers", ndelius(), None);
    let whole = token.reveal();
    let mut last = whole.to_owned();
    last.pop();
    for presented in [
        format!("Bearer {last}"),
        format!("Bearer {whole}0"),
        format!("Bearer {}", whole.replacen("gilbreth_", "gilbreth_0", 1)),
        format!("Basic {whole}"),
        format!("Bearer{whole}"),
        whole.to_owned(),
        "Bearer".to_owned(),
    ] {
        let (status, headers, body) = bench.export("/v1/traces", &[("authorization", &presented)], "ndelius").await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{presented}");
        assert!(headers.contains_key(header::WWW_AUTHENTICATE));
        assert_eq!(told(&body).message, "the token is not known, or revoked");
    }
    let (_, _, body) = bench.export("/v1/traces", &[("authorization", &format!("bearer  {whole}"))], "ndelius").await;
    assert_eq!(rejected(&body).0, 0, "the scheme's case is of no account");
    let (status, _, body) = bench.export(&format!("/v1/traces?token={whole}"), &[], "ndelius").await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "a server's token in the query");
    assert!(!told(&body).message.contains(whole));
}

#[tokio::test]
async fn spans_of_other_systems_are_refused_in_part() {
    let bench = bench();
    let token = bench.token("servers", ndelius(), None);
    let mut request = of_system("ndelius", 3);
    request.resource_spans.extend(of_system("oasys", 2).resource_spans);
    request.resource_spans.extend(export(4, &[2; 16]).resource_spans);
    let bearer = format!("Bearer {}", token.reveal());
    let headers = [("authorization", bearer.as_str()), ("content-type", PROTOBUF)];
    let (status, _, body) = bench.send(&headers, request.encode_to_vec()).await;
    let (count, message) = rejected(&body);
    assert_eq!((status, count), (StatusCode::OK, 6));
    assert_eq!(message, "6 × of a system that the token may not write");
    assert_eq!(bench.stored(), 3);
}

#[tokio::test]
async fn a_pages_token_sends_from_its_own_origin_alone() {
    let bench = bench_of(&Config { cors_origins: vec!["https://other.example".to_owned()], ..Config::default() });
    let token = bench.token("pages", Rights::page(PAGE, "ndelius").unwrap(), None);
    let path = format!("/v1/traces?x=y&token={}", token.reveal());
    let (status, headers, body) = bench.export(&path, &[("origin", PAGE)], "ndelius").await;
    assert_eq!((status, rejected(&body).0), (StatusCode::OK, 0));
    assert_eq!(
        headers[header::ACCESS_CONTROL_ALLOW_ORIGIN],
        PAGE,
        "the token is enough for the page to read the answer"
    );
    for other in ["https://other.example", "https://cases.example:8443", "http://cases.example", "null"] {
        let (status, headers, body) = bench.export(&path, &[("origin", other)], "ndelius").await;
        assert_eq!((status, told(&body).code), (StatusCode::FORBIDDEN, 7), "{other}");
        assert!(headers.get(header::ACCESS_CONTROL_ALLOW_ORIGIN).is_none_or(|origin| origin != PAGE));
    }
    assert_eq!(bench.export(&path, &[], "ndelius").await.0, StatusCode::FORBIDDEN, "no browser sends no origin");
    let (_, _, body) = bench.export(&path, &[("origin", PAGE)], "oasys").await;
    assert_eq!(rejected(&body).0, 1);

    let preflight = async |path: &str, origin: &str| {
        let (_, headers, _) = bench.request("OPTIONS", path, &[("origin", origin)], "").await;
        headers.get(header::ACCESS_CONTROL_ALLOW_ORIGIN).map(|allowed| allowed.to_str().unwrap().to_owned())
    };
    assert_eq!(preflight(&path, PAGE).await.as_deref(), Some(PAGE));
    assert_eq!(preflight(&path, "https://evil.example").await, None);
    assert_eq!(preflight("/v1/traces", PAGE).await, None);
    let new = bench.token("new", Rights::page(PAGE, "oasys").unwrap(), None);
    let allowed = preflight(&format!("/v1/traces?token={}", new.reveal()), PAGE).await;
    assert_eq!(allowed.as_deref(), Some(PAGE), "the first request with a new token may be a preflight");
}

#[tokio::test]
async fn only_the_right_to_replay_believes_old_times() {
    let bench = bench_of(&Config { replay: true, ..Config::default() });
    let old = |system| {
        let mut request = of_system(system, 1);
        let span = &mut request.resource_spans[0].scope_spans[0].spans[0];
        (span.start_time_unix_nano, span.end_time_unix_nano) = (1_000_000_000, 2_000_000_000);
        request.encode_to_vec()
    };
    let (_, _, body) = bench.send(&[("content-type", PROTOBUF)], old("ndelius")).await;
    assert_eq!(rejected(&body).0, 0, "as configured for senders without token");
    for (label, rights, refused) in [
        ("servers", ndelius(), 1),
        ("copy", Rights::send(Some(&["ndelius".to_owned()]), true).unwrap(), 0),
        ("all", Rights::send(None, true).unwrap(), 0),
    ] {
        let token = bench.token(label, rights, None);
        let bearer = format!("Bearer {}", token.reveal());
        let headers = [("authorization", bearer.as_str()), ("content-type", PROTOBUF)];
        let (status, _, body) = bench.send(&headers, old("ndelius")).await;
        assert_eq!((status, rejected(&body).0), (StatusCode::OK, refused), "{label}");
    }
}

#[tokio::test]
async fn a_token_beyond_its_limits_is_told_when_to_come_again_and_others_go_on() {
    let bench = bench();
    let limits = Limits { spans_per_s: 10.try_into().ok(), requests_at_once_max: 2.try_into().unwrap() };
    let (busy, other) = (bench.token("busy", ndelius(), Some(limits)), bench.token("other", ndelius(), None));
    let bearer = format!("Bearer {}", busy.reveal());
    let headers = [("authorization", bearer.as_str()), ("content-type", PROTOBUF)];
    // Ten seconds' worth is a hundred; what comes is let in whole, and paid for afterwards.
    assert_eq!(bench.send(&headers, of_system("ndelius", 1_000).encode_to_vec()).await.0, StatusCode::OK);
    let (status, answered, body) = bench.send(&headers, of_system("ndelius", 1).encode_to_vec()).await;
    assert_eq!((status, told(&body).code), (StatusCode::SERVICE_UNAVAILABLE, 14));
    let wait: u64 = answered[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
    assert!((60..=91).contains(&wait), "{wait}");
    assert!(!told(&body).message.contains(busy.reveal()));
    assert_eq!(bench.with_token(&other, "ndelius").await.0, StatusCode::OK);
    let reached = bench.access.limits_reached();
    assert_eq!(reached.len(), 1);
    assert_eq!((reached[0].1, reached[0].2), (access::Limit::Spans, 1));
}
