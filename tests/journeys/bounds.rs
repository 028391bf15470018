//! Whatever is sent, memory stays within its budget, and whoever behaves is served: bad senders come from an address of
//! their own, good ones from another, and every request of the good ones succeeds.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use gilbreth_conventions::attribute;
use gilbreth_tests::{
    hog::{self, Hog, Packing},
    http::Client,
    program::{Service, text},
    prometheus, spans,
};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;

/// `docs/receiving.md` says what it is made up of.
const MEMORY_MIB_MAX: u64 = 2_368;
/// On Linux all of 127.0.0.0/8 is this machine.
const BAD: &str = "127.0.0.2";
/// In the place of a status: the connection was closed on a body that was being written. It stands for 503: whoever is told
/// to come again is not read to the end, and may meet the end before the answer.
const CLOSED: u16 = 0;
const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");

/// Runs `bad` beside a good sender until it ends; every request of the good one must succeed, and some must have been
/// sent meanwhile.
fn beside_a_good_sender<T: Send>(service: &Service, bad: impl FnOnce(SocketAddr) -> T + Send) -> T {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let good = scope.spawn(|| {
            let client = Client::new();
            let mut sent = 0;
            while !over.load(Ordering::Relaxed) || sent < 20 {
                let now = now_ms();
                let span = spans::interaction(now_ns(), "action", now - 5, now, Vec::new());
                let answer = client.export(service.otlp(), &spans::request("good", vec![span])).unwrap();
                assert_eq!(answer.status, 200, "request {sent} of the good sender");
                sent += 1;
            }
        });
        let to = service.otlp();
        let done = scope.spawn(move || bad(to)).join();
        over.store(true, Ordering::Relaxed);
        good.join().unwrap();
        done.unwrap()
    })
}

/// What it has in memory once it has nothing left to do of what it does as it starts.
fn memory_at_rest_mib(service: &Service) -> u64 {
    const REST: Duration = Duration::from_secs(2);
    let client = Client::new();
    let until = Instant::now() + Duration::from_secs(120);
    let (mut memory, mut since) = (service.memory_mib(), Instant::now());
    loop {
        let page = client.get(service.otlp(), "/metrics").unwrap();
        let refreshed = prometheus::read(&text(&page.body)).unwrap()["gilbreth_refresh_seconds_count"] > 0.0;
        let now = service.memory_mib();
        if !refreshed || now.abs_diff(memory) > 1 {
            (memory, since) = (now, Instant::now());
        }
        if since.elapsed() >= REST {
            return now;
        }
        assert!(Instant::now() < until, "it does not come to rest: {now} MiB");
        thread::sleep(Duration::from_millis(100));
    }
}

fn is_within_budget(service: &Service, what: &str) {
    let peak = service.peak_memory_mib();
    eprintln!("{what}: at most {peak} MiB were in memory");
    assert!(peak <= MEMORY_MIB_MAX, "{what}: {peak} MiB");
}

fn now_ns() -> u64 {
    u64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos()).unwrap()
}

fn now_ms() -> i64 {
    i64::try_from(now_ns() / 1_000_000).unwrap()
}

/// Sends the body so often, from several connections of the bad sender at once; returns the statuses.
fn at_once(to: SocketAddr, connections: usize, times: usize, headers: &[(&str, &str)], body: &[u8]) -> Vec<u16> {
    thread::scope(|scope| {
        let senders: Vec<_> = (0..connections)
            .map(|_| {
                scope.spawn(move || {
                    let client = Client::from(BAD.parse().unwrap());
                    let send = |_| match client.post(to, "/v1/traces", headers, body.to_vec()) {
                        Ok(answer) => answer.status,
                        Err(error) if error.is_request() && !error.is_connect() && !error.is_timeout() => CLOSED,
                        Err(error) => panic!("{error}"),
                    };
                    (0..times).map(send).collect::<Vec<_>>()
                })
            })
            .collect();
        senders.into_iter().flat_map(|sender| sender.join().unwrap()).collect()
    })
}

