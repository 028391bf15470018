use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use arrow::{
    array::{AsArray, BinaryArray, Date32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray},
    datatypes::{Int64Type, SchemaRef},
};
use datafusion::{
    error::DataFusionError, execution::SendableRecordBatchStream, physical_plan::stream::RecordBatchStreamAdapter,
    prelude::SessionContext,
};
use futures::stream;

use super::{Manifest, Snapshot, Store, VersionRecord, Writer, vacuum::data_files};
use crate::{
    Error, ErrorKind,
    disk::{Disk as _, LocalDisk, simulated::SimulatedDisk},
    schema::{ColumnType, SPANS, Table, optional, required},
};

mod upkeep;

static SAMPLE: Table = Table {
    name: "sample",
    folder: "facts/sample",
    grain: "a row",
    partition: &["day"],
    sort: &["worker", "at"],
    columns: &[
        optional("worker", ColumnType::Binary, "a hash"),
        required("at", ColumnType::Instant, "an instant"),
        optional("label", ColumnType::Text, "a text"),
        optional("number", ColumnType::Integer, "a number"),
        required("day", ColumnType::Date, "a day"),
    ],
};

pub(crate) fn manifest() -> Manifest {
    Manifest { format: 0, estate: "Test".to_owned(), time_zone: chrono_tz::Europe::London }
}

fn store(root: &Path) -> Store {
    Store::open_or_create(&root.join("store"), manifest()).unwrap()
}

/// (worker, at, number, day) with the label made of the number.
fn rows(of: &[(Option<&[u8]>, i64, i64, i32)]) -> RecordBatch {
    let labels: Vec<String> = of.iter().map(|row| format!("row {}", row.2)).collect();
    RecordBatch::try_new(
        SAMPLE.arrow_schema(),
        vec![
            Arc::new(of.iter().map(|row| row.0).collect::<BinaryArray>()),
            Arc::new(TimestampMicrosecondArray::from_iter_values(of.iter().map(|row| row.1)).with_timezone("UTC")),
            Arc::new(StringArray::from_iter_values(labels)),
            Arc::new(Int64Array::from_iter_values(of.iter().map(|row| row.2))),
            Arc::new(Date32Array::from_iter_values(of.iter().map(|row| row.3))),
        ],
    )
    .unwrap()
}

fn streamed(schema: SchemaRef, batches: Vec<RecordBatch>) -> SendableRecordBatchStream {
    Box::pin(RecordBatchStreamAdapter::new(schema, stream::iter(batches.into_iter().map(Ok))))
}

async fn replace(writer: &Writer, batches: Vec<RecordBatch>) -> u64 {
    writer.replace(&SAMPLE, streamed(SAMPLE.arrow_schema(), batches)).await.unwrap()
}

/// Each batch in a stream of its own.
async fn replace_days(writer: &Writer, days: &[i32], batches: Vec<RecordBatch>) -> Result<u64, Error> {
    let streams = batches.into_iter().map(|batch| streamed(batch.schema(), vec![batch])).collect();
    writer.replace_days(&SAMPLE, &days.iter().copied().collect(), streams).await
}

async fn newest_numbers(store: &Store) -> Vec<i64> {
    numbers(store.snapshot(&SAMPLE).await.unwrap().unwrap()).await
}

async fn files_of_days(store: &Store) -> BTreeMap<i32, u64> {
    store.files_of_days(&SAMPLE).await.unwrap()
}

async fn file_names(store: &Store) -> BTreeSet<String> {
    store.newest(&SAMPLE).await.unwrap().unwrap().get_file_uris().unwrap().collect()
}

async fn query(snapshot: Snapshot, sql: &str) -> Vec<RecordBatch> {
    let context = SessionContext::new();
    context.register_table("sample", snapshot.provider).unwrap();
    context.sql(sql).await.unwrap().collect().await.unwrap()
}

async fn numbers(snapshot: Snapshot) -> Vec<i64> {
    query(snapshot, "select number from sample order by number")
        .await
        .iter()
        .flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values().to_vec())
        .collect()
}

