use std::{
    io::Write,
    net::{IpAddr, Ipv4Addr},
    sync::{Mutex, PoisonError},
};

use axum::http::Request;
use opentelemetry_proto::tonic::{
    collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse},
    trace::v1::{ResourceSpans, ScopeSpans, Span},
};
use prost::Message;
use tonic_types::pb::Status;
use tower::ServiceExt;

use super::*;
use crate::{
    Error, ErrorKind,
    access::Access,
    agent::Rulebook,
    config::Config,
    gate::{Admitted, IntakeCounts, Policy},
    key::StoreKey,
    receive::behind::{self, Behind, Submitted},
    store::Store,
};

mod access;
mod agent;

const NOW_US: i64 = 1_700_000_000_000_000;
const PROTOBUF: &str = "application/x-protobuf";

type Fault = Arc<Mutex<Option<ErrorKind>>>;

struct Bench {
    router: Router,
    peer: IpAddr,
    store: Store,
    access: Arc<Access>,
    stored: Arc<Mutex<IntakeCounts>>,
    /// What becomes of what is submitted.
    fault: Fault,
    /// What is said before anything is read.
    closed: Fault,
}

fn bench() -> Bench {
    bench_with(100_000)
}

fn bench_with(body_bytes_max: usize) -> Bench {
    bench_of(&Config { cors_origins: vec!["https://cases.example".to_owned()], body_bytes_max, ..Config::default() })
}

fn bench_of(config: &Config) -> Bench {
    let (stored, fault, closed) = (Arc::new(Mutex::new(IntakeCounts::default())), Fault::default(), Fault::default());
    let (storing, failing) = (Arc::clone(&stored), Arc::clone(&fault));
    let submit = move |admitted: Admitted, counts: IntakeCounts| -> Submitted {
        let result = match *failing.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(kind) => Err(Error::new(kind, "no room on the disk")),
            None => {
                assert_eq!(admitted.len() as u64, counts.received - counts.refused);
                *storing.lock().unwrap_or_else(PoisonError::into_inner) += counts;
                Ok(())
            }
        };
        Box::pin(async move { result })
    };
    let policy = Policy::new(&StoreKey::new([1; 32]), config);
    let store = behind::store();
    let access = Access::open(&store, config.replay).unwrap();
    let closing = Arc::clone(&closed);
    let takes = move |_| {
        let kind = *closing.lock().unwrap_or_else(PoisonError::into_inner);
        kind.map_or(Ok(()), |kind| Err(Error::new(kind, "nothing is taken")))
    };
    let behind = Behind { takes: Box::new(takes), ..Behind::stub(submit) };
    let receiver = Receiver::before(behind, policy, access, Rulebook::load(config).unwrap(), config, || NOW_US);
    let access = Arc::clone(receiver.access());
    Bench { router: router(receiver), peer: LOOPBACK, store, access, stored, fault, closed }
}

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn export(spans: usize, trace_id: &[u8]) -> ExportTraceServiceRequest {
    let ns = u64::try_from(NOW_US).unwrap() * 1000;
    let span = |index: usize| Span {
        trace_id: trace_id.to_vec(),
        span_id: (index as u64 + 1).to_be_bytes().to_vec(),
        start_time_unix_nano: ns,
        end_time_unix_nano: ns,
        ..Span::default()
    };
    let spans = (0..spans).map(span).collect();
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }] }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

impl Bench {
    async fn send(&self, headers: &[(&str, &str)], body: impl Into<Body>) -> (StatusCode, HeaderMap, Vec<u8>) {
        self.request("POST", "/v1/traces", headers, body).await
    }

    async fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> (StatusCode, HeaderMap, Vec<u8>) {
        let mut request =
            Request::builder().method(method).uri(path).extension(ConnectInfo(SocketAddr::new(self.peer, 1)));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        (status, headers, axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap().to_vec())
    }

    fn stored(&self) -> u64 {
        let counts = *self.stored.lock().unwrap_or_else(PoisonError::into_inner);
        counts.received - counts.refused
    }
}

