//! The promise under test: nothing acknowledged is lost, and nothing is there twice.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use arrow::{
    array::{AsArray, RecordBatch},
    datatypes::Int64Type,
};
use futures::TryStreamExt;

use super::{Config, Pipeline, WAITING_MAX, upkeep};
use crate::{
    Error, ErrorKind,
    config::Retention,
    disk::{Disk, LocalDisk, simulated::SimulatedDisk},
    gate::IntakeCounts,
    log::tests::{ids, spans},
    schema::{INTAKE, SPANS, Table},
    share::Sender,
    store::{Keep, Manifest, Store, Writer},
    telemetry::Page,
};

mod power;

const ROOT: &str = "/store";

/// Nothing is merged, since merging would take away what was doubled before it is seen.
fn config() -> Config {
    Config {
        commit_after: Duration::from_secs(3600),
        segment_bytes_max: 8 << 10,
        files_per_day_max: usize::MAX,
        retry_after: Duration::from_millis(1),
        seen_max: 100_000,
        ..Config::default()
    }
}

fn writer(disk: Arc<dyn Disk>, root: &Path) -> Result<Arc<Writer>, Error> {
    let manifest = Manifest { format: 0, estate: "Test".to_owned(), time_zone: chrono_tz::Europe::London };
    Ok(Arc::new(Store::open_or_create_on(disk, root, manifest)?.lock()?))
}

async fn send(pipeline: &Pipeline, of: impl IntoIterator<Item = u64>) -> Result<(), Error> {
    send_as(Sender::Process, pipeline, of).await
}

async fn send_as(sender: Sender, pipeline: &Pipeline, of: impl IntoIterator<Item = u64>) -> Result<(), Error> {
    let rows = spans(of);
    let counts = IntakeCounts { received: rows.num_rows() as u64, ..IntakeCounts::default() };
    pipeline.take(sender, &rows, counts).await
}

/// How often each id is in `spans`.
async fn stored(writer: &Writer) -> BTreeMap<u64, usize> {
    let mut found = BTreeMap::new();
    let Some(table) = writer.store().newest(&SPANS).await.unwrap() else { return found };
    let paths = table.snapshot().unwrap().log_data().iter().map(|file| file.path().into_owned()).collect();
    let rows = writer.read_files(&SPANS, &table, paths, &["span_id"]).await.unwrap();
    for batch in rows.try_collect::<Vec<_>>().await.unwrap() {
        for id in ids(&batch) {
            *found.entry(id).or_default() += 1;
        }
    }
    found
}

async fn sum_of(writer: &Writer, column: &str) -> i64 {
    let table = writer.store().newest(&INTAKE).await.unwrap().unwrap();
    let paths = table.snapshot().unwrap().log_data().iter().map(|file| file.path().into_owned()).collect();
    let rows = writer.read_files(&INTAKE, &table, paths, &[column]).await.unwrap();
    let batches = rows.try_collect::<Vec<_>>().await.unwrap();
    batches.iter().flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values().to_vec()).sum()
}

async fn files_of(writer: &Writer, table: &Table) -> usize {
    writer.store().newest(table).await.unwrap().unwrap().snapshot().unwrap().log_data().num_files()
}

