//! Tokens, as those see them who run the service and those who send to it: made, used and revoked while it runs, and shown
//! nowhere.

use std::{
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};

use gilbreth_tests::{
    http::{Answer, Client},
    program::{Program, text},
    spans,
};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use prost::Message as _;

use crate::canary::{contains, raw};

/// A change is to be noticed within a second or so; a machine that does other things takes longer.
const NOTICED_MAX: Duration = Duration::from_mins(1);
/// Whatever touches a request says all that it can.
const ALL: &str = "info,gilbreth=trace,gilbreth_collector=trace,deltalake_core=trace,hyper=trace,hyper_util=trace,h2=trace,\
                   axum=trace,tower=trace,tonic=trace,rustls=trace,reqwest=trace";
const PAGE: &str = "https://ndelius.example";

/// What is said of tokens anywhere is gathered, to be searched.
struct Estate {
    program: Program,
    store: String,
    client: Client,
    to: SocketAddr,
    said: Vec<u8>,
    tokens: Vec<String>,
    next: u64,
}

impl Estate {
    fn token(&mut self, label: &str, more: &[&str]) -> String {
        let output = self.program.run([&["token", "add", "--store", &self.store, "--label", label], more].concat());
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        self.said.extend(output.stderr);
        let token = text(&output.stdout).trim_end().to_owned();
        assert!(token.starts_with("gilbreth_") && !token.contains('\n'), "the token alone is printed");
        self.tokens.push(token.clone());
        token
    }

    fn run(&mut self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = self.program.run(arguments);
        self.said.extend(&output.stdout);
        self.said.extend(&output.stderr);
        (output.status.code(), text(&output.stdout) + &text(&output.stderr))
    }

    fn post(&mut self, path: &str, headers: &[(&str, &str)], request: &ExportTraceServiceRequest) -> Answer {
        let headers: Vec<_> = headers.iter().copied().chain([("content-type", "application/x-protobuf")]).collect();
        let answer = self.client.post(self.to, path, &headers, request.encode_to_vec()).unwrap();
        self.said.extend(&answer.body);
        answer
    }

    fn send(&mut self, token: &str, request: &ExportTraceServiceRequest) -> Answer {
        self.post("/v1/traces", &[("authorization", &format!("Bearer {token}"))], request)
    }

    /// So many new spans of a system, that long ago.
    fn spans(&mut self, system: &str, count: u64, ago: Duration) -> ExportTraceServiceRequest {
        let now = std::time::UNIX_EPOCH.elapsed().unwrap() - ago;
        let now = i64::try_from(now.as_millis()).unwrap();
        self.next += count;
        let made =
            (self.next - count..self.next).map(|id| spans::interaction(id, "action", now - 1_000, now, Vec::new()));
        spans::request(system, made.collect())
    }

    fn now(&mut self, system: &str) -> ExportTraceServiceRequest {
        self.spans(system, 1, Duration::ZERO)
    }
}

fn refused(answer: &Answer) -> i64 {
    assert_eq!(answer.status, 200, "{}", text(&answer.body));
    let partial = ExportTraceServiceResponse::decode(answer.body.as_slice()).unwrap().partial_success;
    partial.map_or(0, |partial| partial.rejected_spans)
}

