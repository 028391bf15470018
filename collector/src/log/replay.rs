//! Reading the log back after a restart.

use std::path::{Path, PathBuf};

use arrow::{array::RecordBatch, buffer::Buffer, ipc::reader::StreamDecoder};

use super::{Record, Segment, frame, path_of, unavailable};
use crate::{Error, ErrorKind, disk::Disk, schema::SPANS_SCHEMA};

/// What the log held.
#[derive(Debug, Default)]
pub(crate) struct Replayed {
    /// The records asked for, in order.
    pub(crate) records: Vec<Record>,
    /// Every segment that is there.
    pub(crate) segments: Vec<Segment>,
    /// The last sequence seen, whether asked for or not.
    pub(crate) last: u64,
    /// What was cut off.
    pub(crate) cut: Option<Cut>,
}

/// A torn tail: bytes that were never acknowledged, cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cut {
    pub(crate) path: PathBuf,
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
}

/// Reads every segment, cuts a torn tail, and gives the records above `after`, all of them durable: what the process
/// before wrote and did not live to sync is synced here, since a repeat of it will be acknowledged unwritten.
pub(crate) fn replay(disk: &dyn Disk, folder: &Path, after: u64) -> Result<Replayed, Error> {
    let numbers = numbers(disk, folder)?;
    let mut replayed = Replayed::default();
    for (place, &number) in numbers.iter().enumerate() {
        let is_last = place + 1 == numbers.len();
        if is_last {
            // Those before it were synced before it was begun.
            let path = path_of(folder, number);
            disk.sync_file(&path).map_err(|error| unavailable(&path, "synced", error))?;
            disk.sync_folder(folder).map_err(|error| unavailable(folder, "synced", error))?;
        }
        read_segment(disk, folder, number, is_last, after, &mut replayed)?;
    }
    Ok(replayed)
}

fn numbers(disk: &dyn Disk, folder: &Path) -> Result<Vec<u64>, Error> {
    let entries = disk.list(folder).map_err(|error| unavailable(folder, "listed", error))?;
    let mut numbers: Vec<u64> = entries
        .iter()
        .filter_map(|entry| entry.path.file_name()?.to_str()?.strip_suffix(".log")?.parse().ok())
        .collect();
    numbers.sort_unstable();
    Ok(numbers)
}

fn read_segment(
    disk: &dyn Disk,
    folder: &Path,
    number: u64,
    is_last: bool,
    after: u64,
    replayed: &mut Replayed,
) -> Result<(), Error> {
    let path = path_of(folder, number);
    let bytes = disk.read(&path, None).map_err(|error| unavailable(&path, "read", error))?;
    let buffer = Buffer::from(bytes.clone());
    let mut decoder = StreamDecoder::new();
    let mut offset = 0;
    while offset < bytes.len() {
        let Some((header, body)) = frame::read(&bytes, offset) else {
            return cut_tail(disk, &path, &bytes, offset, is_last, number, replayed);
        };
        if header.sequence <= replayed.last || header.sequence > replayed.last.max(after) + 1 {
            let why = format!("record {} follows {}", header.sequence, replayed.last.max(after));
            return Err(corrupt(&path, offset, &why));
        }
        let wanted = header.sequence > after;
        // The first body brings the schema, so it is decoded whether its rows are wanted or not.
        let rows = if body.is_empty() || (!wanted && decoder.schema().is_some()) {
            RecordBatch::new_empty(SPANS_SCHEMA.clone())
        } else {
            decode(&mut decoder, &buffer, body.clone()).map_err(|why| corrupt(&path, offset, &why))?
        };
        if wanted {
            replayed.records.push(Record { sequence: header.sequence, counts: header.counts, rows });
        }
        replayed.last = header.sequence;
        offset = body.end;
    }
    replayed.segments.push(Segment { number, last: replayed.last });
    Ok(())
}

/// What stands at `offset` is no frame. Unless a later frame knew that place to be synced, nobody was told of it.
fn cut_tail(
    disk: &dyn Disk,
    path: &Path,
    bytes: &[u8],
    offset: usize,
    is_last: bool,
    number: u64,
    replayed: &mut Replayed,
) -> Result<(), Error> {
    if !is_last {
        return Err(corrupt(path, offset, "a later segment follows"));
    }
    let mut later = offset + 1;
    while let Some((at, header)) = frame::find(bytes, later) {
        if header.synced > offset as u64 {
            return Err(corrupt(path, offset, "what follows was written after it had been synced"));
        }
        later = at + 1;
    }
    disk.truncate(path, offset as u64).map_err(|error| unavailable(path, "cut", error))?;
    let cut = Cut { path: path.to_owned(), offset: offset as u64, bytes: (bytes.len() - offset) as u64 };
    tracing::warn!(path = %cut.path.display(), cut.offset, cut.bytes, "torn tail of the log cut");
    replayed.cut = Some(cut);
    replayed.segments.push(Segment { number, last: replayed.last });
    Ok(())
}

fn decode(decoder: &mut StreamDecoder, buffer: &Buffer, body: std::ops::Range<usize>) -> Result<RecordBatch, String> {
    let mut rest = buffer.slice_with_length(body.start, body.len());
    while !rest.is_empty() {
        if let Some(rows) = decoder.decode(&mut rest).map_err(|error| error.to_string())? {
            if rows.schema_ref() != &*SPANS_SCHEMA {
                return Err("its columns are not those of spans".to_owned());
            }
            return Ok(rows);
        }
    }
    Err("it holds no rows".to_owned())
}

fn corrupt(path: &Path, offset: usize, why: &str) -> Error {
    Error::new(ErrorKind::Corrupt, format!("{} is damaged at byte {offset}: {why}", path.display()))
}