fn files_on_disk(store: &Store) -> BTreeSet<String> {
    data_files(&LocalDisk, &store.root().join(SAMPLE.folder)).unwrap().into_keys().collect()
}

fn kind_and_message(error: &Error) -> (ErrorKind, String) {
    (error.kind(), error.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_come_back_with_the_declared_types() {
    let folder = tempfile::tempdir().unwrap();
    let writer = store(folder.path()).lock().unwrap();
    replace(&writer, vec![rows(&[(Some(b"b"), 2, 1, 20), (None, 1, 2, 19), (Some(b"a"), 3, 3, 20)])]).await;
    let snapshot = writer.store().snapshot(&SAMPLE).await.unwrap().unwrap();
    assert_eq!(snapshot.provider.schema(), SAMPLE.arrow_schema());
    let found = query(snapshot, "select * from sample").await;
    assert_eq!(found[0].schema().fields(), SAMPLE.arrow_schema().fields());
    assert_eq!(found.iter().map(RecordBatch::num_rows).sum::<usize>(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_types_of_spans_survive_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let writer = store(folder.path()).lock().unwrap();
    writer.replace(&SPANS, streamed(SPANS.arrow_schema(), Vec::new())).await.unwrap();
    let snapshot = writer.store().snapshot(&SPANS).await.unwrap().unwrap();
    assert_eq!(snapshot.provider.schema(), SPANS.arrow_schema());
}

#[tokio::test(flavor = "multi_thread")]
async fn replacing_sorts_within_days_and_leaves_nothing_of_before() {
    let folder = tempfile::tempdir().unwrap();
    let writer = store(folder.path()).lock().unwrap();
    replace(&writer, vec![rows(&[(None, 1, 99, 1)])]).await;
    let unsorted: Vec<_> = (0..5_000_i64)
        .map(|number| rows(&[(Some(&[(number * 7 % 251) as u8][..]), number * 31 % 977, number, (number % 3) as i32)]))
        .collect();
    let version = replace(&writer, unsorted).await;
    let snapshot = writer.store().snapshot(&SAMPLE).await.unwrap().unwrap();
    assert_eq!(snapshot.version, version);
    assert_eq!(numbers(snapshot).await, (0..5_000).collect::<Vec<_>>());
    let table = writer.store().newest(&SAMPLE).await.unwrap().unwrap();
    let paths: Vec<_> = table.get_file_uris().unwrap().collect();
    assert_eq!(paths.len(), 3, "one file a day: {paths:?}");
    for path in paths {
        let path = path.trim_start_matches("file://").to_owned();
        let file = std::fs::File::open(path).unwrap();
        let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        let batches: Vec<_> = reader.with_batch_size(10_000).build().unwrap().map(Result::unwrap).collect();
        let keys: Vec<_> = batches
            .iter()
            .flat_map(|batch| {
                let workers = batch.column_by_name("worker").unwrap().as_binary::<i32>();
                let at =
                    batch.column_by_name("at").unwrap().as_primitive::<arrow::datatypes::TimestampMicrosecondType>();
                (0..batch.num_rows()).map(|row| (workers.value(row).to_vec(), at.value(row))).collect::<Vec<_>>()
            })
            .collect();
        assert!(keys.is_sorted());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_exists_after_being_replaced_by_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let writer = store(folder.path()).lock().unwrap();
    assert!(writer.store().snapshot(&SAMPLE).await.unwrap().is_none());
    replace(&writer, Vec::new()).await;
    assert_eq!(numbers(writer.store().snapshot(&SAMPLE).await.unwrap().unwrap()).await, Vec::<i64>::new());
    replace(&writer, vec![rows(&[(None, 1, 1, 1)])]).await;
    replace(&writer, Vec::new()).await;
    assert_eq!(numbers(writer.store().snapshot(&SAMPLE).await.unwrap().unwrap()).await, Vec::<i64>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn replacing_a_day_keeps_the_files_of_the_others_and_the_versions_of_before() {
    let folder = tempfile::tempdir().unwrap();
    let writer = store(folder.path()).lock().unwrap();
    let first =
        replace(&writer, vec![rows(&[(None, 1, 1, -1), (None, 2, 2, -1), (None, 1, 3, 2), (None, 1, 4, 3)])]).await;
    let (days_before, names_before) = (files_of_days(writer.store()).await, file_names(writer.store()).await);
    assert_eq!(days_before.keys().copied().collect::<Vec<_>>(), [-1, 2, 3]);
    let new = vec![rows(&[(None, 1, 5, 2)]), rows(&[(None, 1, 6, 2), (None, 1, 7, 4)])];
    let second = replace_days(&writer, &[2, 4, 5], new).await.unwrap();
    assert_eq!(second, first + 1, "one commit");

    let names = file_names(writer.store()).await;
    let gone: Vec<_> = names_before.difference(&names).collect();
    assert!(matches!(gone[..], [only] if only.contains("day=1970-01-03")), "{gone:?}");
    assert_eq!(names.difference(&names_before).count(), 3, "one file a day and stream");
    let mut days = files_of_days(writer.store()).await;
    assert_ne!(days[&2], days_before[&2]);
    assert!(days.remove(&4).is_some());
    days.insert(2, days_before[&2]);
    assert_eq!(days, days_before);

    for store in [writer.store(), &Store::open(writer.store().root()).unwrap()] {
        assert_eq!(newest_numbers(store).await, [1, 2, 4, 5, 6, 7]);
        assert_eq!(numbers(store.snapshot_at(&SAMPLE, first).await.unwrap()).await, [1, 2, 3, 4]);
        assert_eq!(store.files_of_days_at(&SAMPLE, first).await.unwrap(), days_before);
        assert_eq!(store.files_of_days_at(&SAMPLE, second).await.unwrap(), files_of_days(writer.store()).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_another_day_is_refused_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let writer = store(folder.path()).lock().unwrap();
    let version = replace(&writer, vec![rows(&[(None, 1, 1, 1), (None, 1, 2, 2)])]).await;
    let before = files_of_days(writer.store()).await;
    let day = SAMPLE.columns.len() - 1;
    let mut undated = rows(&[(None, 1, 4, 1)]).columns().to_vec();
    undated[day] = Arc::new(Date32Array::from(vec![None]));
    let undated = RecordBatch::try_new(SAMPLE.arrow_schema(), undated).unwrap();
    for (foreign, said) in [(rows(&[(None, 1, 3, 1), (None, 1, 4, 2)]), "1970-01-03"), (undated, "null")] {
        let error = replace_days(&writer, &[1], vec![rows(&[(None, 1, 5, 1)]), foreign]).await.unwrap_err();
        let (kind, message) = kind_and_message(&error);
        assert_eq!(kind, ErrorKind::Internal);
        assert_eq!(message, format!("rows for sample have day {said}, which is not to be replaced"));
        assert_eq!(newest_numbers(writer.store()).await, [1, 2]);
        assert_eq!(files_of_days(writer.store()).await, before);
        assert_eq!(writer.store().snapshot(&SAMPLE).await.unwrap().unwrap().version, version);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn writing_that_fails_half_way_leaves_no_files_behind() {
    let folder = tempfile::tempdir().unwrap();
    let writer = store(folder.path()).lock().unwrap();
    replace(&writer, vec![rows(&[(Some(b"a"), 1, 1, 1)])]).await;
    let before = files_on_disk(writer.store());
    let day = |day: i32| Ok(rows(&[(Some(b"a"), 1, i64::from(day), day)]));
    let broken = || Err(DataFusionError::Internal("no more".to_owned()));
    // Files of days that were over are closed; one stream has ended, one goes on, two fail.
    let streams = [vec![day(1), day(2), broken()], vec![day(3), day(4)], (5..90).map(day).collect(), vec![broken()]];
    for count in 1..=streams.len() {
        let stream = |of: &Vec<Result<RecordBatch, DataFusionError>>| -> SendableRecordBatchStream {
            let of: Vec<_> = of
                .iter()
                .map(|rows| rows.as_ref().cloned().map_err(|_| DataFusionError::Internal("no more".to_owned())))
                .collect();
            Box::pin(RecordBatchStreamAdapter::new(SAMPLE.arrow_schema(), stream::iter(of)))
        };
        let days = (1..90).collect();
        let replaced = writer.replace_days(&SAMPLE, &days, streams.iter().take(count).map(stream).collect()).await;
        assert!(replaced.is_err());
        assert_eq!(files_on_disk(writer.store()), before, "{count} streams");
    }
    assert_eq!(newest_numbers(writer.store()).await, [1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_replaced_by_nothing_is_gone_and_nothing_by_nothing_is_no_commit() {
    let folder = tempfile::tempdir().unwrap();
    let writer = store(folder.path()).lock().unwrap();
    assert_eq!(files_of_days(writer.store()).await, BTreeMap::new());
    let made = replace_days(&writer, &[1], Vec::new()).await.unwrap();
    assert_eq!(newest_numbers(writer.store()).await, Vec::<i64>::new());
    assert_eq!(
        replace_days(&writer, &[1, 2], vec![rows(&[(None, 1, 1, 1), (None, 1, 2, 2)])]).await.unwrap(),
        made + 1
    );
    assert_eq!(replace_days(&writer, &[1], vec![rows(&[])]).await.unwrap(), made + 2);
    assert_eq!(newest_numbers(writer.store()).await, [2]);
    assert_eq!(files_of_days(writer.store()).await.into_keys().collect::<Vec<_>>(), [2]);
    for days in [&[1, 7][..], &[]] {
        assert_eq!(replace_days(&writer, days, vec![rows(&[])]).await.unwrap(), made + 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_added_to_a_table_without_days_which_starts_empty_once_it_has_them() {
    static UNDIVIDED: Table = Table { partition: &[], ..SAMPLE };
    let folder = tempfile::tempdir().unwrap();
    let writer = store(folder.path()).lock().unwrap();
    let add = async |batches: Vec<RecordBatch>| {
        let rows = streamed(UNDIVIDED.arrow_schema(), batches);
        writer.replace_days(&UNDIVIDED, &BTreeSet::new(), vec![rows]).await.unwrap()
    };
    let first = add(vec![rows(&[(None, 1, 1, 1)])]).await;
    assert_eq!(add(vec![rows(&[(None, 1, 2, 1)])]).await, first + 1);
    assert_eq!(add(Vec::new()).await, first + 1);
    assert_eq!(newest_numbers(writer.store()).await, [1, 2]);
    assert_eq!(writer.store().files_of_days(&UNDIVIDED).await.unwrap_err().kind(), ErrorKind::Internal);
    replace_days(&writer, &[2], vec![rows(&[(None, 1, 3, 2)])]).await.unwrap();
    assert_eq!(newest_numbers(writer.store()).await, [3]);
    assert_eq!(files_of_days(writer.store()).await.into_keys().collect::<Vec<_>>(), [2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_stays_at_its_version() {
    let folder = tempfile::tempdir().unwrap();
    let writer = store(folder.path()).lock().unwrap();
    let first = replace(&writer, vec![rows(&[(None, 1, 1, 1)])]).await;
    let held = writer.store().snapshot(&SAMPLE).await.unwrap().unwrap();
    let second = replace(&writer, vec![rows(&[(None, 1, 2, 1)])]).await;
    assert_eq!(numbers(held).await, [1]);
    let reader = Store::open(writer.store().root()).unwrap();
    for (version, expected) in [(first, 1), (second, 2), (first, 1)] {
        for store in [writer.store(), &reader] {
            let pinned = store.snapshot_at(&SAMPLE, version).await.unwrap();
            assert_eq!(pinned.version, version);
            assert_eq!(numbers(pinned).await, [expected]);
        }
    }
    assert!(writer.store().snapshot_at(&SAMPLE, 77).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_definition_replaces_the_schema() {
    static NARROWER: Table = Table {
        partition: &[],
        sort: &["number"],
        columns: &[optional("number", ColumnType::Integer, "a number")],
        ..SAMPLE
    };
    let folder = tempfile::tempdir().unwrap();
    let writer = store(folder.path()).lock().unwrap();
    replace(&writer, vec![rows(&[(None, 1, 1, 1)])]).await;
    let narrow = RecordBatch::try_new(NARROWER.arrow_schema(), vec![Arc::new(Int64Array::from(vec![8, 7]))]).unwrap();
    writer.replace(&NARROWER, streamed(NARROWER.arrow_schema(), vec![narrow])).await.unwrap();
    let snapshot = writer.store().snapshot(&NARROWER).await.unwrap().unwrap();
    assert_eq!(snapshot.provider.schema(), NARROWER.arrow_schema());
    assert_eq!(numbers(snapshot).await, [7, 8]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_without_a_column_are_refused_and_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let writer = store(folder.path()).lock().unwrap();
    replace(&writer, vec![rows(&[(None, 1, 1, 1)])]).await;
    let whole = rows(&[(None, 1, 2, 1)]);
    let part = whole.project(&[0, 1, 3, 4]).unwrap();
    let error = writer.replace(&SAMPLE, streamed(part.schema(), vec![part])).await.unwrap_err();
    assert_eq!(error.to_string(), "rows for sample lack the column label");
    assert_eq!(numbers(writer.store().snapshot(&SAMPLE).await.unwrap().unwrap()).await, [1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn version_records_are_numbered_and_the_newest_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let writer = store(folder.path()).lock().unwrap();
    assert_eq!(writer.store().latest_version().unwrap(), None);
    let record = VersionRecord {
        number: 0,
        written_at_us: 5,
        tables: [("spans".to_owned(), 3)].into(),
        log_watermark: 9,
        parameters: serde_json::json!({"idle_threshold_s": 60.0}),
        facts_hash: "abc".to_owned(),
    };
    assert_eq!(writer.record_version(record.clone()).unwrap(), 1);
    assert_eq!(writer.record_version(VersionRecord { written_at_us: 6, ..record.clone() }).unwrap(), 2);
    let newest = writer.store().latest_version().unwrap().unwrap();
    assert_eq!(newest, VersionRecord { number: 2, written_at_us: 6, ..record });
    let numbers: Vec<u64> = writer.store().versions().unwrap().iter().map(|record| record.number).collect();
    assert_eq!(numbers, [1, 2]);
    assert_eq!(writer.store().version(1).unwrap().written_at_us, 5);
    let (kind, message) = kind_and_message(&writer.store().version(3).unwrap_err());
    assert_eq!((kind, message.as_str()), (ErrorKind::Invalid, "there is no version 3 in this store: it has 1 to 2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_can_be_read_however_old_its_log_and_however_often_its_files_were_merged() {
    let folder = tempfile::tempdir().unwrap();
    let writer = store(folder.path()).lock().unwrap();
    let append = async |sequences: std::ops::RangeInclusive<i64>| {
        for sequence in sequences {
            let row = rows(&[(None, 1, sequence, 1)]);
            writer.append(&SAMPLE, sequence as u64, |_| vec![row]).await.unwrap();
        }
    };
    append(1..=2).await;
    let pinned = writer.store().snapshot(&SAMPLE).await.unwrap().unwrap().version;
    append(3..=110).await;
    // A checkpoint is written every hundred versions. Once one is older than 30 days, Delta Lake would drop the log
    // before it as it writes the next.
    let log = writer.store().root().join(SAMPLE.folder).join("_delta_log");
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(90 * 86_400);
    let mut checkpoints = 0;
    for entry in std::fs::read_dir(&log).unwrap().map(|entry| entry.unwrap().path()) {
        checkpoints += usize::from(entry.extension().is_some_and(|found| found == "parquet"));
        std::fs::File::options().write(true).open(entry).unwrap().set_modified(long_ago).unwrap();
    }
    assert_eq!(checkpoints, 1);
    append(111..=210).await;
    writer.compact(&SAMPLE, 1, &[]).await.unwrap();
    for reader in [writer.store().clone(), Store::open(writer.store().root()).unwrap()] {
        assert_eq!(numbers(reader.snapshot_at(&SAMPLE, pinned).await.unwrap()).await, [1, 2]);
        assert_eq!(numbers(reader.snapshot(&SAMPLE).await.unwrap().unwrap()).await.len(), 210);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_cleaned_while_it_is_read_is_read_again() {
    let disk = SimulatedDisk::new(1);
    let store = || Store::open_or_create_on(Arc::new(disk.clone()), Path::new("/store"), manifest()).unwrap();
    let writer = store().lock().unwrap();
    for sequence in 1..=3 {
        writer.append(&SAMPLE, sequence, |_| vec![rows(&[(Some(b"a"), 1, 1, 1)])]).await.unwrap();
    }
    let entry = |version: u64| format!("/store/facts/sample/_delta_log/{version:020}.json");
    for version in [1, 3] {
        disk.miss_once(Path::new(&entry(version)));
        assert_eq!(store().newest(&SAMPLE).await.unwrap().unwrap().version(), Some(3));
        disk.miss_once(Path::new(&entry(version)));
        assert_eq!(store().at(&SAMPLE, version).await.unwrap().version(), Some(version));
    }
    // What is really gone is an error, and no table that seems never to have been made.
    disk.remove(Path::new(&entry(2))).unwrap();
    assert!(store().newest(&SAMPLE).await.is_err());
}

#[test]
fn a_second_writer_is_told_who_holds_the_lock() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let writer = store.lock().unwrap();
    let (kind, message) = kind_and_message(&store.lock().unwrap_err());
    assert_eq!(kind, ErrorKind::Unavailable);
    assert!(message.contains(&format!("process {}", std::process::id())), "{message}");
    assert!(message.contains("send to that service instead"), "{message}");
    drop(writer);
    store.lock().unwrap();
}

#[test]
fn the_lock_sweeps_what_was_half_written() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let left = store.root().join("spans/day=2026-01-01");
    std::fs::create_dir_all(&left).unwrap();
    std::fs::write(left.join(".part.1-2.tmp"), b"half").unwrap();
    std::fs::write(left.join("part"), b"whole").unwrap();
    let _writer = store.lock().unwrap();
    assert!(!left.join(".part.1-2.tmp").exists());
    assert!(left.join("part").exists());
}

#[test]
fn a_newer_format_is_refused_before_anything_else_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let root = store(folder.path()).root().to_owned();
    std::fs::write(root.join("store.toml"), "format = 99\nshape = { unknown = true }\n").unwrap();
    for error in [Store::open(&root).unwrap_err(), Store::open_or_create(&root, manifest()).unwrap_err()] {
        let (kind, message) = kind_and_message(&error);
        assert_eq!(kind, ErrorKind::Unavailable);
        assert!(message.contains("format 99") && message.contains("newer gilbreth"), "{message}");
    }
}

#[test]
fn a_store_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("nowhere");
    let (kind, message) = kind_and_message(&Store::open(&root).unwrap_err());
    assert_eq!(kind, ErrorKind::Unavailable);
    assert!(message.contains("there is no store at") && message.contains("nowhere"), "{message}");
    assert!(!root.exists());
}

#[test]
fn a_broken_manifest_is_corrupt() {
    let folder = tempfile::tempdir().unwrap();
    let root = store(folder.path()).root().to_owned();
    for text in
        ["format = ", "format = 2\n", "format = 2\nestate = \"E\"\ntime_zone = \"Mars/Base\"\ncollector = \"c\"\n"]
    {
        std::fs::write(root.join("store.toml"), text).unwrap();
        assert_eq!(Store::open(&root).unwrap_err().kind(), ErrorKind::Corrupt, "{text}");
    }
}

#[test]
fn a_manifest_outlives_the_process_and_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let made = store(folder.path());
    let other = Manifest { estate: "Other".to_owned(), ..manifest() };
    let again = Store::open_or_create(made.root(), other).unwrap();
    assert_eq!(again.manifest().estate, "Test");
    assert_eq!(again.manifest().time_zone, chrono_tz::Europe::London);
    assert_eq!(again.collector(), made.collector());
    assert_eq!(made.collector().len(), 32);
}