#[test]
fn tokens_are_made_used_and_revoked_beside_serve_and_shown_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let program = crate::program();
    let service = program.serve_in(&store, &[], &[("RUST_LOG", ALL)]);
    let mut estate = Estate {
        program: program.clone(),
        store: store.to_string_lossy().into_owned(),
        client: Client::new(),
        to: service.otlp(),
        said: Vec::new(),
        tokens: Vec::new(),
        next: 0,
    };
    let request = estate.now("ndelius");
    assert_eq!(estate.post("/v1/traces", &[], &request).status, 200, "without tokens this machine may send");

    let servers = estate.token("servers", &["--system", "ndelius"]);
    let request = estate.now("ndelius");
    assert_eq!(refused(&estate.send(&servers, &request)), 0, "it holds the moment it is printed");
    assert_eq!(estate.post("/v1/traces", &[], &request).status, 401);
    let request = estate.spans("oasys", 3, Duration::ZERO);
    assert_eq!(refused(&estate.send(&servers, &request)), 3);
    let years = Duration::from_hours(24 * 800);
    let request = estate.spans("ndelius", 2, years);
    assert_eq!(refused(&estate.send(&servers, &request)), 2);
    let copy = estate.token("copy", &["--all-systems", "--replay"]);
    assert_eq!(refused(&estate.send(&copy, &request)), 0);

    let page = estate.token("page", &["--page", PAGE, "--system", "ndelius"]);
    let path = format!("/v1/traces?token={page}");
    let request = estate.now("ndelius");
    assert_eq!(refused(&estate.post(&path, &[("origin", PAGE)], &request)), 0);
    assert_eq!(estate.post(&path, &[("origin", "https://evil.example")], &request).status, 403);
    assert_eq!(estate.post(&path, &[], &request).status, 403);
    assert_eq!(estate.post(&format!("/v1/traces?token={servers}"), &[], &request).status, 401);

    let few = estate.token("few", &["--system", "ndelius", "--spans-per-second", "1"]);
    let request = estate.spans("ndelius", 1_000, Duration::ZERO);
    assert_eq!(refused(&estate.send(&few, &request)), 0);
    let request = estate.now("ndelius");
    assert_eq!(estate.send(&few, &request).status, 503);
    assert_eq!(refused(&estate.send(&servers, &request)), 0, "others go on");

    simulated(&mut estate, &copy);
    revoked(&mut estate, &servers);

    for from in [service.otlp(), service.web()] {
        for path in ["/livez", "/readyz", "/metrics"] {
            let answer = estate.client.get(from, path).unwrap();
            assert_eq!(answer.status, 200, "{path}");
            estate.said.extend(&answer.body);
        }
    }
    let said = service.said();
    assert!(said.contains("TRACE"), "there is a log to search");
    estate.said.extend(said.as_bytes());
    assert!(service.stop());
    assert_eq!(
        program.sql_value(&store, "SELECT count(*) FROM spans WHERE started_at < now() - INTERVAL '700 days'"),
        "2"
    );
    assert_eq!(
        program.sql_value(
            &store,
            "SELECT count(*) FROM spans WHERE system = 'oasys' AND name = 'action' AND kind IS NULL"
        ),
        "0"
    );
    nowhere(&estate, &store);
}

/// The estate's simulation sends with a token, and says what is wrong without one.
fn simulated(estate: &mut Estate, token: &str) {
    let url = format!("http://{}", estate.to);
    let asked = ["simulate", "--endpoint", &url, "--staff", "1", "--weeks", "1"];
    let (code, said) = estate.run(&asked);
    assert!(code == Some(1) && said.contains("GILBRETH_TOKEN"), "{said}");
    let (code, said) = estate.run(&[&asked[..], &["--token", "gilbreth_00000000_nonsense"]].concat());
    assert!(code == Some(1) && !said.contains("nonsense"), "{said}");
    let (code, said) = estate.run(&[&asked[..], &["--token", token]].concat());
    assert_eq!(code, Some(0), "{said}");
}

fn revoked(estate: &mut Estate, servers: &str) {
    let store = estate.store.clone();
    let (code, said) = estate.run(&["token", "list", "--store", &store]);
    assert!(code == Some(0) && said.contains("sending spans of ndelius") && said.contains(PAGE), "{said}");
    let (code, said) = estate.run(&["token", "list", "--store", &store, "--format", "json"]);
    assert_eq!(code, Some(0));
    let listed: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(listed.as_array().map(Vec::len), Some(4));
    assert!(listed[0].get("hash").is_none());

    assert_eq!(estate.run(&["token", "revoke", "--store", &store, "servers"]).0, Some(0));
    let began = Instant::now();
    loop {
        let request = estate.now("ndelius");
        if estate.send(servers, &request).status == 401 {
            break;
        }
        assert!(began.elapsed() < NOTICED_MAX, "it was revoked a minute ago");
        std::thread::sleep(Duration::from_millis(50));
    }
    let (code, said) = estate.run(&["token", "revoke", "--store", &store, "servers"]);
    assert!(code == Some(1) && said.contains("no token of this id or label is in force"), "{said}");
    assert_eq!(estate.run(&["token", "add", "--store", &store, "--label", "x"]).0, Some(2), "for nothing");
    let (code, said) = estate.run(&["token", "list", "--store", &format!("{store}-not")]);
    assert!(code == Some(1) && said.contains("there is no store"), "{said}");
}

/// No token is in anything that was said, nor in any file.
fn nowhere(estate: &Estate, store: &Path) {
    let kept = raw(store);
    assert!(contains(&kept, "sending_needs_token"), "the search finds what is there");
    for token in &estate.tokens {
        let secret = token.rsplit('_').next().unwrap();
        assert_eq!(secret.len(), 64);
        for half in [&secret[..32], &secret[32..]] {
            assert!(!contains(&estate.said, half), "a token was said");
            assert!(!contains(&kept, half), "a token was kept");
        }
    }
}
