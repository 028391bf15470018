//! `kill -9` at seeded moments of a stream: what was acknowledged is there, once. Commits are small and many, so that some
//! are hit; and nothing that was doubled may have been taken away by a merge before it is looked for.
//!
//! Twenty moments in CI; `GILBRETH_TEST_KILLS=200` is the long form.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use gilbreth_conventions::attribute;
use gilbreth_tests::{http::Client, spans};
use rand::{RngExt as _, SeedableRng as _};

const SPANS_A_REQUEST: u64 = 40;

#[test]
fn every_acknowledged_span_survives_kill_9_once() {
    let kills: u64 = std::env::var("GILBRETH_TEST_KILLS").map_or(20, |text| text.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let config = folder.path().join("small-commits.toml");
    std::fs::write(&config, "[collector]\ncommit_rows = 120\ncommit_after_s = 1\n").unwrap();
    let config = ["--config", config.to_str().unwrap()];
    let program = crate::program();
    let mut acknowledged = BTreeSet::new();
    let mut unanswered: Vec<u64> = Vec::new();
    let mut next = 0_u64;
    for seed in 0..kills {
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        let moment = Duration::from_millis(random.random_range(20..900));
        let service = program.serve(&store, &config);
        let to = service.otlp();

        // What got no answer last time is sent again, as an SDK does: it may or may not be there already.
        let client = Client::new();
        for request in unanswered.drain(..) {
            assert_eq!(client.export(to, &request_of(request)).unwrap().status, 200);
            acknowledged.extend(ids_of(request));
        }

        let stop = Arc::new(AtomicBool::new(false));
        let answered = Arc::new(Mutex::new((BTreeSet::new(), Vec::new())));
        let senders: Vec<_> = (0..3)
            .map(|sender| {
                let (stop, answered, first) = (Arc::clone(&stop), Arc::clone(&answered), next + sender);
                std::thread::spawn(move || {
                    let client = Client::new();
                    let mut request = first;
                    while !stop.load(Ordering::Relaxed) {
                        match client.export(to, &request_of(request)) {
                            Ok(answer) if answer.status == 200 => {
                                answered.lock().unwrap().0.insert(request);
                            }
                            Ok(answer) => panic!("status {}", answer.status),
                            Err(_) => {
                                answered.lock().unwrap().1.push(request);
                                break;
                            }
                        }
                        request += 3;
                        // What came in is committed in small commits, of which each takes longer than the one before:
                        // a fast machine would take in more than it can commit in minutes.
                        std::thread::sleep(Duration::from_millis(10));
                    }
                    request
                })
            })
            .collect();
        std::thread::sleep(moment);
        service.kill();
        stop.store(true, Ordering::Relaxed);
        next = senders.into_iter().map(|sender| sender.join().unwrap()).max().unwrap() + 3;
        let (done, lost) = std::mem::take(&mut *answered.lock().unwrap());
        acknowledged.extend(done.into_iter().flat_map(ids_of));
        unanswered = lost;
    }
    assert!(program.serve(&store, &config).stop(), "serve drains on SIGTERM");

    let operations = operations(&store.join("spans/_delta_log"));
    assert!(
        operations.get("WRITE").is_some_and(|commits| *commits > kills),
        "commits under way were hit: {operations:?}"
    );
    assert_eq!(operations.get("DELETE"), None, "rows were taken away by a merge: {operations:?}");

    let csv = program.succeed([
        "sql",
        "--store",
        &store.to_string_lossy(),
        "--format",
        "csv",
        "SELECT encode(span_id, 'hex') AS id, count(*) AS times FROM spans GROUP BY 1",
    ]);
    let stored: BTreeMap<String, u64> = csv
        .lines()
        .skip(1)
        .map(|line| {
            let (id, times) = line.split_once(',').unwrap();
            (id.to_owned(), times.parse().unwrap())
        })
        .collect();
    assert!(acknowledged.len() > 1_000, "the stream was long enough to mean something: {}", acknowledged.len());
    let lost: Vec<_> = acknowledged.iter().filter(|id| !stored.contains_key(*id)).collect();
    let doubled: Vec<_> = stored.iter().filter(|(_, times)| **times != 1).collect();
    assert!(lost.is_empty() && doubled.is_empty(), "lost {lost:?}, doubled {doubled:?}");
}

/// How often the table's history has each operation. A merge that drops doubled rows is a `DELETE`.
fn operations(log: &std::path::Path) -> BTreeMap<String, u64> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(log).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "json") {
            for line in std::fs::read_to_string(&path).unwrap().lines() {
                let action: serde_json::Value = serde_json::from_str(line).unwrap();
                if let Some(operation) = action["commitInfo"]["operation"].as_str() {
                    *found.entry(operation.to_owned()).or_default() += 1;
                }
            }
        }
    }
    found
}

/// Request number `n` holds spans of its own, always the same ones.
fn request_of(n: u64) -> opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest {
    let now = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
    let spans = (0..SPANS_A_REQUEST)
        .map(|at| {
            let more = vec![spans::text(attribute::WORKER[0], "worker"), spans::text(attribute::SCREEN[0], "contacts")];
            spans::interaction(n * SPANS_A_REQUEST + at, "action", now - 1_000, now, more)
        })
        .collect();
    spans::request("ndelius", spans)
}

fn ids_of(n: u64) -> impl Iterator<Item = String> {
    (0..SPANS_A_REQUEST).map(move |at| format!("{:016x}", n * SPANS_A_REQUEST + at + 1))
}