#[test]
fn slow_senders_take_neither_places_nor_memory_from_others() {
    let folder = tempfile::tempdir().unwrap();
    // What is measured is what the bodies take: nothing else is to be done meanwhile, nor for the first time.
    let config = folder.path().join("rarely.toml");
    std::fs::write(
        &config,
        "[collector]\ncommit_after_s = 3600\n[serve]\nrefresh_every_s = 3600\n[upkeep]\nevery_s = 3600\n",
    )
    .unwrap();
    let service = crate::program().serve(&folder.path().join("store"), &["--config", &config.to_string_lossy()]);
    beside_a_good_sender(&service, |_| ());
    let before = memory_at_rest_mib(&service);
    let kept = beside_a_good_sender(&service, |to| {
        let mut slow = Hog::trickling(BAD, to, 600);
        for _ in 0..5 {
            slow.trickle();
        }
        slow.trickle()
    });
    assert!((1..600).contains(&kept), "{kept} of 600 connections are one sender's share");
    let grown = service.memory_mib().saturating_sub(before);
    eprintln!("slow senders: {before} MiB and {grown} more");
    assert!(grown <= 128, "{kept} bodies said to be of 64 MiB, of which a few bytes came, take {grown} MiB");
    is_within_budget(&service, "slow senders");
    assert!(service.stop());
}

#[test]
fn a_sender_that_holds_its_share_of_memory_leaves_the_rest_to_others() {
    let folder = tempfile::tempdir().unwrap();
    let service = crate::program().serve(&folder.path().join("store"), &[]);
    let hog = Hog::reading(BAD, service.otlp());
    let refused = beside_a_good_sender(&service, |to| at_once(to, 1, 1, &[PROTOBUF], b""));
    assert_eq!(refused, [503], "the bad sender has all that it may");
    is_within_budget(&service, "bodies that never end");
    hog.end();
    assert!(service.stop());
}

#[test]
fn bombs_are_refused_within_the_budget_and_hold_up_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let service = crate::program().serve(&folder.path().join("store"), &[]);
    for (packing, encoding) in [(Packing::Gzip, "gzip"), (Packing::Zstd, "zstd")] {
        let bomb = hog::bomb(packing);
        let headers = [PROTOBUF, ("content-encoding", encoding)];
        assert_eq!(at_once(service.otlp(), 1, 1, &headers, &bomb), [413], "{encoding}");
        let statuses = beside_a_good_sender(&service, |to| at_once(to, 24, 2, &headers, &bomb));
        assert!(statuses.iter().all(|status| matches!(status, 413 | 503)), "{statuses:?}");
        assert!(statuses.contains(&413), "{statuses:?}");
        is_within_budget(&service, encoding);
    }
    assert!(service.stop());
}

#[test]
fn huge_attributes_and_a_million_names_stay_within_the_budget() {
    let folder = tempfile::tempdir().unwrap();
    // What works in the background does so all the time.
    let config = folder.path().join("gilbreth.toml");
    std::fs::write(&config, "[collector]\ncommit_after_s = 1\n[serve]\nrefresh_every_s = 1\n[upkeep]\nevery_s = 1\n")
        .unwrap();
    let service = crate::program().serve(&folder.path().join("store"), &["--config", config.to_str().unwrap()]);
    let now = now_ms();
    let action = |id, more| spans::interaction(id, "action", now - 5, now, more);
    let huge =
        vec![spans::text("http.route", "x".repeat(60 << 20)), spans::text(attribute::SCREEN[0], "y".repeat(1 << 20))];
    let huge = spans::request("bad", vec![action(now_ns(), huge)]).encode_to_vec();
    let statuses = beside_a_good_sender(&service, |to| at_once(to, 6, 2, &[PROTOBUF], &huge));
    assert!(statuses.iter().all(|status| matches!(*status, 200 | 503 | CLOSED)), "{statuses:?}");
    assert!(statuses.contains(&200), "{statuses:?}");
    is_within_budget(&service, "huge attributes");

    // Letters: digits would be masked, and all names one.
    let name = |mut number: u64| -> String {
        let mut letters = String::new();
        for _ in 0..5 {
            letters.push(char::from(b'a' + u8::try_from(number % 26).unwrap()));
            number /= 26;
        }
        letters
    };
    let statuses = beside_a_good_sender(&service, |to| {
        let client = Client::from(BAD.parse().unwrap());
        let send = |request: u64| {
            let span = |at: u64| -> Span {
                let id = request * 62_500 + at;
                let name = name(id);
                action(id, vec![spans::text(attribute::SCREEN[0], name.clone()), spans::text(&name, "x")])
            };
            let body = spans::request("bad", (0..62_500).map(span).collect()).encode_to_vec();
            client.post(to, "/v1/traces", &[PROTOBUF], body).unwrap().status
        };
        (0..16).map(send).collect::<Vec<_>>()
    });
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    is_within_budget(&service, "a million names");
    assert!(service.stop());
}
