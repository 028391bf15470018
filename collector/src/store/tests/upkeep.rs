//! What is done in the background loses nothing that must stay, leaves nothing that must go, and doubles nothing.

use std::time::{Duration, SystemTime};

use futures::TryStreamExt;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::{
    disk::{
        LocalDisk,
        simulated::{self, SimulatedDisk},
    },
    log::tests::{ids, spans},
    pipeline::upkeep::IDENTITY,
    store::{Keep, expired::Expired, vacuum::data_files},
};

const DAY_US: i64 = 86_400_000_000;
/// Nothing of the past, and nobody reads.
const NOTHING: Keep = Keep { every_us: 0, last_us: 0, grace_us: 0 };

fn now_us() -> i64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_micros() as i64
}

fn record(tables: &[(&str, u64)], written_at_us: i64) -> VersionRecord {
    VersionRecord {
        number: 0,
        written_at_us,
        tables: tables.iter().map(|(name, version)| ((*name).to_owned(), *version)).collect(),
        log_watermark: 0,
        parameters: serde_json::Value::Null,
        facts_hash: String::new(),
    }
}

fn data_files_of(store: &Store, table: &Table) -> BTreeSet<String> {
    data_files(&LocalDisk, &store.root().join(table.folder)).unwrap().into_keys().collect()
}

fn log_files_of(store: &Store, table: &Table) -> usize {
    std::fs::read_dir(store.root().join(table.folder).join("_delta_log")).unwrap().count()
}

async fn append(writer: &Writer, sequence: u64, row: (Option<&[u8]>, i64, i64, i32)) {
    let row = rows(&[row]);
    writer.append(&SAMPLE, sequence, |_| vec![row]).await.unwrap();
}

/// How often each id is in `spans` at a version, or now.
async fn spans_at(writer: &Writer, version: Option<u64>) -> Result<BTreeMap<u64, usize>, Error> {
    let table = match version {
        Some(version) => writer.store().at(&SPANS, version).await?,
        None => match writer.store().newest(&SPANS).await? {
            Some(table) => table,
            None => return Ok(BTreeMap::new()),
        },
    };
    let paths = table.snapshot().unwrap().log_data().iter().map(|file| file.path().into_owned()).collect();
    let rows = writer.read_files(&SPANS, &table, paths, &["span_id"]).await?;
    let batches: Vec<RecordBatch> = rows
        .try_collect()
        .await
        .map_err(|error| Error::new(ErrorKind::Unavailable, "the spans cannot be read").caused_by(error))?;
    let mut found = BTreeMap::new();
    for id in batches.iter().flat_map(ids) {
        *found.entry(id).or_default() += 1;
    }
    Ok(found)
}