#[tokio::test]
async fn every_encoding_and_compression_is_taken_and_answered_in_kind() {
    let bench = bench();
    let binary = export(2, &[1; 16]).encode_to_vec();
    let json = serde_json::to_vec(&export(2, &[1; 16])).unwrap();
    for (content_type, encoding, body, answer_type, answer) in [
        (PROTOBUF, "identity", binary.clone(), PROTOBUF, &b""[..]),
        (PROTOBUF, "gzip", gzip(&binary), PROTOBUF, b""),
        (PROTOBUF, "zstd", zstd::encode_all(binary.as_slice(), 1).unwrap(), PROTOBUF, b""),
        ("application/json; charset=utf-8", "gzip", gzip(&json), "application/json", b"{}"),
        ("text/plain;charset=UTF-8", "", json.clone(), "application/json", b"{}"),
    ] {
        let headers = [("content-type", content_type), ("content-encoding", encoding)];
        let (status, answered, body) = bench.send(&headers, body).await;
        assert_eq!(
            (status, answered[header::CONTENT_TYPE].to_str().unwrap(), body.as_slice()),
            (StatusCode::OK, answer_type, answer)
        );
    }
    assert_eq!(bench.stored(), 10);
}

#[tokio::test]
async fn a_partial_success_says_how_many_and_why() {
    let bench = bench();
    let mut request = export(1, &[0; 16]);
    request.resource_spans.extend(export(3, &[9; 16]).resource_spans);
    let (status, _, body) = bench.send(&[("content-type", PROTOBUF)], request.encode_to_vec()).await;
    let partial = ExportTraceServiceResponse::decode(body.as_slice()).unwrap().partial_success.unwrap();
    assert_eq!((status, partial.rejected_spans), (StatusCode::OK, 1));
    assert!(partial.error_message.contains("trace id"), "{}", partial.error_message);
    let json = serde_json::to_vec(&request).unwrap();
    let (_, _, body) = bench.send(&[("content-type", "application/json")], json).await;
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["partialSuccess"]["rejectedSpans"], "1");
    let log = r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"eventName":"x"}]}]}]}"#;
    let (_, _, body) = bench.request("POST", "/v1/logs", &[("content-type", "application/json")], log).await;
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["partialSuccess"]["rejectedLogRecords"], "1");
    assert_eq!(bench.stored(), 6);
}

#[tokio::test]
async fn bad_input_is_answered_with_a_status_and_the_service_stays_up() {
    let bench = bench();
    let good = export(1, &[1; 16]).encode_to_vec();
    let bomb = gzip(&vec![0; 10_000_000]);
    let many = export(SPANS_PER_BOMB, &[1; 16]).encode_to_vec();
    for (headers, body, expected, code) in [
        (&[("content-type", PROTOBUF)][..], b"\xff\xff".to_vec(), StatusCode::BAD_REQUEST, 3),
        (&[("content-type", "application/json")], b"{".to_vec(), StatusCode::BAD_REQUEST, 3),
        (&[("content-type", PROTOBUF), ("content-encoding", "gzip")], good.clone(), StatusCode::BAD_REQUEST, 3),
        (
            &[("content-type", PROTOBUF), ("content-encoding", "gzip")],
            gzip(&good)[..20].to_vec(),
            StatusCode::BAD_REQUEST,
            3,
        ),
        (
            &[("content-type", PROTOBUF), ("content-encoding", "br")],
            good.clone(),
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            3,
        ),
        (&[("content-type", "text/html")], good.clone(), StatusCode::UNSUPPORTED_MEDIA_TYPE, 3),
        (&[], good.clone(), StatusCode::UNSUPPORTED_MEDIA_TYPE, 3),
        (&[("content-type", PROTOBUF), ("content-encoding", "gzip")], bomb, StatusCode::PAYLOAD_TOO_LARGE, 8),
        (&[("content-type", PROTOBUF)], many, StatusCode::PAYLOAD_TOO_LARGE, 8),
        (&[("content-type", PROTOBUF), ("origin", "https://evil.example")], good.clone(), StatusCode::FORBIDDEN, 7),
    ] {
        let (status, answered, body) = bench.send(headers, body).await;
        assert_eq!(status, expected, "{headers:?}");
        let told = if answered[header::CONTENT_TYPE] == PROTOBUF {
            Status::decode(body.as_slice()).unwrap()
        } else {
            let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
            let code = i32::try_from(body["code"].as_i64().unwrap()).unwrap();
            Status { code, message: body["message"].as_str().unwrap().to_owned(), details: Vec::new() }
        };
        assert!(told.code == code && !told.message.is_empty(), "{told:?}");
        assert!(!answered.contains_key(header::RETRY_AFTER));
    }
    let (status, answered, _) = bench.request("GET", "/v1/traces", &[], "").await;
    assert_eq!((status, answered[header::ALLOW].to_str().unwrap()), (StatusCode::METHOD_NOT_ALLOWED, "POST, OPTIONS"));
    assert_eq!(bench.request("POST", "/v2", &[], "").await.0, StatusCode::NOT_FOUND);
    assert_eq!(bench.stored(), 0);
    assert_eq!(bench.send(&[("content-type", PROTOBUF)], good).await.0, StatusCode::OK);
}

