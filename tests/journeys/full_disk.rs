//! A real disk that is full: senders are told to come again, nothing acknowledged is lost, and with room work goes on by
//! itself.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use gilbreth_tests::{
    account::{self, Sender, Told},
    http::Client,
    small_disk::SmallDisk,
};

/// How long the program may take to find out that there is room.
const PATIENCE: Duration = Duration::from_mins(1);
/// Far more requests than fit.
const REQUESTS_MAX: u64 = 20_000;

#[test]
fn a_full_disk_refuses_and_takes_work_again_once_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(folder.path(), 16) else { return };
    let store = disk.path().join("store");
    let config = folder.path().join("gilbreth.toml");
    // Commits come while it is full, too, and while it is filling.
    std::fs::write(&config, "[collector]\ncommit_rows = 2000\ncommit_after_s = 1\n").unwrap();
    let program = crate::program();
    let service = program.serve(&store, &["--config", config.to_str().unwrap()]);
    let mut senders: Vec<_> = (0..2).map(|number| Sender::numbered(number, &service)).collect();
    let client = Client::new();
    let mut acknowledged = BTreeSet::new();
    let mut next = 0;

    let rounds: [&dyn Fn(); 3] = [&|| disk.empty(), &|| disk.grow(48), &|| disk.empty()];
    for (round, make_room) in rounds.iter().enumerate() {
        // The last time it fills up by itself half way.
        if round < 2 {
            disk.fill();
        }
        let began = next;
        let refused = loop {
            let number = next;
            next += 1;
            match senders[usize::from(number % 2 == 1)].send(number) {
                Told::Acknowledged => drop(acknowledged.insert(number)),
                Told::Later => break number,
                Told::Nothing => panic!("round {round}: no answer"),
            }
            if round == 2 && number == began + 50 {
                disk.fill();
            }
            assert!(number - began < REQUESTS_MAX, "round {round}: the disk never fills");
        };
        // It stays so as long as there is no room, and health says it.
        for sender in &mut senders {
            assert_eq!(sender.send(refused), Told::Later, "round {round}");
        }
        assert_eq!(client.get(service.otlp(), "/readyz").unwrap().status, 503, "round {round}");

        make_room();
        let since = Instant::now();
        // Nobody sends anything to who is not ready: it finds out by itself that it is.
        while client.get(service.otlp(), "/readyz").unwrap().status != 200 {
            assert!(since.elapsed() < PATIENCE, "round {round}: there is room, and it is not ready");
            std::thread::sleep(Duration::from_millis(50));
        }
        for (sender, number) in senders.iter_mut().zip([refused, next]) {
            while sender.send(number) != Told::Acknowledged {
                assert!(since.elapsed() < PATIENCE, "round {round}: there is room, and it takes no work");
                std::thread::sleep(Duration::from_millis(50));
            }
            acknowledged.insert(number);
        }
        next += 1;
    }
    assert!(service.stop());
    account::hold(&program, &store, &acknowledged);
}
