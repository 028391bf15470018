//! What the platform says of itself: metrics that Prometheus reads, spans in its own store that come to an end, and health
//! that tells the truth.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use gilbreth_tests::{http::Client, program::Service, program::text, prometheus, spans};

/// How long anything is waited for that must come about.
const PATIENCE: Duration = Duration::from_mins(3);
/// Many times as long as a turn of receiving, committing, refreshing and exporting takes as they are set here.
const QUIET: Duration = Duration::from_secs(8);

fn metrics(client: &Client, service: &Service) -> prometheus::Samples {
    let answer = client.get(service.otlp(), "/metrics").unwrap();
    assert_eq!((answer.status, answer.content_type.as_str()), (200, "text/plain; version=0.0.4; charset=utf-8"));
    prometheus::read(&text(&answer.body)).unwrap()
}

fn some(count: u64) -> opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest {
    let now = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
    spans::request(
        "ndelius",
        (0..count).map(|id| spans::interaction(id, "action", now - 1_000, now, Vec::new())).collect(),
    )
}

#[test]
fn metrics_follow_the_rules_of_prometheus_and_say_what_happened() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("gilbreth.toml");
    std::fs::write(&config, "[collector]\ncommit_after_s = 1\n[serve]\nrefresh_every_s = 1\n").unwrap();
    let service = crate::program().serve(&folder.path().join("store"), &["--config", config.to_str().unwrap()]);
    let client = Client::new();
    let before = metrics(&client, &service);
    assert_eq!(before["gilbreth_spans_received_total"], 0.0);

    for _ in 0..2 {
        assert_eq!(client.export(service.otlp(), &some(20)).unwrap().status, 200);
    }
    let mut refused = some(3);
    refused.resource_spans[0].scope_spans[0].spans[0].trace_id.clear();
    assert_eq!(client.export(service.otlp(), &refused).unwrap().status, 200);
    assert_eq!(client.post(service.otlp(), "/v1/traces", &[("content-type", "x/y")], Vec::new()).unwrap().status, 415);

    let began = Instant::now();
    let after = loop {
        let now = metrics(&client, &service);
        if now["gilbreth_rows_committed_total"] == 20.0 && now["gilbreth_refresh_seconds_count"] >= 1.0 {
            break now;
        }
        assert!(began.elapsed() < PATIENCE, "{now:?}");
        std::thread::sleep(Duration::from_millis(100));
    };
    for (name, value) in [
        ("gilbreth_requests_total{transport=\"http\",status=\"200\"}", 3.0),
        ("gilbreth_requests_total{transport=\"http\",status=\"415\"}", 1.0),
        ("gilbreth_request_seconds_count", 4.0),
        ("gilbreth_spans_received_total", 43.0),
        ("gilbreth_spans_refused_total{reason=\"trace id not of 16 bytes, or of zeros\"}", 1.0),
        ("gilbreth_spans_duplicated_total", 22.0),
        ("gilbreth_spans_forgotten_total", 0.0),
        ("gilbreth_waiting_rows", 0.0),
        ("gilbreth_commit_lag_seconds", 0.0),
        ("gilbreth_disk_refusals_total", 0.0),
        ("gilbreth_commit_failures_total", 0.0),
        ("gilbreth_refresh_failures_total", 0.0),
    ] {
        assert_eq!(after.get(name), Some(&value), "{name}");
    }
    for name in ["gilbreth_log_sync_seconds_count", "gilbreth_commit_seconds_count", "gilbreth_log_written_bytes_total"]
    {
        assert!(after[name] >= 1.0, "{name}");
    }
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs_f64();
    let committed = after["gilbreth_last_commit_timestamp_seconds"];
    assert!(committed > 1.0e9 && committed <= now, "{committed}");
    // The other port says the same.
    let web = client.get(service.web(), "/metrics").unwrap();
    let web = prometheus::read(&text(&web.body)).unwrap();
    assert_eq!(web["gilbreth_rows_committed_total"], 20.0);
    assert!(service.stop());
}