/// So many that their encoding exceeds the bench's limit of bytes.
const SPANS_PER_BOMB: usize = 3_000;

#[tokio::test]
async fn a_fault_of_ours_is_answered_so_that_the_sender_repeats() {
    let bench = bench();
    let body = export(1, &[1; 16]).encode_to_vec();
    for kind in [ErrorKind::Overloaded, ErrorKind::Unavailable, ErrorKind::Internal] {
        *bench.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(kind);
        let (status, headers, _) = bench.send(&[("content-type", PROTOBUF)], body.clone()).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(headers.contains_key(header::RETRY_AFTER));
        // It may be well again by now; where nothing is sent to who is not ready, nothing would come to find that out.
        assert_eq!(bench.request("GET", "/readyz", &[], "").await.0, StatusCode::OK);
    }
    *bench.fault.lock().unwrap_or_else(PoisonError::into_inner) = None;
    assert_eq!(bench.send(&[("content-type", PROTOBUF)], body).await.0, StatusCode::OK);
    assert_eq!(bench.request("GET", "/livez", &[], "").await.0, StatusCode::OK);
    let (_, _, metrics) = bench.request("GET", "/metrics", &[], "").await;
    let metrics = String::from_utf8(metrics).unwrap();
    assert!(metrics.contains("gilbreth_requests_total{transport=\"http\",status=\"503\"} 3\n"), "{metrics}");
    assert!(metrics.contains("gilbreth_spans_received_total 1\n"), "{metrics}");
}

#[tokio::test]
async fn what_could_not_be_stored_is_refused_before_it_is_read() {
    let bench = bench();
    let body = export(1, &[1; 16]).encode_to_vec();
    for kind in [ErrorKind::Overloaded, ErrorKind::Unavailable] {
        *bench.closed.lock().unwrap_or_else(PoisonError::into_inner) = Some(kind);
        // One that never comes is not waited for.
        let never = Body::from_stream(futures::stream::pending::<Result<Vec<u8>, io::Error>>());
        let (status, headers, answer) = bench.send(&[("content-type", PROTOBUF)], never).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(String::from_utf8_lossy(&answer).contains("nothing is taken"), "{answer:?}");
        assert!(headers.contains_key(header::RETRY_AFTER));
    }
    *bench.closed.lock().unwrap_or_else(PoisonError::into_inner) = None;
    assert_eq!(bench.send(&[("content-type", PROTOBUF)], "nonsense").await.0, StatusCode::BAD_REQUEST);
    assert_eq!(bench.send(&[("content-type", PROTOBUF)], body).await.0, StatusCode::OK);
}

#[tokio::test]
async fn configured_pages_may_send_and_read_the_answer() {
    let bench = bench();
    let body = export(1, &[1; 16]).encode_to_vec();
    let ours = ("origin", "https://cases.example");
    let (status, headers, _) = bench.request("OPTIONS", "/v1/traces", &[ours], "").await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], ours.1);
    assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_CREDENTIALS], "true");
    let (status, headers, _) = bench.send(&[("content-type", PROTOBUF), ours], body.clone()).await;
    assert_eq!((status, headers[header::ACCESS_CONTROL_ALLOW_ORIGIN].to_str().unwrap()), (StatusCode::OK, ours.1));
    let (_, headers, _) = bench.request("OPTIONS", "/v1/traces", &[("origin", "https://evil.example")], "").await;
    assert!(!headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
    assert!(!headers.contains_key(header::ACCESS_CONTROL_ALLOW_METHODS));
    for (host, expected) in [
        ("127.0.0.1:4318", StatusCode::OK),
        ("localhost:4318", StatusCode::OK),
        ("[::1]:4318", StatusCode::OK),
        ("10.0.0.7", StatusCode::OK),
        // A name that its owner points at this machine once the page is loaded.
        ("rebound.example:4318", StatusCode::FORBIDDEN),
    ] {
        let origin = format!("http://{host}");
        let own = [("content-type", PROTOBUF), ("origin", origin.as_str()), ("host", host)];
        assert_eq!(bench.send(&own, body.clone()).await.0, expected, "{host}");
    }
}

