//! What an operator does with a store: backs it up, restores it, migrates it, lets things expire.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use gilbreth_conventions::attribute;
use gilbreth_tests::{
    http::Client,
    program::{Program, text},
    spans,
};

const SPANS_A_REQUEST: u64 = 20;
const DAY_MS: i64 = 86_400_000;

fn now_ms() -> i64 {
    i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap()
}

/// Request number `n` holds interactions of its own, at an instant.
fn request(n: u64, at_ms: i64) -> opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest {
    let spans = (0..SPANS_A_REQUEST)
        .map(|place| {
            let worker = spans::text(attribute::WORKER[0], format!("worker {}", n % 3));
            let more = vec![worker, spans::text(attribute::SCREEN[0], "contacts")];
            let start = at_ms + i64::try_from(place).unwrap() * 1_000;
            spans::interaction(n * SPANS_A_REQUEST + place, "action", start, start + 700, more)
        })
        .collect();
    spans::request("ndelius", spans)
}

/// Times by span id in hex.
fn stored(program: &Program, store: &Path) -> BTreeMap<String, u64> {
    let sql = "SELECT encode(span_id, 'hex') AS id, count(*) AS times FROM spans GROUP BY 1";
    let csv = program.succeed(["sql", "--store", store.to_str().unwrap(), "--format", "csv", sql]);
    let row = |line: &str| line.split_once(',').map(|(id, times)| (id.to_owned(), times.parse().unwrap()));
    csv.lines().skip(1).filter_map(row).collect()
}

/// Facts that a difference would show in.
fn facts(program: &Program, store: &Path) -> String {
    let sql = "SELECT * FROM ledger ORDER BY worker, started_at, ended_at, category";
    program.succeed(["sql", "--store", store.to_str().unwrap(), "--format", "csv", sql])
}

/// Data files of facts and spans, and their bytes.
fn data_files(folder: &Path) -> Vec<(PathBuf, u64)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            found.extend(data_files(&entry));
        } else if entry.extension().is_some_and(|end| end == "parquet")
            && !entry.to_string_lossy().contains("_delta_log")
        {
            found.push((entry.clone(), fs::metadata(&entry).unwrap().len()));
        }
    }
    found
}

