//! `kill -9` at seeded moments under load, over HTTP and gRPC: what was acknowledged is there, once. Commits and merges are
//! small and many, so that some are hit, and so are starts; and nothing that was doubled may have been taken away by a
//! merge before it is looked for.
//!
//! Five kills in CI; `GILBRETH_KILLS=100` is the long form, and `GILBRETH_KILLS_SEED` begins elsewhere.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use gilbreth_tests::{
    account::{self, SPANS_A_REQUEST, Sender, Told},
    program::Service,
};
use rand::{RngExt as _, SeedableRng as _};

const CONFIG: &str =
    "[collector]\ncommit_rows = 400\ncommit_after_s = 1\n[serve]\nrefresh_every_s = 2\n[upkeep]\nevery_s = 1\n";
/// Half of them over gRPC.
const SENDERS: u64 = 4;
/// How long a merge is waited for at the end.
const PATIENCE: Duration = Duration::from_mins(1);

#[test]
fn every_acknowledged_span_survives_kill_9_once() {
    let number = |name: &str, usual: u64| std::env::var(name).map_or(usual, |text| text.parse().unwrap());
    let (kills, seed) = (number("GILBRETH_KILLS", 5), number("GILBRETH_KILLS_SEED", 0));
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let config = folder.path().join("small-commits.toml");
    std::fs::write(&config, CONFIG).unwrap();
    let config = ["--config", config.to_str().unwrap()];
    let program = crate::program();
    let mut acknowledged = BTreeSet::new();
    let mut unanswered: Vec<u64> = Vec::new();
    let (mut next, mut starts) = (0_u64, 0);
    for kill in 0..kills {
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed + kill);
        // Every fourth hits the start, while the log is read again.
        if kill % 4 == 3 {
            program.kill_starting(&store, &config, Duration::from_millis(random.random_range(1..150)));
            starts += 1;
        }
        let service = program.serve(&store, &config);
        acknowledged.extend(again(&service, &mut unanswered));
        // Merges come after a second and later.
        let most_ms = if kill % 2 == 0 { 900 } else { 3_000 };
        let moment = Duration::from_millis(random.random_range(20..most_ms));
        let stream = Stream::start(&service, next);
        std::thread::sleep(moment);
        service.kill();
        let ended = stream.end();
        acknowledged.extend(ended.acknowledged);
        unanswered = ended.unanswered;
        next = ended.next;
    }
    let service = program.serve(&store, &config);
    acknowledged.extend(again(&service, &mut unanswered));
    let log = store.join("spans/_delta_log");
    let since = Instant::now();
    while Commits::of(&log).merges == 0 {
        assert!(since.elapsed() < PATIENCE, "files are merged");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(service.stop(), "serve drains on SIGTERM");

    let commits = Commits::of(&log);
    let requests = u64::try_from(acknowledged.len()).unwrap();
    eprintln!(
        "{kills} kills under load and {starts} while starting: {} spans acknowledged, {} commits, {} of them merges",
        requests * SPANS_A_REQUEST,
        commits.all,
        commits.merges
    );
    assert!(commits.all > kills, "commits under way were hit: {commits:?}");
    assert_eq!(commits.changing_merges, 0, "rows were taken away by a merge: {commits:?}");
    assert!(requests > 5 * kills, "the stream was long enough to mean something: {requests} requests");
    account::hold(&program, &store, &acknowledged);
}

/// What got no answer last time is sent again, as an SDK does: it may or may not be there already. The other way, too.
fn again(service: &Service, unanswered: &mut Vec<u64>) -> Vec<u64> {
    let mut senders = [Sender::numbered(1, service), Sender::numbered(0, service)];
    for number in &*unanswered {
        let sender = &mut senders[usize::from(number % 2 == 1)];
        assert_eq!(sender.send(*number), Told::Acknowledged);
    }
    std::mem::take(unanswered)
}

/// Several senders at work.
struct Stream {
    stop: Arc<AtomicBool>,
    senders: Vec<std::thread::JoinHandle<Ended>>,
}

#[derive(Default)]
struct Ended {
    acknowledged: Vec<u64>,
    unanswered: Vec<u64>,
    next: u64,
}

impl Stream {
    fn start(service: &Service, first: u64) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let senders = (0..SENDERS).map(|number| {
            let (mut sender, stop) = (Sender::numbered(number, service), Arc::clone(&stop));
            std::thread::spawn(move || {
                let mut ended = Ended { next: first + number, ..Ended::default() };
                while !stop.load(Ordering::Relaxed) {
                    match sender.send(ended.next) {
                        Told::Acknowledged => ended.acknowledged.push(ended.next),
                        Told::Later => ended.unanswered.push(ended.next),
                        Told::Nothing => {
                            ended.unanswered.push(ended.next);
                            break;
                        }
                    }
                    ended.next += SENDERS;
                    // What came in is committed in small commits, of which each takes longer than the one before: a
                    // fast machine would take in more than it can commit in minutes.
                    std::thread::sleep(Duration::from_millis(10));
                }
                ended
            })
        });
        let senders = senders.collect();
        Self { stop, senders }
    }

    /// The server is gone.
    fn end(self) -> Ended {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Ended::default();
        for sender in self.senders {
            let ended = sender.join().unwrap();
            all.acknowledged.extend(ended.acknowledged);
            all.unanswered.extend(ended.unanswered);
            all.next = all.next.max(ended.next + SENDERS);
        }
        // Each sender has the numbers of one remainder.
        all.next = all.next.next_multiple_of(SENDERS);
        all
    }
}

/// What the history of the table tells.
#[derive(Debug, Default)]
struct Commits {
    all: u64,
    /// Commits that replace files.
    merges: u64,
    /// Of these, the ones that say that rows went.
    changing_merges: u64,
}

impl Commits {
    fn of(log: &Path) -> Self {
        let mut found = Self::default();
        // There is none before the first commit; and those who keep it up may take a file away while it is looked at.
        for path in std::fs::read_dir(log).into_iter().flatten().flatten().map(|entry| entry.path()) {
            if path.extension().is_none_or(|end| end != "json") {
                continue;
            }
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            let actions: Vec<serde_json::Value> =
                text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
            let removed: Vec<_> = actions.iter().filter_map(|action| action.get("remove")).collect();
            found.all += 1;
            found.merges += u64::from(!removed.is_empty());
            found.changing_merges += u64::from(removed.iter().any(|remove| remove["dataChange"] == true));
        }
        found
    }
}
