use std::{path::Path, sync::Arc};

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, Date32Array, RecordBatch, StringArray, TimestampMicrosecondArray,
    new_null_array,
};
use proptest::prelude::*;
use tokio::sync::oneshot;

use super::{Log, Record, Submission, replay};
use crate::{
    ErrorKind,
    disk::{Disk, simulated::SimulatedDisk},
    gate::IntakeCounts,
    schema::SPANS_SCHEMA,
};

const FOLDER: &str = "/store/log";

/// Rows of `spans` with these ids. Worker, day and order in time follow from the id.
pub(crate) fn spans(ids: impl IntoIterator<Item = u64>) -> RecordBatch {
    let ids: Vec<u64> = ids.into_iter().collect();
    let started = |id: &u64| (*id as i64 % 3) * 86_400_000_000 + (*id as i64).wrapping_mul(7_919) % 80_000_000_000;
    let columns = SPANS_SCHEMA.fields().iter().map(|field| -> ArrayRef {
        match field.name().as_str() {
            "trace_id" => Arc::new(BinaryArray::from_iter_values(ids.iter().map(|id| u128::from(*id).to_be_bytes()))),
            "span_id" => Arc::new(BinaryArray::from_iter_values(ids.iter().map(|id| id.to_be_bytes()))),
            "worker" => Arc::new(BinaryArray::from_iter_values(ids.iter().map(|id| [(id % 5) as u8]))),
            "name" => Arc::new(StringArray::from_iter_values(ids.iter().map(|id| format!("span {id}")))),
            "started_at" | "ended_at" | "received_at" => {
                Arc::new(TimestampMicrosecondArray::from_iter_values(ids.iter().map(started)).with_timezone("UTC"))
            }
            "day" => Arc::new(Date32Array::from_iter_values(ids.iter().map(|id| (*id % 3) as i32))),
            _ => new_null_array(field.data_type(), ids.len()),
        }
    });
    RecordBatch::try_new(SPANS_SCHEMA.clone(), columns.collect()).unwrap()
}

/// The ids of such rows.
pub(crate) fn ids(rows: &RecordBatch) -> Vec<u64> {
    let column = rows.column_by_name("span_id").unwrap().as_binary::<i32>();
    (0..column.len()).map(|row| u64::from_be_bytes(column.value(row).try_into().unwrap())).collect()
}

fn counts(received: u64) -> IntakeCounts {
    IntakeCounts { received, late: received / 2, ..IntakeCounts::default() }
}

fn open(disk: &SimulatedDisk, next: u64, segment_bytes_max: u64) -> Log<()> {
    let replayed = replay(disk, Path::new(FOLDER), 0).unwrap();
    Log::start(Arc::new(disk.clone()), Path::new(FOLDER), replayed.segments, next, segment_bytes_max, |_, ()| {})
        .unwrap()
}

/// Submits one batch; true once it is acknowledged.
fn submit(log: &Log<()>, rows: RecordBatch) -> bool {
    let (done, answer) = oneshot::channel();
    let counts = counts(rows.num_rows() as u64);
    log.submit(Submission { rows, counts, done, hold: () }).is_ok() && matches!(answer.blocking_recv(), Ok(Ok(())))
}

fn replayed(disk: &SimulatedDisk, after: u64) -> Vec<Record> {
    replay(disk, Path::new(FOLDER), after).unwrap().records
}

fn segment(number: u64) -> std::path::PathBuf {
    super::path_of(Path::new(FOLDER), number)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn what_was_submitted_comes_back_in_order(
        sizes in prop::collection::vec(0_usize..60, 1..30),
        segment_bytes_max in 200_u64..60_000,
        after in 0_u64..30,
    ) {
        let disk = SimulatedDisk::new(1);
        let log = open(&disk, 1, segment_bytes_max);
        let mut next_id = 0;
        let batches: Vec<RecordBatch> = sizes
            .iter()
            .map(|size| {
                let rows = spans(next_id..next_id + *size as u64);
                next_id += *size as u64;
                rows
            })
            .collect();
        for rows in &batches {
            prop_assert!(submit(&log, rows.clone()));
        }
        drop(log);
        let records = replayed(&disk, after);
        let expected: Vec<_> = batches.iter().enumerate().skip(after as usize).collect();
        prop_assert_eq!(records.len(), expected.len());
        for (record, (place, rows)) in records.iter().zip(expected) {
            prop_assert_eq!(record.sequence, place as u64 + 1);
            prop_assert_eq!(record.counts, counts(rows.num_rows() as u64));
            prop_assert_eq!(&record.rows, rows);
        }
    }

    #[test]
    fn a_tail_cut_anywhere_loses_only_itself(cut in 1_usize..2_000) {
        let disk = SimulatedDisk::new(2);
        let log = open(&disk, 1, u64::MAX);
        for batch in 0..5_u64 {
            prop_assert!(submit(&log, spans(batch * 10..batch * 10 + 10)));
        }
        drop(log);
        let whole = disk.inspect(&segment(1)).unwrap().size;
        disk.truncate(&segment(1), whole - (cut as u64).min(whole)).unwrap();
        let found = replay(&disk, Path::new(FOLDER), 0).unwrap();
        for (place, record) in found.records.iter().enumerate() {
            prop_assert_eq!(ids(&record.rows), (place as u64 * 10..place as u64 * 10 + 10).collect::<Vec<_>>());
        }
        // What was cut once is gone for good, and the log goes on behind it.
        let log = open(&disk, found.last + 1, u64::MAX);
        prop_assert!(submit(&log, spans(900..901)));
        drop(log);
        let again = replay(&disk, Path::new(FOLDER), 0).unwrap();
        prop_assert_eq!(again.cut, None);
        prop_assert_eq!(again.records.len(), found.records.len() + 1);
    }
}