fn once(of: impl IntoIterator<Item = u64>) -> BTreeMap<u64, usize> {
    of.into_iter().map(|id| (id, 1)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_keeps_what_stands_for_a_day_and_one_that_drops_rows_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let writer = store(folder.path()).lock().unwrap();
    for sequence in 1..=10 {
        append(&writer, sequence, (None, sequence as i64, sequence as i64, (sequence % 2) as i32)).await;
    }
    let before = files_of_days(writer.store()).await;
    let merged = writer.compact(&SAMPLE, 1, &[]).await.unwrap();
    assert_eq!((merged.files_before, merged.files_after, merged.duplicates), (10, 2, 0));
    for store in [writer.store(), &Store::open(writer.store().root()).unwrap()] {
        assert_eq!(files_of_days(store).await, before);
    }
    append(&writer, 11, (None, 1, 11, 1)).await;
    let grown = files_of_days(writer.store()).await;
    assert!(grown[&0] == before[&0] && grown[&1] != before[&1]);
    writer.compact(&SAMPLE, 1, &[]).await.unwrap();
    assert_eq!(files_of_days(writer.store()).await, grown, "merged again");

    append(&writer, 12, (None, 2, 2, 0)).await;
    let doubled = files_of_days(writer.store()).await;
    assert_eq!(writer.compact(&SAMPLE, 1, &["number"]).await.unwrap().duplicates, 1);
    let fewer = files_of_days(writer.store()).await;
    assert!(fewer[&0] != doubled[&0] && fewer[&1] == doubled[&1]);
    assert_eq!(newest_numbers(writer.store()).await, (1..=11).collect::<Vec<_>>());

    // A checkpoint tells the same as the entries that it stands for.
    let mut sequence = 1_000;
    for _ in 0..2 {
        while !writer.checkpoint(&SAMPLE).await.unwrap() {
            append(&writer, sequence, (None, 1, 99, 1)).await;
            sequence += 1;
        }
        writer.compact(&SAMPLE, 1, &[]).await.unwrap();
        let now = files_of_days(writer.store()).await;
        writer.vacuum(&[&SAMPLE], &NOTHING, now_us()).await.unwrap();
        assert_eq!(files_of_days(&Store::open(writer.store().root()).unwrap()).await, now);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn commits_go_between_while_files_are_merged() {
    let folder = tempfile::tempdir().unwrap();
    let writer = Arc::new(store(folder.path()).lock().unwrap());
    let add = async |sequence: u64| {
        let rows = spans(sequence * 100..sequence * 100 + 100);
        writer.append(&SPANS, sequence, |_| vec![rows]).await.unwrap();
    };
    for sequence in 0..10 {
        add(sequence + 1).await;
    }
    let merging = tokio::spawn({
        let writer = Arc::clone(&writer);
        async move { writer.compact(&SPANS, 1, &IDENTITY).await.unwrap() }
    });
    let mut sequence = 11;
    while !merging.is_finished() {
        add(sequence).await;
        sequence += 1;
    }
    let merged = merging.await.unwrap();
    assert!(merged.files_before >= 30 && merged.duplicates == 0, "{merged:?}");
    assert!(sequence > 12, "commits went between: {sequence}");
    assert_eq!(spans_at(&writer, None).await.unwrap(), once(100..sequence * 100));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vacuum_leaves_the_newest_the_pinned_and_what_was_just_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let writer = store(folder.path()).lock().unwrap();
    let mut names = Vec::new();
    for number in 1..=5 {
        let version = replace(&writer, vec![rows(&[(None, 1, number, 1)])]).await;
        writer.record_version(record(&[("sample", version)], number)).unwrap();
        names.push(file_names(writer.store()).await);
    }
    writer.store().pin_version(2).unwrap();
    let graceful = Keep { grace_us: 3_600_000_000, ..NOTHING };
    let done = writer.vacuum(&[&SAMPLE], &graceful, now_us()).await.unwrap();
    assert_eq!((done.records, done.files), (3, 0), "somebody may be reading");
    assert_eq!(writer.store().versions().unwrap().iter().map(|record| record.number).collect::<Vec<_>>(), [2, 5]);

    let done = writer.vacuum(&[&SAMPLE], &NOTHING, now_us()).await.unwrap();
    assert_eq!((done.records, done.files), (0, 3));
    let left = data_files_of(writer.store(), &SAMPLE);
    let stay: BTreeSet<String> = names[1].union(&names[4]).cloned().collect();
    assert_eq!(left.len(), 2);
    assert!(stay.iter().all(|uri| left.iter().any(|name| uri.ends_with(name))), "{stay:?} {left:?}");
    let reader = Store::open(writer.store().root()).unwrap();
    let pinned = reader.version(2).unwrap().tables["sample"];
    assert_eq!(numbers(reader.snapshot_at(&SAMPLE, pinned).await.unwrap()).await, [2]);
    assert_eq!(newest_numbers(&reader).await, [5]);
    let said = reader.version(3).unwrap_err().to_string();
    assert_eq!(said, "there is no version 3 in this store: it keeps 2, 5");

    writer.store().unpin_version(2).unwrap();
    assert_eq!(writer.vacuum(&[&SAMPLE], &NOTHING, now_us()).await.unwrap().files, 1);
    assert_eq!(newest_numbers(&reader).await, [5]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_commit_that_failed_left_behind_goes_after_a_day() {
    let folder = tempfile::tempdir().unwrap();
    let writer = store(folder.path()).lock().unwrap();
    replace(&writer, vec![rows(&[(None, 1, 1, 1)])]).await;
    let orphan = writer.store().root().join("facts/sample/day=1970-01-02/part-of-nothing.parquet");
    std::fs::write(&orphan, b"rows").unwrap();
    assert_eq!(writer.vacuum(&[&SAMPLE], &NOTHING, now_us()).await.unwrap().files, 0, "it may be on its way");
    let yesterday = SystemTime::now() - Duration::from_hours(25);
    std::fs::File::options().write(true).open(&orphan).unwrap().set_modified(yesterday).unwrap();
    assert_eq!(writer.vacuum(&[&SAMPLE], &NOTHING, now_us()).await.unwrap().files, 1);
    assert!(!orphan.exists());
    assert_eq!(newest_numbers(writer.store()).await, [1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_cleaned_of_all_but_what_kept_versions_need() {
    let folder = tempfile::tempdir().unwrap();
    let writer = store(folder.path()).lock().unwrap();
    for sequence in 1..=250 {
        append(&writer, sequence, (None, 1, sequence as i64, 1)).await;
        if sequence == 60 || sequence == 130 {
            let version = writer.store().snapshot(&SAMPLE).await.unwrap().unwrap().version;
            writer.record_version(record(&[("sample", version)], sequence as i64)).unwrap();
        }
    }
    writer.store().pin_version(1).unwrap();
    assert!(log_files_of(writer.store(), &SAMPLE) > 250);
    let done = writer.vacuum(&[&SAMPLE], &NOTHING, now_us()).await.unwrap();
    assert!(done.log_entries > 240, "{done:?}");
    assert!(log_files_of(writer.store(), &SAMPLE) <= 8, "{}", log_files_of(writer.store(), &SAMPLE));
    // Both those who knew the log of before and those who come anew.
    append(&writer, 251, (None, 1, 251, 1)).await;
    for reader in [writer.store().clone(), Store::open(writer.store().root()).unwrap()] {
        assert_eq!(newest_numbers(&reader).await, (1..=251).collect::<Vec<_>>());
        for (number, rows) in [(1, 60), (2, 130)] {
            let version = reader.version(number).unwrap().tables["sample"];
            let found = numbers(reader.snapshot_at(&SAMPLE, version).await.unwrap()).await;
            assert_eq!(found, (1..=rows).collect::<Vec<_>>());
        }
        assert_eq!(reader.committed_sequence(&SAMPLE).await.unwrap(), 251);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_days_are_gone_from_table_folder_and_log_whoever_had_pinned_them() {
    let folder = tempfile::tempdir().unwrap();
    let writer = store(folder.path()).lock().unwrap();
    // A hash that the files hold, and a number that the log's statistics tell, too.
    let (canary, number): (&[u8], &[u8]) = (b"canary-worker-hash", b"77700");
    for number in 1..=4 {
        append(&writer, number as u64 * 2 - 1, (Some(canary), 7, 777_000 + number, 3)).await;
        append(&writer, number as u64 * 2, (Some(b"another"), 8, 10 + number, 9)).await;
    }
    writer.compact(&SAMPLE, 1, &[]).await.unwrap();
    let version = writer.store().snapshot(&SAMPLE).await.unwrap().unwrap().version;
    writer.record_version(record(&[("sample", version)], 1)).unwrap();
    writer.store().pin_version(1).unwrap();
    let root = writer.store().root().to_owned();
    assert!(holds(&root, canary) >= 1, "files hold it");
    assert!(holds(&root, number) >= 1, "entries of the log hold it");
    assert!(!writer.older_than(&SAMPLE, 9).await.unwrap().is_empty());

    let done = writer.expire_days(&SAMPLE, 9).await.unwrap();
    assert_eq!(done.days, 1);
    assert_eq!(newest_numbers(writer.store()).await, [11, 12, 13, 14]);
    let said = writer.store().version(1).unwrap_err().to_string();
    assert!(said.contains("no longer whole") && said.contains("sample before 1970-01-10"), "{said}");
    // What follows in a store that is at work: facts are made again, and recorded.
    let version = writer.store().snapshot(&SAMPLE).await.unwrap().unwrap().version;
    writer.record_version(record(&[("sample", version)], 2)).unwrap();
    let graceful = Keep { every_us: i64::MAX, last_us: i64::MAX, grace_us: i64::MAX / 2 };
    writer.vacuum(&[&SAMPLE], &graceful, now_us()).await.unwrap();
    assert_eq!(writer.older_than(&SAMPLE, 9).await.unwrap(), Vec::<std::path::PathBuf>::new());
    assert_eq!((holds(&root, canary), holds(&root, number)), (0, 0));
    let reader = Store::open(&root).unwrap();
    assert_eq!(newest_numbers(&reader).await, [11, 12, 13, 14]);
    let version = reader.version(2).unwrap().tables["sample"];
    assert_eq!(numbers(reader.snapshot_at(&SAMPLE, version).await.unwrap()).await, [11, 12, 13, 14]);
    assert_eq!(writer.expire_days(&SAMPLE, 9).await.unwrap(), crate::store::Expiry::default());
}

/// How many files below a folder hold these bytes.
fn holds(folder: &Path, bytes: &[u8]) -> usize {
    let mut found = 0;
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            found += holds(&entry, bytes);
        } else {
            found += usize::from(std::fs::read(&entry).unwrap().windows(bytes.len()).any(|window| window == bytes));
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_rows_of_a_table_without_days_are_gone_with_the_next_vacuum() {
    static UNDIVIDED: Table = Table { partition: &[], ..SAMPLE };
    let folder = tempfile::tempdir().unwrap();
    let writer = store(folder.path()).lock().unwrap();
    for (sequence, at) in [(1, 5), (2, 15), (3, 25)] {
        let row = rows(&[(None, at, at, 1)]);
        writer.append(&UNDIVIDED, sequence, |_| vec![row]).await.unwrap();
    }
    let before = data_files_of(writer.store(), &UNDIVIDED);
    assert_eq!(writer.expire_rows(&UNDIVIDED, "at", 5).await.unwrap().rows, 0);
    assert_eq!(data_files_of(writer.store(), &UNDIVIDED), before, "nothing to do, nothing written");
    assert_eq!(writer.expire_rows(&UNDIVIDED, "at", 15).await.unwrap().rows, 1);
    assert_eq!(newest_numbers(writer.store()).await, [15, 25]);
    let graceful = Keep { grace_us: i64::MAX / 2, ..NOTHING };
    writer.vacuum(&[&UNDIVIDED], &graceful, now_us()).await.unwrap();
    assert!(before.is_disjoint(&data_files_of(writer.store(), &UNDIVIDED)));
    assert_eq!(newest_numbers(&Store::open(writer.store().root()).unwrap()).await, [15, 25]);
    assert_eq!(writer.store().committed_sequence(&UNDIVIDED).await.unwrap(), 3);
}

/// What a run may find.
struct Held {
    /// Ids that were committed.
    committed: BTreeSet<u64>,
    /// The records, and what each must show.
    recorded: Vec<(u64, BTreeSet<u64>)>,
}

/// Upkeep that is cut short at any change of the disk, again and again: nothing that must stay is lost, nothing is
/// doubled, and what was to go is gone in the end.
async fn lose_power_in_upkeep(seed: u64) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut disk = SimulatedDisk::new(seed);
    let mut held = Held { committed: BTreeSet::new(), recorded: Vec::new() };
    let now_us = 40 * DAY_US;
    let expires = seed.is_multiple_of(3);
    fill(&disk, &mut random, &mut held).await;
    for life in 0..4 {
        let last = life == 3;
        if !last {
            disk.lose_power_after(random.random_range(1..120));
        }
        let done = keep_up(&disk, &mut random, now_us, expires && life > 0).await;
        assert!(done.is_ok() || !last, "seed {seed}: with power on it failed: {done:?}");
        disk = if !last && random.random_bool(0.3) { disk.kill() } else { disk.reboot() };
        check(&disk, seed, &held, last && expires).await;
    }
}

/// Commits of a few spans, some twice; records of versions in between, one of them pinned.
async fn fill(disk: &SimulatedDisk, random: &mut ChaCha8Rng, held: &mut Held) {
    let writer = writer_on(disk).unwrap();
    for sequence in 1..=9_u64 {
        let rows: Vec<u64> = (sequence * 10..sequence * 10 + random.random_range(3..10)).collect();
        writer.append(&SPANS, sequence, |_| vec![spans(rows.iter().copied())]).await.unwrap();
        held.committed.extend(rows);
        if sequence % 2 == 0 {
            let version = writer.store().snapshot(&SPANS).await.unwrap().unwrap().version;
            let number = writer.record_version(record(&[("spans", version)], sequence as i64)).unwrap();
            held.recorded.push((number, held.committed.clone()));
        }
    }
    writer.store().pin_version(2).unwrap();
}

fn writer_on(disk: &SimulatedDisk) -> Result<Writer, Error> {
    Store::open_or_create_on(Arc::new(disk.clone()), Path::new("/store"), manifest())?.lock()
}

async fn keep_up(disk: &SimulatedDisk, random: &mut ChaCha8Rng, now_us: i64, expires: bool) -> Result<(), Error> {
    let writer = writer_on(disk)?;
    if expires {
        writer.expire_days(&SPANS, 1).await?;
    }
    if random.random_bool(0.5) {
        writer.compact_due(&SPANS, &IDENTITY, now_us).await?;
    } else {
        writer.compact(&SPANS, 1, &IDENTITY).await?;
    }
    if expires && let Some(newest) = writer.store().snapshot(&SPANS).await? {
        writer.record_version(record(&[("spans", newest.version)], 1_000))?;
    }
    writer.vacuum(&[&SPANS], &NOTHING, now_us).await?;
    Ok(())
}

async fn check(disk: &SimulatedDisk, seed: u64, held: &Held, is_gone: bool) {
    let writer = writer_on(disk).unwrap();
    let expired = Expired::read(disk, Path::new("/store")).unwrap().version_of("spans").is_some();
    let newest = spans_at(&writer, None).await.unwrap();
    // Ids of day 0 may be gone once their expiry was noted, all at once.
    let (of_day_0, others): (BTreeSet<u64>, BTreeSet<u64>) = held.committed.iter().partition(|id| *id % 3 == 0);
    let found: BTreeSet<u64> = newest.keys().copied().collect();
    assert!(newest.values().all(|&times| times == 1), "seed {seed}: doubled: {newest:?}");
    let without = found == others;
    assert!(found == held.committed || (expired && without), "seed {seed}: {found:?} of {:?}", held.committed);
    if is_gone {
        assert!(without && !of_day_0.is_empty(), "seed {seed}: expired rows are there");
        let left = writer.older_than(&SPANS, 1).await.unwrap();
        assert!(left.is_empty(), "seed {seed}: {left:?}");
    }
    let mut readable = 0;
    for (number, ids) in &held.recorded {
        let Ok(record) = writer.store().version(*number) else { continue };
        let shown = spans_at(&writer, Some(record.tables["spans"])).await;
        let shown = shown.unwrap_or_else(|error| panic!("seed {seed}: version {number} cannot be read: {error:?}"));
        assert_eq!(shown.into_keys().collect::<BTreeSet<_>>(), *ids, "seed {seed}: version {number}");
        readable += 1;
    }
    // What is pinned and the newest stay, unless rows of them expired.
    assert!(expired || readable >= 2, "seed {seed}: {readable} versions left");
    assert!(!writer.store().versions().unwrap().is_empty(), "seed {seed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn upkeep_loses_and_doubles_nothing_when_power_goes() {
    for seed in simulated::seeds() {
        lose_power_in_upkeep(seed).await;
    }
}