/// The protobuf of so many empty things, two bytes each, in a request's scope spans.
fn empties(count: usize) -> Vec<u8> {
    let mut body = [0x12, 0x00].repeat(count);
    for key in [0x12, 0x0a] {
        let mut wrapped = vec![key];
        prost::encoding::encode_varint(body.len() as u64, &mut wrapped);
        wrapped.append(&mut body);
        body = wrapped;
    }
    body
}

#[tokio::test]
async fn a_small_body_of_many_empty_things_is_refused_before_it_is_decoded() {
    let bench = bench_with(64 << 20);
    // As many as 64 MiB hold: decoded they would be gigabytes, packed they are 64 KiB.
    let bomb = empties((64 << 20) / 2 - 16);
    assert!(bomb.len() <= 64 << 20);
    let zstd = zstd::encode_all(bomb.as_slice(), 1).unwrap();
    let gzip = gzip(&bomb);
    assert!(gzip.len() < 1 << 20 && zstd.len() < 1 << 20);
    let json = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{}{{}}]}}]}}]}}"#, "[],".repeat(10 << 20));
    for (content_type, encoding, body) in [
        (PROTOBUF, "identity", bomb),
        (PROTOBUF, "gzip", gzip),
        (PROTOBUF, "zstd", zstd),
        ("application/json", "identity", json.into_bytes()),
    ] {
        let headers = [("content-type", content_type), ("content-encoding", encoding)];
        let (status, _, said) = bench.send(&headers, body).await;
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{content_type} {encoding}");
        assert!(String::from_utf8_lossy(&said).contains("spans in one request"), "{said:?}");
    }
    assert_eq!(bench.stored(), 0);
}

#[tokio::test]
async fn one_request_may_hold_so_many_spans_and_no_more() {
    let bench = bench_with(64 << 20);
    for (spans, expected) in
        [(crate::decode::SPANS_MAX, StatusCode::OK), (crate::decode::SPANS_MAX + 1, StatusCode::PAYLOAD_TOO_LARGE)]
    {
        let body = export(spans, &[1; 16]).encode_to_vec();
        assert_eq!(bench.send(&[("content-type", PROTOBUF)], body).await.0, expected, "{spans}");
        let body = serde_json::to_vec(&export(spans, &[1; 16])).unwrap();
        assert_eq!(bench.send(&[("content-type", "application/json")], body).await.0, expected, "{spans}");
    }
    assert_eq!(bench.stored(), 2 * crate::decode::SPANS_MAX as u64);
}

#[tokio::test]
async fn zstd_that_asks_for_a_huge_window_is_refused() {
    let bench = bench_with(64 << 20);
    let body = export(1, &[1; 16]).encode_to_vec();
    for (window_log, expected) in [(22, StatusCode::OK), (27, StatusCode::BAD_REQUEST)] {
        let mut writer = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
        writer.window_log(window_log).unwrap();
        // Without its size in the header, what is packed must be taken at its word for the window.
        writer.write_all(&body).unwrap();
        let packed = writer.finish().unwrap();
        let headers = [("content-type", PROTOBUF), ("content-encoding", "zstd")];
        assert_eq!(bench.send(&headers, packed).await.0, expected, "{window_log}");
    }
}

#[tokio::test]
async fn a_body_that_never_ends_is_told_to_come_again_and_holds_no_place() {
    let config = Config { requests_at_once_max: 1, ..Config::default() };
    let policy = Policy::new(&StoreKey::new([1; 32]), &config);
    let submit = |_, _| -> Submitted { Box::pin(async { Ok(()) }) };
    let access = Access::open(&behind::store(), false).unwrap();
    let router = router(Receiver::before(
        Behind::stub(submit),
        policy,
        access,
        Rulebook::load(&config).unwrap(),
        &config,
        || NOW_US,
    ));
    let send = |body: Body| {
        let request = Request::builder().method("POST").uri("/v1/traces").header("content-type", PROTOBUF);
        let request = request.extension(ConnectInfo(SocketAddr::new(LOOPBACK, 1)));
        router.clone().oneshot(request.body(body).unwrap())
    };
    let endless = Body::from_stream(futures::stream::pending::<Result<Bytes, io::Error>>());
    let slow = tokio::spawn(send(endless));
    tokio::task::yield_now().await;
    let quick = send(Body::from(export(1, &[1; 16]).encode_to_vec())).await.unwrap();
    assert_eq!(quick.status(), StatusCode::OK, "the slow one takes nobody's place");
    let slow = slow.await.unwrap().unwrap();
    assert_eq!(slow.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(slow.headers().contains_key(header::RETRY_AFTER));
}
