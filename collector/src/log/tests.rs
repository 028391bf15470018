use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, Date32Array, RecordBatch, StringArray, TimestampMicrosecondArray,
    new_null_array,
};
use proptest::prelude::*;
use tokio::sync::oneshot;

use super::{
    Log, Options, Record, Sink, Submission,
    frame::{self, Header},
    replay,
    replay::Damage,
};
use crate::{
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

/// Notes the ids of what was refused.
#[derive(Debug, Clone, Default)]
struct Refused(Arc<Mutex<Vec<u64>>>);

impl Sink<()> for Refused {
    fn stored(&mut self, _: Record, (): ()) {}

    fn refused(&mut self, rows: &RecordBatch) {
        self.0.lock().unwrap().extend(ids(rows));
    }
}

fn open(disk: &SimulatedDisk, next: u64, segment_bytes_max: u64) -> Log<()> {
    open_with(disk, next, segment_bytes_max, Refused::default())
}

fn open_with(disk: &SimulatedDisk, next: u64, segment_bytes_max: u64, sink: Refused) -> Log<()> {
    let replayed = replay(disk, Path::new(FOLDER), 0).unwrap();
    let options = Options { segment_bytes_max, retry_after: Duration::from_millis(1) };
    Log::start(Arc::new(disk.clone()), Path::new(FOLDER), replayed.segments, next, options, sink).unwrap()
}

/// Submits until it is acknowledged.
fn submit_again_and_again(log: &Log<()>, rows: &RecordBatch) {
    while !submit(log, rows.clone()) {
        std::thread::sleep(Duration::from_millis(1));
    }
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

/// Cuts the last byte of a segment; gives how many it had.
fn tear(disk: &SimulatedDisk, number: u64) -> u64 {
    let whole = disk.inspect(&segment(number)).unwrap().size;
    disk.truncate(&segment(number), whole - 1).unwrap();
    whole
}

#[test]
fn a_torn_tail_is_reported() {
    let disk = SimulatedDisk::new(3);
    let log = open(&disk, 1, u64::MAX);
    assert!(submit(&log, spans(0..10)));
    let sound = disk.inspect(&segment(1)).unwrap().size;
    assert!(submit(&log, spans(10..20)));
    drop(log);
    let whole = tear(&disk, 1);
    let cut = replay(&disk, Path::new(FOLDER), 0).unwrap().cut.unwrap();
    assert_eq!((cut.path, cut.offset, cut.bytes), (segment(1), sound, whole - 1 - sound));
    assert_eq!(disk.inspect(&cut.kept.unwrap()).unwrap().size, cut.bytes);
    assert_eq!(disk.inspect(&segment(1)).unwrap().size, sound);
}

#[test]
fn acknowledged_bytes_that_are_taken_for_a_torn_tail_are_kept() {
    let disk = SimulatedDisk::new(3);
    let log = open(&disk, 1, u64::MAX);
    assert!(submit(&log, spans(0..10)));
    let sound = disk.inspect(&segment(1)).unwrap().size;
    assert!(submit(&log, spans(10..20)));
    drop(log);
    let disk = disk.kill();
    disk.damage(&segment(1), sound as usize + 200);
    let whole = disk.read(&segment(1), None).unwrap();
    let found = replay(&disk, Path::new(FOLDER), 0).unwrap();
    assert_eq!(found.records.len(), 1);
    assert_eq!(disk.read(&found.cut.unwrap().kept.unwrap(), None).unwrap(), whole.slice(sound as usize..));
}

#[test]
fn a_torn_tail_is_cut_on_a_full_disk_too() {
    let disk = SimulatedDisk::new(3);
    let log = open(&disk, 1, u64::MAX);
    assert!(submit(&log, spans(0..10)));
    drop(log);
    let whole = tear(&disk, 1);
    let disk = disk.kill();
    disk.fill_up_after(Some(0));
    let cut = replay(&disk, Path::new(FOLDER), 0).unwrap().cut.unwrap();
    assert_eq!((cut.bytes, cut.kept), (whole - 1, None));
}

#[test]
fn copies_of_torn_tails_do_not_grow_in_number() {
    let mut disk = SimulatedDisk::new(3);
    let mut kept = Vec::new();
    for number in 1..=12_u64 {
        let log = open(&disk, number, u64::MAX);
        assert!(submit(&log, spans(number * 10..number * 10 + 10)));
        drop(log);
        tear(&disk, number);
        disk = disk.kill();
        kept.push(replay(&disk, Path::new(FOLDER), 0).unwrap().cut.unwrap().kept.unwrap());
    }
    let there = |disk: &SimulatedDisk| kept.iter().map(|path| disk.inspect(path).is_ok()).collect::<Vec<_>>();
    assert_eq!(there(&disk), [vec![false; 4], vec![true; 8]].concat());

    // A log that was empty begins with the first number again.
    for number in 1..=12 {
        let _ = disk.remove(&segment(number));
    }
    let log = open(&disk, 13, u64::MAX);
    assert!(submit(&log, spans(0..10)));
    drop(log);
    tear(&disk, 1);
    let disk = disk.kill();
    let newest = replay(&disk, Path::new(FOLDER), 0).unwrap().cut.unwrap().kept.unwrap();
    assert_eq!(newest, kept[0], "it has a name that was given before");
    assert_eq!(there(&disk), [vec![true], vec![false; 4], vec![true; 7]].concat());
}

#[test]
fn damage_to_what_was_acknowledged_is_set_aside_and_the_rest_is_read() {
    for offset in [0, 5, 9, 17, 40, 90, 700] {
        let disk = SimulatedDisk::new(4);
        let log = open(&disk, 1, u64::MAX);
        let mut ends = Vec::new();
        for batch in 0..4_u64 {
            assert!(submit(&log, spans(batch * 10..batch * 10 + 10)));
            ends.push(disk.inspect(&segment(1)).unwrap().size);
        }
        drop(log);
        // The first frame, which brings the schema, and one in the middle.
        for (frame, start) in [(0, 0), (1, ends[0])] {
            let disk = disk.kill();
            let at = start as usize + offset;
            disk.damage(&segment(1), at);
            let found = replay(&disk, Path::new(FOLDER), 0).unwrap();
            disk.damage(&segment(1), at);
            let sequences: Vec<_> = found.records.iter().map(|record| record.sequence).collect();
            let gone = frame as u64 + 1;
            assert_eq!(sequences, (1..=4).filter(|sequence| *sequence != gone).collect::<Vec<_>>(), "{offset}");
            for record in &found.records {
                let first = (record.sequence - 1) * 10;
                assert_eq!(ids(&record.rows), (first..first + 10).collect::<Vec<_>>());
            }
            assert_eq!((found.cut, found.damage.records()), (None, 1));
            assert_eq!(found.damage.missing, [gone..=gone]);
            let [kept] = &found.damage.kept[..] else { panic!("{:?}", found.damage) };
            assert_eq!(kept, &Path::new(FOLDER).join(format!("damaged/00000001-{start}.part")));
            assert_eq!(disk.inspect(kept).unwrap().size, ends[frame] - start, "the whole frame, and no more");
        }
    }
}

#[test]
fn sound_frames_that_hold_no_rows_of_spans_are_set_aside_and_counted_even_at_the_end() {
    let disk = SimulatedDisk::new(4);
    let log = open(&disk, 1, u64::MAX);
    assert!(submit(&log, spans(0..10)));
    drop(log);
    let mut bytes = Vec::new();
    for sequence in 2..=3 {
        let start = frame::open(&mut bytes);
        bytes.extend_from_slice(b"what another program wrote");
        frame::seal(&mut bytes, start, &Header { sequence, synced: 0, counts: counts(1) }).unwrap();
    }
    disk.create(&segment(2)).unwrap().append(&bytes).unwrap();
    let found = replay(&disk, Path::new(FOLDER), 0).unwrap();
    assert_eq!((found.records.len(), found.last, found.damage.records(), found.damage.kept.len()), (1, 3, 2, 2));
    let found = replay(&disk, Path::new(FOLDER), 2).unwrap();
    assert_eq!((found.damage.records(), found.damage.missing), (1, vec![3..=3]), "the first is committed");
}

#[test]
fn damage_that_is_committed_already_takes_nothing_away() {
    let disk = SimulatedDisk::new(4);
    let log = open(&disk, 1, u64::MAX);
    for batch in 0..3_u64 {
        assert!(submit(&log, spans(batch..batch + 1)));
    }
    drop(log);
    disk.damage(&segment(1), 100);
    let found = replay(&disk, Path::new(FOLDER), 1).unwrap();
    assert_eq!((found.damage.records(), found.damage.kept.len(), found.records.len()), (0, 1, 2));
}

#[test]
fn damage_at_the_end_of_a_segment_that_another_follows_is_no_torn_tail() {
    let disk = SimulatedDisk::new(5);
    let log = open(&disk, 1, 1);
    for batch in 0..2_u64 {
        assert!(submit(&log, spans(batch..batch + 1)));
    }
    drop(log);
    disk.damage(&segment(1), 100);
    let found = replay(&disk, Path::new(FOLDER), 0).unwrap();
    assert_eq!((found.cut, found.damage.missing, found.records.len()), (None, vec![1..=1], 1));
}

#[test]
fn a_missing_segment_is_reported_unless_its_rows_are_committed() {
    let disk = SimulatedDisk::new(6);
    let log = open(&disk, 1, 1);
    for batch in 0..3_u64 {
        assert!(submit(&log, spans(batch..batch + 1)));
    }
    drop(log);
    disk.remove(&segment(2)).unwrap();
    assert_eq!(replay(&disk, Path::new(FOLDER), 0).unwrap().damage.missing, [2..=2]);
    let found = replay(&disk, Path::new(FOLDER), 2).unwrap();
    assert_eq!((found.damage.missing.len(), found.records.len()), (0, 1));
}

#[test]
fn a_segment_that_begins_anew_below_the_one_before_takes_its_place() {
    // What a backup holds that read a segment before it was cut, and the next one after that.
    let disk = SimulatedDisk::new(9);
    let log = open(&disk, 1, u64::MAX);
    for batch in 0..3_u64 {
        assert!(submit(&log, spans(batch..batch + 1)));
    }
    drop(log);
    let other = SimulatedDisk::new(10);
    let log = open(&other, 3, u64::MAX);
    assert!(submit(&log, spans(77..78)));
    drop(log);
    let bytes = other.read(&segment(1), None).unwrap();
    disk.create(&segment(2)).unwrap().append(&bytes).unwrap();
    let found = replay(&disk, Path::new(FOLDER), 0).unwrap();
    let rows: Vec<_> = found.records.iter().map(|record| (record.sequence, ids(&record.rows))).collect();
    assert_eq!(rows, [(1, vec![0]), (2, vec![1]), (3, vec![77])]);
    assert_eq!(found.damage, Damage::default());
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
fn a_full_disk_refuses_and_the_log_goes_on_once_there_is_room() {
    let disk = SimulatedDisk::new(8);
    let refused = Refused::default();
    let log = open_with(&disk, 1, u64::MAX, refused.clone());
    assert!(submit(&log, spans(0..10)));
    disk.fill_up_after(Some(100));
    assert!(!submit(&log, spans(10..20)));
    assert!(!log.is_open());
    assert!(!submit(&log, spans(20..30)), "nothing is taken while there is no room");
    assert_eq!(*refused.0.lock().unwrap(), (10..20).collect::<Vec<_>>(), "the others were never handed over");
    disk.fill_up_after(None);
    submit_again_and_again(&log, &spans(20..30));
    assert!(submit(&log, spans(10..20)));
    drop(log);
    let found = replay(&disk, Path::new(FOLDER), 0).unwrap();
    let stored: Vec<_> = found.records.iter().map(|record| (record.sequence, ids(&record.rows)[0])).collect();
    assert_eq!(stored, [(1, 0), (2, 20), (3, 10)], "what was refused is not there");
    assert_eq!((found.cut, found.damage), (None, Damage::default()), "nor is a part of it taken for damage");
}

#[test]
fn what_stands_behind_a_submission_that_fails_is_refused_with_it() {
    for seed in 0..50 {
        let disk = SimulatedDisk::new(seed);
        let refused = Refused::default();
        let log = open_with(&disk, 1, u64::MAX, refused.clone());
        disk.fail_syncs(seed % 4 + 1);
        let answers: Vec<_> = (0..20_u64)
            .map(|id| {
                let (done, answer) = oneshot::channel();
                let submitted = log.submit(Submission { rows: spans(id..id + 1), counts: counts(1), done, hold: () });
                (id, submitted.is_ok(), answer)
            })
            .collect();
        let mut stored = Vec::new();
        for (id, submitted, answer) in answers {
            let is_stored = submitted && answer.blocking_recv().unwrap().is_ok();
            let is_refused = refused.0.lock().unwrap().contains(&id);
            assert_eq!(is_refused, submitted && !is_stored, "seed {seed}: {id}");
            if is_stored {
                stored.push(id);
            }
        }
        submit_again_and_again(&log, &spans(100..101));
        stored.push(100);
        drop(log);
        // With the power goes what no sync wrote.
        let records = replayed(&disk.reboot(), 0);
        let found: Vec<_> = records.iter().flat_map(|record| ids(&record.rows)).collect();
        assert_eq!(found, stored, "seed {seed}");
    }
}

#[test]
fn what_a_sync_failed_to_write_is_not_trusted_by_the_next_process() {
    let disk = SimulatedDisk::new(11);
    let log = open(&disk, 1, u64::MAX);
    assert!(submit(&log, spans(0..10)));
    // So many that the segment is not even cut before the process ends.
    disk.fail_syncs(u64::MAX);
    assert!(!submit(&log, spans(10..20)));
    let disk = disk.kill();
    drop(log);
    let found: Vec<_> = replayed(&disk, 0).iter().flat_map(|record| ids(&record.rows)).collect();
    assert_eq!(found, (0..10).collect::<Vec<_>>(), "the rest can be read from the cache alone");
}

#[test]
fn a_log_is_closed_at_once_though_the_disk_refuses() {
    let disk = SimulatedDisk::new(12);
    let log = open(&disk, 1, u64::MAX);
    disk.fill_up_after(Some(0));
    assert!(!submit(&log, spans(0..10)));
    drop(log);
    disk.fill_up_after(None);
    assert!(replayed(&disk, 0).is_empty());
}