#[test]
fn its_own_spans_are_in_its_own_store_and_come_to_an_end() {
    let folder = tempfile::tempdir().unwrap();
    let program = crate::program();
    let store = folder.path().join("store");
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = folder.path().join("gilbreth.toml");
    let text = format!(
        "[collector]\ncommit_after_s = 1\n[serve]\nrefresh_every_s = 1\n[telemetry]\nendpoint = \"http://{port}\"\nprotocol = \
         \"http/protobuf\"\n"
    );
    std::fs::write(&config, text).unwrap();
    let listen = port.to_string();
    let more = ["--config", config.to_str().unwrap(), "--otlp-http", &listen];
    let service = program.serve_in(&store, &more, &[("OTEL_BSP_SCHEDULE_DELAY", "100")]);
    let client = Client::new();
    assert_eq!(client.export(service.otlp(), &some(5)).unwrap().status, 200);

    let own = |names: &str| own(&program, &store, names);
    let began = Instant::now();
    while ["export", "commit", "refresh"].into_iter().any(|name| own(&format!("AND name = '{name}'")) == 0) {
        assert!(began.elapsed() < PATIENCE, "own spans arrive");
        std::thread::sleep(Duration::from_millis(200));
    }
    // Of one request, the commits that hold it and the refreshes that find it, and not of what tells of them.
    let mut last = own("");
    loop {
        std::thread::sleep(QUIET);
        let now = own("");
        if now == last {
            break;
        }
        last = now;
        assert!(began.elapsed() < PATIENCE, "{now} own spans, and more: it feeds itself");
    }
    assert_eq!(own("AND name = 'export'"), 1, "one of the request, none of our own exports");
    let counted = metrics(&client, &service);
    assert!(counted["gilbreth_requests_total{transport=\"http\",status=\"200\"}"] >= 2.0, "our exports are counted");
    let refreshes = counted["gilbreth_refresh_seconds_count"];
    assert!(refreshes >= 2.0, "{refreshes}: it went on working");

    // What was forwarded by another collector has lost the mark, and leaves no span either.
    assert_eq!(
        client
            .export(
                service.otlp(),
                &spans::request("gilbreth", some(9).resource_spans.remove(0).scope_spans.remove(0).spans.split_off(5))
            )
            .unwrap()
            .status,
        200
    );
    assert_eq!(client.export(service.otlp(), &some(12)).unwrap().status, 200);
    let began = Instant::now();
    while own("AND name = 'export'") < 2 {
        assert!(began.elapsed() < PATIENCE, "the second request of another leaves a span");
        std::thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(own("AND name = 'export'"), 2);
    assert!(service.stop());
}

fn own(program: &gilbreth_tests::program::Program, store: &Path, more: &str) -> u64 {
    let sql = format!("SELECT count(*) FROM spans WHERE system = 'gilbreth' AND name <> 'action' {more}");
    // Before the first commit there is no table.
    let output = program.run(["sql", "--store", &store.to_string_lossy(), "--format", "csv", &sql]);
    text(&output.stdout).lines().nth(1).and_then(|line| line.parse().ok()).unwrap_or(0)
}

#[test]
fn health_says_what_is_wrong_and_never_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let program = crate::program();
    let path = store.to_string_lossy().into_owned();
    let token = program.succeed(["token", "add", "--store", &path, "--label", "x", "--all-systems"]);
    let token = token.trim();
    let service = program.serve(&store, &[]);
    let client = Client::new();
    let health = || [service.otlp(), service.web()].map(|from| client.get(from, "/readyz").unwrap());
    for answer in health() {
        assert_eq!((answer.status, text(&answer.body).as_str()), (200, "ready\n"));
    }
    let tokens = store.join("access/tokens.json");
    let whole = std::fs::read(&tokens).unwrap();
    std::fs::write(&tokens, &whole[..whole.len() / 2]).unwrap();
    let bearer = format!("Bearer {token}");
    let send = || {
        let headers = [("content-type", "application/x-protobuf"), ("authorization", bearer.as_str())];
        client.post(service.otlp(), "/v1/traces", &headers, Vec::new()).unwrap().status
    };
    let wait_for = |status: u16| {
        let began = Instant::now();
        loop {
            assert_eq!(send(), 200, "what was known holds");
            let answers = health();
            if answers.iter().all(|answer| answer.status == status) {
                return answers;
            }
            assert!(began.elapsed() < PATIENCE);
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    for answer in wait_for(503) {
        assert_eq!(text(&answer.body), "the access tokens cannot be read\n");
    }
    assert_eq!(client.get(service.otlp(), "/livez").unwrap().status, 200, "it is alive all the same");
    std::fs::write(&tokens, &whole).unwrap();
    wait_for(200);
    assert!(service.stop());
}
