use std::sync::Mutex;

use axum::{extract::connect_info::MockConnectInfo, http::HeaderMap};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use opentelemetry_proto::tonic::{
    collector::{logs::v1::ExportLogsServiceRequest, trace::v1::ExportTraceServiceRequest},
    logs::v1::{LogRecord, ResourceLogs, ScopeLogs},
    trace::v1::{ResourceSpans, ScopeSpans, Span},
};
use prost::Message as _;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use tower::ServiceExt as _;

use super::*;
use crate::{
    Error, ErrorKind,
    access::{self, Access, Limits, Rights, Wanted},
    agent::Rulebook,
    config::Config,
    gate::{Admitted, IntakeCounts, Policy},
    key::StoreKey,
    receive::behind::{self, Behind, Submitted},
    store::Store,
    telemetry,
};

const NOW_US: i64 = 1_700_000_000_000_000;
const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const LOGS: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
const BYTES_MAX: usize = 100_000;

/// A receiver whose pipeline answers with a fault, or never.
#[derive(Clone, Copy)]
enum Pipeline {
    Stores,
    Fails(ErrorKind),
    Hangs,
}

struct Bench {
    router: Router,
    store: Store,
    stored: Arc<Mutex<u64>>,
}

fn bench(pipeline: Pipeline) -> Bench {
    let config = Config { body_bytes_max: BYTES_MAX, ..Config::default() };
    let stored = Arc::new(Mutex::new(0));
    let storing = Arc::clone(&stored);
    let submit = move |admitted: Admitted, _: IntakeCounts| -> Submitted {
        match pipeline {
            Pipeline::Stores => *storing.lock().unwrap() += admitted.len() as u64,
            Pipeline::Fails(kind) => return Box::pin(async move { Err(Error::new(kind, "no room on the disk")) }),
            Pipeline::Hangs => return Box::pin(std::future::pending()),
        }
        Box::pin(async { Ok(()) })
    };
    Bench { stored, ..bench_before(Behind::stub(submit), &config) }
}

fn bench_before(behind: Behind, config: &Config) -> Bench {
    let policy = Policy::new(&StoreKey::new([1; 32]), config);
    let store = behind::store();
    let access = Access::open(&store, false).unwrap();
    let receiver = Receiver::before(behind, policy, access, Rulebook::load(config).unwrap(), config, || NOW_US);
    let router = router(receiver).layer(MockConnectInfo(SocketAddr::from(([127, 0, 0, 1], 1))));
    Bench { router, store, stored: Arc::default() }
}

impl Bench {
    /// Its headers, message and status.
    async fn call(&self, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> (HeaderMap, Bytes, Status) {
        let mut request = Request::builder().method("POST").uri(path).header("content-type", "application/grpc");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let headers = response.headers().clone();
        let body = response.into_body().collect().await.unwrap();
        let status = body.trailers().and_then(Status::from_header_map);
        let status = status.or_else(|| Status::from_header_map(&headers)).expect("every call has a status");
        (headers, body.to_bytes(), status)
    }

    fn stored(&self) -> u64 {
        *self.stored.lock().unwrap()
    }
}

fn traces(ids: &[[u8; 16]]) -> Vec<u8> {
    let ns = u64::try_from(NOW_US).unwrap() * 1000;
    let span = |id: &[u8; 16]| Span {
        trace_id: id.to_vec(),
        span_id: vec![7; 8],
        start_time_unix_nano: ns,
        end_time_unix_nano: ns,
        ..Span::default()
    };
    let scope_spans = vec![ScopeSpans { spans: ids.iter().map(span).collect(), ..ScopeSpans::default() }];
    let resource_spans = vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }.encode_to_vec()
}