#[test]
fn a_torn_tail_is_reported() {
    let disk = SimulatedDisk::new(3);
    let log = open(&disk, 1, u64::MAX);
    assert!(submit(&log, spans(0..10)));
    let sound = disk.inspect(&segment(1)).unwrap().size;
    assert!(submit(&log, spans(10..20)));
    drop(log);
    let whole = disk.inspect(&segment(1)).unwrap().size;
    disk.truncate(&segment(1), whole - 1).unwrap();
    let cut = replay(&disk, Path::new(FOLDER), 0).unwrap().cut.unwrap();
    assert_eq!((cut.path, cut.offset, cut.bytes), (segment(1), sound, whole - 1 - sound));
}

#[test]
fn damage_to_what_was_acknowledged_is_an_error_that_says_where() {
    for offset in [0, 5, 9, 17, 40, 90, 700] {
        let disk = SimulatedDisk::new(4);
        let log = open(&disk, 1, u64::MAX);
        for batch in 0..3_u64 {
            assert!(submit(&log, spans(batch * 10..batch * 10 + 10)));
        }
        drop(log);
        disk.damage(&segment(1), offset);
        let error = replay(&disk, Path::new(FOLDER), 0).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{offset}");
        assert!(error.to_string().contains("00000001.log is damaged at byte 0"), "{error}");
    }
}

#[test]
fn damage_before_a_later_segment_is_an_error() {
    let disk = SimulatedDisk::new(5);
    let log = open(&disk, 1, 1);
    for batch in 0..2_u64 {
        assert!(submit(&log, spans(batch..batch + 1)));
    }
    drop(log);
    disk.damage(&segment(1), 100);
    assert_eq!(replay(&disk, Path::new(FOLDER), 0).unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
fn a_missing_segment_is_an_error_unless_its_rows_are_committed() {
    let disk = SimulatedDisk::new(6);
    let log = open(&disk, 1, 1);
    for batch in 0..3_u64 {
        assert!(submit(&log, spans(batch..batch + 1)));
    }
    drop(log);
    disk.remove(&segment(2)).unwrap();
    assert_eq!(replay(&disk, Path::new(FOLDER), 0).unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(replayed(&disk, 2).len(), 1);
}

#[test]
fn segments_go_only_when_nothing_in_them_is_wanted() {
    let disk = SimulatedDisk::new(7);
    let mut log = open(&disk, 1, 1);
    for batch in 0..4_u64 {
        assert!(submit(&log, spans(batch..batch + 1)));
    }
    let remover = log.remover();
    remover.remove_up_to(2).unwrap();
    log.close();
    assert_eq!(replayed(&disk, 2).iter().map(|record| record.sequence).collect::<Vec<_>>(), [3, 4]);
    remover.remove_up_to(4).unwrap();
    assert!(disk.list(Path::new(FOLDER)).unwrap().is_empty());
}

#[test]
fn after_a_failed_write_nothing_more_is_taken() {
    let disk = SimulatedDisk::new(8);
    let log = open(&disk, 1, u64::MAX);
    assert!(submit(&log, spans(0..10)));
    disk.fill_up_after(Some(100));
    assert!(!submit(&log, spans(10..20)));
    disk.fill_up_after(None);
    assert!(log.is_failed());
    assert!(!submit(&log, spans(20..30)));
    drop(log);
    let records = replayed(&disk, 0);
    assert_eq!(records.iter().flat_map(|record| ids(&record.rows)).collect::<Vec<_>>(), (0..10).collect::<Vec<_>>());
}