fn once(of: impl IntoIterator<Item = u64>) -> BTreeMap<u64, usize> {
    of.into_iter().map(|id| (id, 1)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_submitted_is_stored_once_and_the_log_is_empty_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let writer = writer(Arc::new(LocalDisk), folder.path()).unwrap();
    let config = Config { files_per_day_max: 1, ..config() };
    let pipeline = Pipeline::start(Arc::clone(&writer), config).await.unwrap();
    send(&pipeline, 0..100).await.unwrap();
    send(&pipeline, 50..150).await.unwrap();
    assert_eq!(pipeline.standing().pending_rows, 150);
    assert_eq!(pipeline.pending().1.iter().map(RecordBatch::num_rows).sum::<usize>(), 150);
    pipeline.commit_now().await.unwrap();
    assert_eq!(pipeline.standing().pending_rows, 0);
    assert_eq!(pipeline.standing().committed, 2);
    assert_eq!(writer.store().log_watermark().await.unwrap(), 2);
    send(&pipeline, [150, 150, 151]).await.unwrap();
    pipeline.compact().await.unwrap();
    pipeline.shutdown().await.unwrap();
    pipeline.shutdown().await.unwrap();
    assert_eq!(stored(&writer).await, once(0..152));
    assert_eq!(sum_of(&writer, "received").await, 203);
    assert_eq!(sum_of(&writer, "duplicated").await, 51);
    assert_eq!(files_of(&writer, &SPANS).await, 3, "one file a day");
    assert!(std::fs::read_dir(folder.path().join("log")).unwrap().next().is_none());
    assert_eq!(send(&pipeline, [999]).await.unwrap_err().kind(), ErrorKind::Unavailable);
    assert!(!pipeline.is_ready());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lock_is_free_once_the_pipeline_has_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let writer = writer(Arc::new(LocalDisk), folder.path()).unwrap();
    let store = writer.store().clone();
    let pipeline = Pipeline::start(writer, config()).await.unwrap();
    assert!(store.lock().is_err());
    pipeline.shutdown().await.unwrap();
    store.lock().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn repeats_are_dropped_after_a_restart_whether_committed_or_only_logged() {
    let folder = tempfile::tempdir().unwrap();
    let disk = || Arc::new(LocalDisk);
    let pipeline = Pipeline::start(writer(disk(), folder.path()).unwrap(), config()).await.unwrap();
    send(&pipeline, 0..10).await.unwrap();
    pipeline.commit_now().await.unwrap();
    send(&pipeline, 10..20).await.unwrap();
    drop(pipeline);
    let writer = loop {
        match writer(disk(), folder.path()) {
            Ok(writer) => break writer,
            Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    };
    let pipeline = Pipeline::start(Arc::clone(&writer), config()).await.unwrap();
    assert_eq!(pipeline.standing().pending_rows, 10);
    send(&pipeline, 0..25).await.unwrap();
    assert_eq!(pipeline.standing().duplicated, 20);
    pipeline.shutdown().await.unwrap();
    assert_eq!(stored(&writer).await, once(0..25));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_the_log_does_not_know_of_is_not_repeated() {
    let disk = SimulatedDisk::new(1);
    let writer = writer(Arc::new(disk.clone()), Path::new(ROOT)).unwrap();
    let pipeline = Pipeline::start(Arc::clone(&writer), config()).await.unwrap();
    send(&pipeline, 0..10).await.unwrap();
    // As if the process had ended between the commit to `spans` and everything after it.
    writer.append(&SPANS, 1, |_| vec![spans(0..10)]).await.unwrap();
    drop((pipeline, writer));
    let writer = self::writer(Arc::new(disk.clone()), Path::new(ROOT)).unwrap();
    let pipeline = Pipeline::start(Arc::clone(&writer), config()).await.unwrap();
    send(&pipeline, 10..20).await.unwrap();
    pipeline.shutdown().await.unwrap();
    assert_eq!(stored(&writer).await, once(0..20));
    assert_eq!(sum_of(&writer, "received").await, 20, "the intake of the first ten was still to be counted");
}

#[tokio::test(flavor = "multi_thread")]
async fn compaction_removes_what_repeats_across_commits() {
    let disk = SimulatedDisk::new(2);
    let writer = writer(Arc::new(disk), Path::new(ROOT)).unwrap();
    for sequence in 1..=3 {
        writer.append(&SPANS, sequence, |_| vec![spans(sequence * 10..sequence * 10 + 20)]).await.unwrap();
    }
    assert!(stored(&writer).await.values().any(|&times| times > 1));
    let compacted = writer.compact(&SPANS, 1, &["trace_id", "span_id"]).await.unwrap();
    assert_eq!((compacted.files_before, compacted.files_after, compacted.duplicates), (9, 3, 20));
    assert_eq!(stored(&writer).await, once(10..50));
    assert_eq!(writer.store().log_watermark().await.unwrap(), 3, "the watermark outlives the merge");
    assert_eq!(writer.compact(&SPANS, 1, &["trace_id", "span_id"]).await.unwrap(), crate::store::Compacted::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_turned_holds_no_row_and_loses_none() {
    let folder = tempfile::tempdir().unwrap();
    let writer = writer(Arc::new(LocalDisk), folder.path()).unwrap();
    let pipeline =
        Pipeline::start(Arc::clone(&writer), Config { segment_bytes_max: 64 << 20, ..config() }).await.unwrap();
    let bytes = || {
        let segments = std::fs::read_dir(folder.path().join("log")).unwrap();
        segments.map(|entry| entry.unwrap().metadata().unwrap().len()).sum::<u64>()
    };
    send(&pipeline, 0..500).await.unwrap();
    pipeline.commit_now().await.unwrap();
    assert!(bytes() > 10_000, "a segment stays until it is full");
    pipeline.turn_log().await.unwrap();
    assert!(bytes() < 1_000, "{}", bytes());
    pipeline.turn_log().await.unwrap();
    send(&pipeline, 500..600).await.unwrap();
    pipeline.shutdown().await.unwrap();
    assert_eq!(stored(&writer).await, once(0..600));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_house_is_overloaded_and_takes_more_once_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let writer = writer(Arc::new(LocalDisk), folder.path()).unwrap();
    let one = spans(0..1000).get_array_memory_size();
    let config = Config { waiting_bytes_max: one * 4, patience: Duration::ZERO, ..config() };
    let pipeline = Pipeline::start(Arc::clone(&writer), config.clone()).await.unwrap();
    let held = pipeline.inner.room.seize(Sender::Token([1; 8]), one * 4 / 1024 - 8);
    assert_eq!(send(&pipeline, 0..1000).await.unwrap_err().kind(), ErrorKind::Overloaded);
    assert_eq!(pipeline.standing().duplicated, 0);
    drop(held);
    send(&pipeline, 0..1000).await.unwrap();
    pipeline.shutdown().await.unwrap();
    assert_eq!(stored(&writer).await, once(0..1000), "what was turned away was not taken for seen");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_that_fills_its_share_waits_and_others_do_not() {
    let writer = writer(Arc::new(SimulatedDisk::new(9)), Path::new(ROOT)).unwrap();
    let one = spans(0..1000).get_array_memory_size();
    let config = Config { waiting_bytes_max: one * 12, patience: Duration::from_mins(10), ..config() };
    let pipeline = Pipeline::start(Arc::clone(&writer), config).await.unwrap();
    let [greedy, other] = [[1; 8], [2; 8]].map(Sender::Token);
    // No commit makes room until this is let go of.
    let committing = writer.committing(&SPANS).await;
    let mut sending: Vec<_> = (0..30_u64)
        .map(|batch| Box::pin(send_as(greedy, &pipeline, batch * 1000..(batch + 1) * 1000)))
        .map(futures::FutureExt::fuse)
        .collect();
    let mut done = 0;
    while done < 5 || pipeline.inner.room.wanted_by(greedy) < WAITING_MAX {
        for waiting in &mut sending {
            done += usize::from(matches!(futures::poll!(waiting), std::task::Poll::Ready(Ok(()))));
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(pipeline.takes(greedy).unwrap_err().kind(), ErrorKind::Overloaded);
    pipeline.takes(other).unwrap();
    let sent = tokio::time::timeout(Duration::from_mins(1), send_as(other, &pipeline, 30_000..31_000));
    sent.await.expect("it waits for nobody").unwrap();
    drop(committing);
    for waiting in sending.into_iter().filter(|waiting| !futures::future::FusedFuture::is_terminated(waiting)) {
        waiting.await.unwrap();
    }
    pipeline.takes(greedy).unwrap();
    pipeline.shutdown().await.unwrap();
    assert_eq!(stored(&writer).await, once(0..31_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_replay_brings_back_takes_the_room_of_its_own_bytes() {
    let disk = SimulatedDisk::new(10);
    let writer = writer(Arc::new(disk.clone()), Path::new(ROOT)).unwrap();
    let sized = Config { segment_bytes_max: 64 << 20, ..config() };
    let pipeline = Pipeline::start(Arc::clone(&writer), sized.clone()).await.unwrap();
    for batch in 0..50_u64 {
        send(&pipeline, batch * 10..(batch + 1) * 10).await.unwrap();
    }
    let segment: u64 = disk.list(Path::new("/store/log")).unwrap().iter().map(|entry| entry.size).sum();
    drop(pipeline);
    drop(writer);
    let writer = self::writer(Arc::new(disk.reboot()), Path::new(ROOT)).unwrap();
    let free = Pipeline::start(Arc::clone(&writer), sized).await.unwrap();
    let bytes = free.standing().pending_bytes as u64;
    assert!((segment / 4..=segment).contains(&bytes), "{bytes} of a segment of {segment}");
    let held = free.inner.room.seize(Sender::Process, usize::MAX).units() * 1024;
    let room = free.standing().waiting_bytes_max;
    assert!(held <= room - bytes as usize, "{held} of {room} are free beside {bytes}");
    free.shutdown().await.unwrap();
    assert_eq!(stored(&writer).await, once(0..500));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_committed_by_number_without_being_asked() {
    let folder = tempfile::tempdir().unwrap();
    let writer = writer(Arc::new(LocalDisk), folder.path()).unwrap();
    let pipeline = Pipeline::start(Arc::clone(&writer), Config { commit_rows: 100, ..config() }).await.unwrap();
    for batch in 0..4_u64 {
        send(&pipeline, batch * 50..batch * 50 + 50).await.unwrap();
    }
    while pipeline.standing().committed < 4 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(stored(&writer).await, once(0..200));
}

/// Senders that never pause, until the receiver of the flag is told.
fn send_without_end(
    pipeline: &Pipeline,
    rows: u64,
) -> (tokio::sync::watch::Sender<bool>, Vec<tokio::task::JoinHandle<()>>) {
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let senders = (0..4_u64).map(|sender| {
        let (pipeline, stopped) = (pipeline.clone(), stopped.clone());
        tokio::spawn(async move {
            let mut first = sender << 32;
            while !*stopped.borrow() {
                send(&pipeline, first..first + rows).await.unwrap();
                first += rows;
            }
        })
    });
    (stop, senders.collect())
}

/// Rows that each commit took in, by the intake that it noted.
async fn commits(writer: &Writer) -> Vec<i64> {
    let Some(table) = writer.store().newest(&INTAKE).await.unwrap() else { return Vec::new() };
    let paths = table.snapshot().unwrap().log_data().iter().map(|file| file.path().into_owned()).collect();
    let rows = writer.read_files(&INTAKE, &table, paths, &["received"]).await.unwrap();
    let batches = rows.try_collect::<Vec<_>>().await.unwrap();
    batches.iter().flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values().to_vec()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn under_a_load_that_never_pauses_commits_are_of_full_size() {
    let writer = writer(Arc::new(SimulatedDisk::new(5)), Path::new(ROOT)).unwrap();
    let pipeline = Pipeline::start(Arc::clone(&writer), Config { commit_rows: 600, ..config() }).await.unwrap();
    let (stop, senders) = send_without_end(&pipeline, 20);
    while commits(&writer).await.len() < 6 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let sizes = commits(&writer).await;
    assert!(sizes.iter().all(|rows| (600..620).contains(rows)), "{sizes:?}");
    stop.send_replace(true);
    for sender in senders {
        sender.await.unwrap();
    }
    pipeline.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn asking_for_a_commit_is_answered_under_a_load_that_never_pauses() {
    let writer = writer(Arc::new(SimulatedDisk::new(6)), Path::new(ROOT)).unwrap();
    // So little room that a few commits empty it, and senders who wait for it as long as that takes.
    let room = spans(0..20).get_array_memory_size() * 200;
    let config = Config { commit_rows: 600, waiting_bytes_max: room, patience: Duration::from_secs(600), ..config() };
    let pipeline = Pipeline::start(Arc::clone(&writer), config).await.unwrap();
    let (stop, senders) = send_without_end(&pipeline, 20);
    for _ in 0..5 {
        let (before, waiting) = (commits(&writer).await.len(), pipeline.standing().pending_rows);
        let asked = tokio::time::timeout(Duration::from_secs(120), pipeline.commit_now());
        asked.await.expect("it is answered however much comes").unwrap();
        // What waited when it was asked, what came until it was taken up, and one commit that was under way.
        let most = waiting / 600 + 8;
        let after = commits(&writer).await.len();
        assert!(after - before <= most, "{} commits for {waiting} rows", after - before);
    }
    stop.send_replace(true);
    for sender in senders {
        sender.await.unwrap();
    }
    pipeline.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn room_taken_by_repeats_alone_is_given_back_by_a_commit() {
    let writer = writer(Arc::new(SimulatedDisk::new(7)), Path::new(ROOT)).unwrap();
    let one = spans(0..100).get_array_memory_size();
    let config = Config { waiting_bytes_max: one * 6, ..config() };
    let pipeline = Pipeline::start(Arc::clone(&writer), config).await.unwrap();
    // Nothing is left of the repeats, yet each was given room for all of its rows.
    for _ in 0..40 {
        send(&pipeline, 0..100).await.unwrap();
    }
    pipeline.shutdown().await.unwrap();
    assert_eq!(stored(&writer).await, once(0..100));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_committed_to_while_another_is_worked_out() {
    let writer = writer(Arc::new(SimulatedDisk::new(8)), Path::new(ROOT)).unwrap();
    let held = writer.committing(&INTAKE).await;
    let appended = tokio::time::timeout(Duration::from_secs(60), writer.append(&SPANS, 1, |_| vec![spans(0..10)]));
    appended.await.expect("it waits for no other table").unwrap();
    drop(held);
    assert_eq!(stored(&writer).await, once(0..10));
}

/// Sends until it is stored.
async fn send_again_and_again(pipeline: &Pipeline, of: impl IntoIterator<Item = u64> + Clone) {
    while send(pipeline, of.clone()).await.is_err() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_loses_nothing_and_takes_more_once_there_is_room() {
    let disk = SimulatedDisk::new(3);
    let writer = writer(Arc::new(disk.clone()), Path::new(ROOT)).unwrap();
    let pipeline = Pipeline::start(Arc::clone(&writer), config()).await.unwrap();
    send(&pipeline, 0..10).await.unwrap();
    disk.fill_up_after(Some(500));
    assert_eq!(send(&pipeline, 5..20).await.unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(pipeline.why_not_ready().map(|why| why.contains("disk is full")), Some(true));
    assert_eq!(pipeline.takes(Sender::Process).unwrap_err().kind(), ErrorKind::Unavailable);
    assert!(pipeline.commit_now().await.is_err());
    assert_eq!(pipeline.standing().pending_rows, 10);
    disk.fill_up_after(None);
    send_again_and_again(&pipeline, 5..20).await;
    assert!(pipeline.is_ready());
    pipeline.shutdown().await.unwrap();
    assert_eq!(stored(&writer).await, once(0..20), "what was refused was not taken for seen");
    assert!(disk.list(Path::new("/store/log")).unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_of_what_the_disk_refused_is_never_acknowledged_in_its_place() {
    for seed in 0..30 {
        let disk = SimulatedDisk::new(seed);
        let writer = writer(Arc::new(disk.clone()), Path::new(ROOT)).unwrap();
        let pipeline = Pipeline::start(Arc::clone(&writer), config()).await.unwrap();
        disk.fail_syncs(seed % 3 + 1);
        // All of them the same: whoever is acknowledged stands for the others.
        let sending = (0..8).map(|_| send(&pipeline, 0..10));
        let acknowledged = futures::future::join_all(sending).await.iter().any(Result::is_ok);
        drop(pipeline);
        drop(writer);
        let writer = self::writer(Arc::new(disk.reboot()), Path::new(ROOT)).unwrap();
        let pipeline = Pipeline::start(Arc::clone(&writer), config()).await.unwrap();
        pipeline.shutdown().await.unwrap();
        assert!(!acknowledged || stored(&writer).await == once(0..10), "seed {seed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_kept_until_a_commit_that_can_be_seen_is_durable() {
    let disk = SimulatedDisk::new(4);
    let writer = writer(Arc::new(disk.clone()), Path::new(ROOT)).unwrap();
    let pipeline = Pipeline::start(Arc::clone(&writer), config()).await.unwrap();
    send(&pipeline, 0..10).await.unwrap();
    pipeline.commit_now().await.unwrap();
    send(&pipeline, 10..20).await.unwrap();
    disk.fail_folder_syncs(Some(std::io::ErrorKind::Other));
    for _ in 0..3 {
        assert!(pipeline.commit_now().await.is_err());
    }
    assert_eq!(pipeline.standing().pending_rows, 10);
    disk.fail_folder_syncs(None);
    pipeline.commit_now().await.unwrap();
    pipeline.shutdown().await.unwrap();
    drop(writer);
    let writer = self::writer(Arc::new(disk.reboot()), Path::new(ROOT)).unwrap();
    assert_eq!(stored(&writer).await, once(0..20));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_goes_from_the_tables_while_what_they_show_may_vanish() {
    let disk = SimulatedDisk::new(5);
    let writer = writer(Arc::new(disk.clone()), Path::new(ROOT)).unwrap();
    let pipeline = Pipeline::start(Arc::clone(&writer), config()).await.unwrap();
    for first in [0, 10, 20] {
        send(&pipeline, first..first + 10).await.unwrap();
        pipeline.commit_now().await.unwrap();
    }
    send(&pipeline, 30..40).await.unwrap();
    disk.fail_folder_syncs(Some(std::io::ErrorKind::Other));
    assert!(pipeline.commit_now().await.is_err());
    assert_eq!(
        writer.store().settle().await.unwrap_err().kind(),
        ErrorKind::Unavailable,
        "what tables show is in doubt"
    );
    let files = disk.files();
    let keep = Keep { every_us: 0, last_us: 0, grace_us: 0 };
    let now_us = chrono::Utc::now().timestamp_micros();
    assert!(upkeep::vacuum(&writer, &[&SPANS, &INTAKE], keep, now_us).await.is_err());
    let retention = Retention { spans_days: 1, ..Retention::default() };
    assert!(upkeep::expire(&writer, &retention, now_us).await.is_err());
    assert!(writer.compact(&SPANS, 1, &upkeep::IDENTITY).await.is_err());
    assert!(disk.files().is_superset(&files), "what was refused has taken nothing away");
    disk.fail_folder_syncs(None);
    upkeep::vacuum(&writer, &[&SPANS, &INTAKE], keep, now_us).await.unwrap();
    pipeline.shutdown().await.unwrap();
    assert_eq!(stored(&writer).await, once(0..40));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_fails_half_way_leaves_no_files_behind() {
    let mut failures = 0;
    for full_after in (0..).step_by(1_500) {
        let disk = SimulatedDisk::new(11);
        let writer = writer(Arc::new(disk.clone()), Path::new(ROOT)).unwrap();
        // Nothing is tried again by itself while files are looked at.
        let config = Config { retry_after: Duration::from_hours(1), ..config() };
        let pipeline = Pipeline::start(Arc::clone(&writer), config).await.unwrap();
        send(&pipeline, 0..30).await.unwrap();
        pipeline.commit_now().await.unwrap();
        // Rows of three days, so of three files.
        send(&pipeline, 30..60).await.unwrap();
        let data_files = || {
            let files = disk.files().into_iter();
            files.filter(|path| path.extension().is_some_and(|kind| kind == "parquet")).collect::<BTreeSet<_>>()
        };
        let before = data_files();
        disk.fill_up_after(Some(full_after));
        let committed = pipeline.commit_now().await;
        disk.fill_up_after(None);
        let spans_are_in = writer.store().log_watermark().await.unwrap() == 2;
        if !spans_are_in {
            assert!(committed.is_err());
            assert_eq!(data_files(), before, "full after {full_after} bytes");
            failures += 1;
        }
        pipeline.shutdown().await.unwrap();
        assert_eq!(stored(&writer).await, once(0..60));
        if spans_are_in {
            break;
        }
    }
    assert!(failures > 10, "{failures}: files of all three days were written before it failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_reads_no_more_ids_than_it_can_remember() {
    let disk = SimulatedDisk::new(12);
    let start = async |seen_max| {
        let writer = writer(Arc::new(disk.clone()), Path::new(ROOT)).unwrap();
        (Arc::clone(&writer), Pipeline::start(writer, Config { seen_max, ..config() }).await.unwrap())
    };
    let (writer, pipeline) = start(1_000).await;
    let mut before = BTreeSet::new();
    for first in [0, 300, 600] {
        before = disk.files();
        send(&pipeline, first..first + 300).await.unwrap();
        pipeline.commit_now().await.unwrap();
        // A file's time of writing is told in milliseconds.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    pipeline.shutdown().await.unwrap();
    drop((writer, pipeline));
    // The start would fail if it read these.
    let of_spans = |path: &&PathBuf| path.starts_with("/store/spans") && path.extension() == Some("parquet".as_ref());
    assert_eq!(before.iter().filter(of_spans).map(|path| disk.remove(path).unwrap()).count(), 6);
    let (_writer, pipeline) = start(100).await;
    assert_eq!(pipeline.standing().forgotten, 800);
    pipeline.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_to_the_log_is_counted_and_what_was_set_aside_goes_with_the_days_it_is_of() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("store");
    let writer = writer(Arc::new(LocalDisk), &root).unwrap();
    let pipeline = Pipeline::start(Arc::clone(&writer), config()).await.unwrap();
    send(&pipeline, 0..10).await.unwrap();
    send(&pipeline, 10..20).await.unwrap();
    // As if the process had been killed: nothing is committed.
    std::fs::copy(root.join("log/00000001.log"), folder.path().join("segment")).unwrap();
    pipeline.shutdown().await.unwrap();
    let mut bytes = std::fs::read(folder.path().join("segment")).unwrap();
    bytes[700] ^= 0x40;
    drop(writer);
    std::fs::remove_dir_all(&root).unwrap();
    let writer = self::writer(Arc::new(LocalDisk), &root).unwrap();
    std::fs::create_dir_all(root.join("log")).unwrap();
    std::fs::write(root.join("log/00000001.log"), bytes).unwrap();
    let pipeline = Pipeline::start(Arc::clone(&writer), config()).await.unwrap();
    let mut page = Page::default();
    pipeline.telemetry().write(&pipeline.standing(), &mut page);
    let page = page.into_text();
    for line in ["gilbreth_log_damaged_parts_total 1", "gilbreth_log_lost_records_total 1"] {
        assert!(page.lines().any(|found| found == line), "{line} in\n{page}");
    }
    pipeline.shutdown().await.unwrap();
    assert_eq!(stored(&writer).await, once(10..20));

    let part = root.join("log/damaged/00000001-0.part");
    let retention = Retention { spans_days: 10, ..Retention::default() };
    let later_us = |days: i64| chrono::Utc::now().timestamp_micros() + days * 86_400_000_000;
    for (days, is_there) in [(5, true), (15, false)] {
        upkeep::expire(&writer, &retention, later_us(days)).await.unwrap();
        assert_eq!(part.exists(), is_there, "after {days} days");
        assert!(!upkeep::leftovers(&writer, &retention, later_us(days)).await.unwrap().contains(&part));
    }
}