fn framed(flag: u8, message: &[u8]) -> Vec<u8> {
    [&[flag][..], &u32::try_from(message.len()).unwrap().to_be_bytes(), message].concat()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

#[tokio::test]
async fn exports_of_both_signals_packed_or_not_are_stored_and_answered_with_an_empty_message() {
    let bench = bench(Pipeline::Stores);
    let message = traces(&[[1; 16]]);
    let record = LogRecord {
        event_name: "session.start".to_owned(),
        time_unix_nano: 1_700_000_000_000_000_000,
        ..LogRecord::default()
    };
    let record = LogRecord { trace_id: vec![3; 16], ..record };
    let scope_logs = vec![ScopeLogs { log_records: vec![record], ..ScopeLogs::default() }];
    let resource_logs = vec![ResourceLogs { scope_logs, ..ResourceLogs::default() }];
    let logs = ExportLogsServiceRequest { resource_logs }.encode_to_vec();
    for (path, encoding, body) in [
        (TRACES, "identity", framed(0, &message)),
        (TRACES, "gzip", framed(1, &gzip(&message))),
        (TRACES, "gzip", framed(0, &message)),
        (TRACES, "zstd", framed(1, &zstd::encode_all(message.as_slice(), 1).unwrap())),
        (LOGS, "identity", framed(0, &logs)),
    ] {
        let (headers, answer, status) = bench.call(path, &[("grpc-encoding", encoding)], body).await;
        assert_eq!((status.code(), &answer[..]), (Code::Ok, &[0; 5][..]), "{path} {encoding}: {status:?}");
        assert_eq!(headers["grpc-accept-encoding"], "identity,gzip,zstd");
    }
    assert_eq!(bench.stored(), 5);
    let (_, answer, status) = bench.call(TRACES, &[], framed(0, b"")).await;
    assert_eq!((status.code(), &answer[..]), (Code::Ok, &[0; 5][..]), "an empty request succeeds");
}

#[tokio::test]
async fn a_partial_success_is_in_the_message() {
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
    let bench = bench(Pipeline::Stores);
    let (_, answer, status) = bench.call(TRACES, &[], framed(0, &traces(&[[0; 16], [1; 16]]))).await;
    assert_eq!(status.code(), Code::Ok);
    let partial = ExportTraceServiceResponse::decode(&answer[5..]).unwrap().partial_success.unwrap();
    assert_eq!(partial.rejected_spans, 1);
    assert!(partial.error_message.contains("trace id"), "{partial:?}");
}

#[tokio::test]
async fn what_can_never_succeed_is_said_and_not_to_be_sent_again() {
    let bench = bench(Pipeline::Stores);
    let good = framed(0, &traces(&[[1; 16]]));
    let bomb = framed(1, &gzip(&vec![0; 100 * BYTES_MAX]));
    let claims = [&[0][..], &u32::MAX.to_be_bytes()].concat();
    for (path, headers, body, code) in [
        (TRACES, &[][..], framed(0, b"\xff\xff"), Code::InvalidArgument),
        (TRACES, &[("grpc-encoding", "gzip")], framed(1, b"no gzip"), Code::InvalidArgument),
        (TRACES, &[("grpc-encoding", "br")], good.clone(), Code::Unimplemented),
        (TRACES, &[], framed(1, b""), Code::Internal),
        (TRACES, &[], framed(2, b""), Code::Internal),
        (TRACES, &[], b"".to_vec(), Code::Internal),
        (TRACES, &[], good[..good.len() - 1].to_vec(), Code::Internal),
        (TRACES, &[], good.repeat(2), Code::Internal),
        (TRACES, &[], framed(0, &vec![0; BYTES_MAX + 1]), Code::ResourceExhausted),
        (TRACES, &[], claims, Code::ResourceExhausted),
        (TRACES, &[("grpc-encoding", "gzip")], bomb, Code::ResourceExhausted),
        (TRACES, &[("grpc-timeout", "soon")], good.clone(), Code::InvalidArgument),
        ("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", &[], good.clone(), Code::Unimplemented),
        ("/opentelemetry.proto.collector.trace.v1.TraceService/Import", &[], good, Code::Unimplemented),
    ] {
        let (headers, answer, status) = bench.call(path, headers, body).await;
        assert_eq!(status.code(), code, "{status:?}");
        assert!(!status.message().is_empty() && answer.is_empty() && status.get_details_retry_info().is_none());
        assert!(headers["grpc-accept-encoding"].to_str().unwrap().contains("zstd"));
    }
    assert_eq!(bench.stored(), 0);
}

#[tokio::test]
async fn a_fault_of_ours_is_unavailable_and_says_when_to_come_again() {
    for kind in [ErrorKind::Overloaded, ErrorKind::Unavailable, ErrorKind::Corrupt, ErrorKind::Internal] {
        let (_, _, status) = bench(Pipeline::Fails(kind)).call(TRACES, &[], framed(0, &traces(&[[1; 16]]))).await;
        assert_eq!(status.code(), Code::Unavailable, "{kind:?}");
        let delay = status.get_details_retry_info().unwrap().retry_delay.unwrap();
        assert_eq!(delay.as_secs(), crate::receive::refusal::RETRY_AFTER_S);
    }
}

#[tokio::test]
async fn a_token_is_metadata_and_its_lack_limit_and_rights_have_codes_of_their_own() {
    let bench = bench(Pipeline::Stores);
    let token = |label: &str, rights: Rights, limits: Option<Limits>| {
        let limits = limits.unwrap_or_else(|| Limits::default_for(&rights));
        let wanted = Wanted { label: label.to_owned(), rights, limits };
        let (token, _) = access::add(&bench.store, wanted, chrono::Utc::now()).unwrap();
        format!("Bearer {}", token.reveal())
    };
    let message = framed(0, &traces(&[[1; 16]]));
    assert_eq!(bench.call(TRACES, &[], message.clone()).await.2.code(), Code::Ok, "there are no tokens yet");
    let one = Limits { spans_per_s: 1.try_into().ok(), requests_at_once_max: 1.try_into().unwrap() };
    let few = token("few", Rights::send(None, false).unwrap(), Some(one));
    let reader = token("reader", Rights::read(access::Role::Auditor), None);
    let many = framed(0, &traces(&[[1; 16]; 100]));
    for (bearer, body, code) in [
        // What is not known makes it look for new tokens; without one it may take a moment until one is needed.
        (Some("Bearer gilbreth_00000000_00"), &message, Code::Unauthenticated),
        (None, &message, Code::Unauthenticated),
        (Some(reader.as_str()), &message, Code::PermissionDenied),
        (Some(few.as_str()), &many, Code::Ok),
        (Some(few.as_str()), &message, Code::Unavailable),
    ] {
        let headers: Vec<_> = bearer.map(|bearer| ("authorization", bearer)).into_iter().collect();
        let (_, _, status) = bench.call(TRACES, &headers, body.clone()).await;
        assert_eq!(status.code(), code, "{status:?}");
        let delay = status.get_details_retry_info().and_then(|info| info.retry_delay);
        assert_eq!(delay.is_some_and(|delay| delay.as_secs() >= 60), code == Code::Unavailable, "{delay:?}");
    }
}

#[tokio::test]
async fn what_our_own_exporter_marks_is_worked_on_untraced() {
    let untraced = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&untraced);
    let submit = move |_: Admitted, _: IntakeCounts| -> Submitted {
        seen.lock().unwrap().push(telemetry::is_untraced());
        Box::pin(async { Ok(()) })
    };
    let bench = bench_before(Behind::stub(submit), &Config::default());
    for mark in [&[][..], &[(telemetry::HEADER, "1")]] {
        assert_eq!(bench.call(TRACES, mark, framed(0, &traces(&[[1; 16]]))).await.2.code(), Code::Ok);
    }
    assert_eq!(*untraced.lock().unwrap(), [false, true]);
}

