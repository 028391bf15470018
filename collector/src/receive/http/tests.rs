use std::{
    io::Write,
    sync::{Mutex, PoisonError},
};

use axum::{body::Body, http::Request};
use opentelemetry_proto::tonic::{
    collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse},
    trace::v1::{ResourceSpans, ScopeSpans, Span},
};
use prost::Message;
use tower::ServiceExt;

use super::*;
use crate::{ErrorKind, key::StoreKey};

const NOW_US: i64 = 1_700_000_000_000_000;
const PROTOBUF: &str = "application/x-protobuf";

type Fault = Arc<Mutex<Option<ErrorKind>>>;

struct Bench {
    router: Router,
    stored: Arc<Mutex<IntakeCounts>>,
    fault: Fault,
}

fn bench() -> Bench {
    let config =
        Config { cors_origins: vec!["https://cases.example".to_owned()], body_bytes_max: 100_000, ..Config::default() };
    let (stored, fault) = (Arc::new(Mutex::new(IntakeCounts::default())), Fault::default());
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
    let policy = Policy::new(&StoreKey::new([1; 32]), &config);
    let state = State::with_submit(policy, Box::new(submit), Box::new(|| true), &config, || NOW_US);
    Bench { router: router(state), stored, fault }
}

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
        let mut request = Request::builder().method(method).uri(path);
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
            answer::Status::decode(body.as_slice()).unwrap()
        } else {
            let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
            let code = i32::try_from(body["code"].as_i64().unwrap()).unwrap();
            answer::Status { code, message: body["message"].as_str().unwrap().to_owned() }
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
    for (kind, expected, ready) in [
        (ErrorKind::Overloaded, StatusCode::TOO_MANY_REQUESTS, StatusCode::OK),
        (ErrorKind::Unavailable, StatusCode::SERVICE_UNAVAILABLE, StatusCode::SERVICE_UNAVAILABLE),
        (ErrorKind::Internal, StatusCode::SERVICE_UNAVAILABLE, StatusCode::SERVICE_UNAVAILABLE),
    ] {
        *bench.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(kind);
        let (status, headers, _) = bench.send(&[("content-type", PROTOBUF)], body.clone()).await;
        assert_eq!(status, expected);
        assert!(headers.contains_key(header::RETRY_AFTER));
        assert_eq!(bench.request("GET", "/readyz", &[], "").await.0, ready);
    }
    *bench.fault.lock().unwrap_or_else(PoisonError::into_inner) = None;
    assert_eq!(bench.send(&[("content-type", PROTOBUF)], body).await.0, StatusCode::OK);
    assert_eq!(bench.request("GET", "/readyz", &[], "").await.0, StatusCode::OK);
    assert_eq!(bench.request("GET", "/livez", &[], "").await.0, StatusCode::OK);
    let (_, _, metrics) = bench.request("GET", "/metrics", &[], "").await;
    let metrics = String::from_utf8(metrics).unwrap();
    assert!(metrics.contains("gilbreth_requests_total{status=\"503\"} 2\n"), "{metrics}");
    assert!(metrics.contains("gilbreth_spans_received_total 4\n"), "{metrics}");
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
    let own = [("content-type", PROTOBUF), ("origin", "http://here:4318"), ("host", "here:4318")];
    assert_eq!(bench.send(&own, body).await.0, StatusCode::OK);
}