#[test]
fn a_backup_taken_under_load_restores_every_span_acknowledged_before_it_once() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let config = at("busy.toml");
    let text_of = "[collector]\ncommit_rows = 100\ncommit_after_s = 1\n[serve]\nrefresh_every_s = 1\n[upkeep]\nevery_s = 1\n\
                   vacuum_every_s = 1\n";
    fs::write(&config, text_of).unwrap();
    let program = crate::program();
    let service = program.serve(&at("store"), &["--config", config.to_str().unwrap()]);
    let to = service.otlp();
    let acknowledged: Arc<Mutex<Vec<u64>>> = Arc::default();
    let stop = Arc::new(AtomicBool::new(false));
    let sender = std::thread::spawn({
        let (acknowledged, stop) = (Arc::clone(&acknowledged), Arc::clone(&stop));
        move || {
            let client = Client::new();
            let mut number = 0;
            while !stop.load(Ordering::Relaxed) {
                let at_ms = now_ms() - (i64::try_from(number % 2).unwrap()) * DAY_MS;
                assert_eq!(client.export(to, &request(number, at_ms)).unwrap().status, 200);
                acknowledged.lock().unwrap().push(number);
                number += 1;
                std::thread::sleep(Duration::from_millis(15));
            }
        }
    });
    // Several, so that some begin in the midst of commits, merges and refreshes.
    let mut backups = Vec::new();
    for number in 0..4 {
        std::thread::sleep(Duration::from_millis(1_300));
        let before = acknowledged.lock().unwrap().clone();
        let out = at(&format!("backup-{number}"));
        program.succeed(["backup", "--store", at("store").to_str().unwrap(), "--out", out.to_str().unwrap()]);
        backups.push((out, before));
    }
    stop.store(true, Ordering::Relaxed);
    sender.join().unwrap();
    assert!(service.stop(), "serve drains on SIGTERM");

    for (number, (backup, before)) in backups.iter().enumerate() {
        let store = at(&format!("restored-{number}"));
        let restore = ["restore", backup.to_str().unwrap(), "--store", store.to_str().unwrap()];
        let output = program.run(restore);
        assert!(output.status.success() && text(&output.stderr).contains("the store key whose check is"), "{output:?}");
        fs::copy(at("store.key"), at(&format!("restored-{number}.key"))).unwrap();
        // The log's rows are committed as by any start.
        program.succeed(["upkeep", "--store", store.to_str().unwrap()]);
        let stored = stored(&program, &store);
        let doubled: Vec<_> = stored.iter().filter(|(_, times)| **times != 1).collect();
        assert!(doubled.is_empty(), "backup {number}: {doubled:?}");
        assert!(!before.is_empty());
        for id in before.iter().flat_map(|n| n * SPANS_A_REQUEST..(n + 1) * SPANS_A_REQUEST) {
            assert!(stored.contains_key(&format!("{:016x}", id + 1)), "backup {number} lost {id}");
        }
        program.succeed(["refresh", "--store", store.to_str().unwrap()]);
        let went_on = facts(&program, &store);
        program.succeed(["refresh", "--full", "--store", store.to_str().unwrap()]);
        assert_eq!(went_on, facts(&program, &store));
    }

    // What is not whole is not restored, and what is there not written over.
    let (whole, store) = (&backups[0].0, at("again"));
    let mut bytes = fs::read(whole).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    fs::write(at("damaged"), &bytes).unwrap();
    fs::write(at("torn"), &bytes[..middle]).unwrap();
    for (backup, into) in [(at("damaged"), &store), (at("torn"), &store), (whole.clone(), &at("restored-0"))] {
        let output = program.run(["restore", backup.to_str().unwrap(), "--store", into.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    }
    assert!(!store.exists() && !at(".again.restoring").exists());
}

/// Copies a folder.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(|entry| entry.unwrap()) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[test]
fn a_store_of_format_1_is_migrated_and_has_the_same_rows() {
    let folder = tempfile::tempdir().unwrap();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/format-1"), folder.path());
    let key = folder.path().join("store.key");
    fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let store = folder.path().join("store");
    let store = store.to_str().unwrap();
    let program = crate::program();
    let count = "SELECT count(*), count(DISTINCT span_id), sum(value_digest) FROM spans";
    let refused = program.run(["sql", "--store", store, count]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains(&format!("run `gilbreth migrate --store {store}`")), "{refused:?}");
    program.succeed(["migrate", "--store", store, "--check"]);
    assert_eq!(program.run(["sql", "--store", store, count]).status.code(), Some(1), "checking changes nothing");
    program.succeed(["migrate", "--store", store]);
    program.succeed(["migrate", "--store", store]);
    let value = |more: &[&str]| {
        let csv = program.succeed([&["sql", "--store", store, "--format", "csv"], more].concat());
        csv.lines().last().unwrap().to_owned()
    };
    assert_eq!(value(&[count]), "762,762,7900186112686481254");
    assert_eq!(value(&["--as-of", "1", "SELECT count(*) FROM spans"]), "405");
    assert_ne!(value(&["SELECT count(*) FROM ledger"]), "0");
    program.succeed(["refresh", "--store", store]);
    assert_eq!(value(&["SELECT count(DISTINCT day) FROM ledger"]), "2");
}

#[test]
fn expired_spans_and_what_was_made_of_them_are_gone_and_old_versions_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let at = store.to_str().unwrap();
    let program = crate::program();
    let service = program.serve(&store, &[]);
    let client = Client::new();
    // The earlier requests are the old ones.
    for (number, days) in [(7_000_001, 20), (7_000_002, 20), (3, 0), (4, 0)] {
        let status = client.export(service.otlp(), &request(number, now_ms() - days * DAY_MS - 60_000)).unwrap().status;
        assert_eq!(status, 200);
    }
    assert!(service.stop());
    program.succeed(["refresh", "--store", at]);
    let canary: Vec<u8> = (u128::from(7_000_001 * SPANS_A_REQUEST) + (7 << 64)).to_be_bytes().to_vec();
    assert_eq!(stored(&program, &store).len(), 80);

    let config = folder.path().join("short.toml");
    fs::write(&config, "[retention]\nspans_days = 10\n").unwrap();
    program.succeed(["upkeep", "--store", at, "--config", config.to_str().unwrap()]);
    let left = stored(&program, &store);
    assert_eq!(left.len(), 40);
    assert!(left.keys().all(|id| u64::from_str_radix(id, 16).unwrap() <= 5 * SPANS_A_REQUEST));
    assert!(!holds(&store, &canary), "an id of an expired span is still somewhere");
    assert_eq!(program.sql_value(&store, "SELECT count(*) FROM ledger WHERE day < current_date - 10"), "0");
    let went_on = facts(&program, &store);
    assert!(went_on.lines().count() > 10, "{went_on}");
    program.succeed(["refresh", "--full", "--store", at]);
    assert_eq!(went_on, facts(&program, &store));

    assert!(program.succeed(["versions", "--store", at]).contains("no longer whole: spans before"));
    let refused = program.run(["sql", "--store", at, "--as-of", "1", "SELECT 1"]);
    assert!(text(&refused.stderr).contains("version 1 of this store is no longer whole"), "{refused:?}");
    fs::write(&config, "[retention]\nspans_days = 10\nfacts_days = 20\n").unwrap();
    let refused = program.run(["upkeep", "--store", at, "--config", config.to_str().unwrap()]);
    assert!(text(&refused.stderr).contains("line 3"), "{refused:?}");
}

fn holds(folder: &Path, bytes: &[u8]) -> bool {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).any(|path| {
        if path.is_dir() {
            holds(&path, bytes)
        } else {
            fs::read(&path).unwrap().windows(bytes.len()).any(|window| window == bytes)
        }
    })
}

#[test]
fn a_store_does_not_grow_with_refreshes_once_their_versions_expire() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let program = crate::program();
    program.succeed(["simulate", "--out", &at("otlp"), "--staff", "3", "--weeks", "1", "--seed", "3"]);
    let files = fs::read_dir(at("otlp")).unwrap().map(|entry| entry.unwrap().path());
    let mut ingest = program.command();
    assert!(ingest.args(["ingest", "--store", &at("store")]).args(files).output().unwrap().status.success());
    let config = at("brief.toml");
    fs::write(&config, "[upkeep]\nevery_version_h = 0\nversions_days = 0\ngrace_s = 0\n").unwrap();
    let mut sizes = Vec::new();
    for _ in 0..8 {
        program.succeed(["refresh", "--full", "--store", &at("store"), "--config", &config]);
        let files = data_files(Path::new(&at("store")));
        sizes.push((files.len(), files.iter().map(|(_, bytes)| bytes).sum::<u64>()));
    }
    assert!(sizes.iter().all(|size| size.0 == sizes[0].0 && size.1 < sizes[0].1 * 11 / 10), "{sizes:?}");
    assert_eq!(program.succeed(["versions", "--store", &at("store")]).lines().count(), 2, "a head and the newest");
}