#[tokio::test]
async fn a_deadline_is_kept() {
    let hangs = bench(Pipeline::Hangs);
    let (_, _, status) = hangs.call(TRACES, &[("grpc-timeout", "10m")], framed(0, &traces(&[[1; 16]]))).await;
    assert_eq!(status.code(), Code::DeadlineExceeded);
    let stores = bench(Pipeline::Stores);
    let (_, _, status) = stores.call(TRACES, &[("grpc-timeout", "1H")], framed(0, &traces(&[[1; 16]]))).await;
    assert_eq!(status.code(), Code::Ok);
}

#[tokio::test]
async fn what_is_no_grpc_is_answered_as_http() {
    let router = bench(Pipeline::Stores).router;
    for (method, content_type, expected) in [
        ("GET", "application/grpc", StatusCode::METHOD_NOT_ALLOWED),
        ("POST", "application/json", StatusCode::UNSUPPORTED_MEDIA_TYPE),
        ("POST", "application/grpc-web", StatusCode::UNSUPPORTED_MEDIA_TYPE),
        ("POST", "application/grpc+json", StatusCode::UNSUPPORTED_MEDIA_TYPE),
        ("POST", "application/grpc+proto", StatusCode::OK),
    ] {
        let request = Request::builder().method(method).uri(TRACES).header("content-type", content_type);
        let response = router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), expected, "{method} {content_type}");
    }
}
