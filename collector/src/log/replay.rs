//! Reading the log back after a restart.

use std::{
    ops::{Range, RangeInclusive},
    path::{Path, PathBuf},
};

use arrow::{array::RecordBatch, buffer::Buffer, ipc::reader::StreamDecoder};
use bytes::Bytes;

use super::{
    DAMAGED, Record, Segment,
    frame::{self, Header},
    path_of, unavailable,
    writer::{encoder, unencodable},
};
use crate::{
    Error,
    disk::{self, Disk, Entry, IfTaken},
    schema::SPANS_SCHEMA,
};

/// How copies of damaged parts are named, and of torn tails.
const PART: &str = "part";
const TAIL: &str = "tail";
/// Of so many torn tails copies are kept, the newest: each is at most as large as what is written between two syncs.
const TAILS_MAX: usize = 8;

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
    /// What could not be read, though it may have been acknowledged.
    pub(crate) damage: Damage,
}

/// A torn tail, cut. Hardly ever was any of it acknowledged: only if a frame of the last group was damaged afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cut {
    pub(crate) path: PathBuf,
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
    /// The copy of it that is kept; none on a disk without room for it, on which a start must be possible.
    pub(crate) kept: Option<PathBuf>,
}

/// What is damaged in a log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Damage {
    /// Copies of the parts that are no sound frames, set aside.
    pub(crate) kept: Vec<PathBuf>,
    /// Sequences of records that are gone, of those that were asked for.
    pub(crate) missing: Vec<RangeInclusive<u64>>,
}

impl Damage {
    /// How many records are gone.
    pub(crate) fn records(&self) -> u64 {
        self.missing.iter().map(|range| range.end() - range.start() + 1).sum()
    }
}

/// Reads every segment, cuts a torn tail, sets aside what is damaged, and gives the records above `after`, all of them
/// durable: what the process before wrote and did not live to sync is synced here, since a repeat of it will be
/// acknowledged unwritten.
pub(crate) fn replay(disk: &dyn Disk, folder: &Path, after: u64) -> Result<Replayed, Error> {
    let numbers = numbers(disk, folder)?;
    let mut replayed = Replayed::default();
    for (place, &number) in numbers.iter().enumerate() {
        let path = path_of(folder, number);
        let is_last = place + 1 == numbers.len();
        if is_last {
            // Those before it were synced before it was begun.
            disk.sync_file(&path).map_err(|error| unavailable(&path, "synced", error))?;
            disk.sync_folder(folder).map_err(|error| unavailable(folder, "synced", error))?;
        }
        let bytes = disk.read(&path, None).map_err(|error| unavailable(&path, "read", error))?;
        Reading { disk, folder, number, path, bytes, is_last, after, replayed: &mut replayed }.read()?;
    }
    let Damage { kept, missing } = &replayed.damage;
    if !(kept.is_empty() && missing.is_empty()) {
        tracing::error!(records = replayed.damage.records(), ?missing, ?kept, "the log is damaged: records are gone");
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

/// One segment being read.
struct Reading<'a> {
    disk: &'a dyn Disk,
    folder: &'a Path,
    number: u64,
    path: PathBuf,
    bytes: Bytes,
    is_last: bool,
    after: u64,
    replayed: &'a mut Replayed,
}

impl Reading<'_> {
    fn read(mut self) -> Result<(), Error> {
        let buffer = Buffer::from(self.bytes.clone());
        let first = first_body()?;
        let mut offset = 0;
        while offset < self.bytes.len() {
            let end = if let Some((header, body)) = frame::read(&self.bytes, offset) {
                let end = body.end;
                let body = buffer.slice_with_length(body.start, body.len());
                if let Err(why) = self.take(&header, &body, &first, offset == 0) {
                    self.set_aside(offset..end, &why)?;
                }
                end
            } else if let Some(end) = self.end_of_damage(offset) {
                self.set_aside(offset..end, "there is no whole frame")?;
                end
            } else {
                self.cut(offset)?;
                break;
            };
            offset = end;
        }
        self.replayed.segments.push(Segment { number: self.number, last: self.replayed.last });
        Ok(())
    }

    /// Takes the record of a sound frame.
    fn take(&mut self, header: &Header, body: &Buffer, first: &Buffer, is_first: bool) -> Result<(), String> {
        let Header { sequence, counts, .. } = *header;
        if sequence <= self.replayed.last {
            // A segment that begins below the end of the one before says that what stands there from here on was cut: a
            // backup may have read it before it was.
            if !is_first {
                return Err(format!("record {sequence} follows {}", self.replayed.last));
            }
            self.replayed.records.retain(|record| record.sequence < sequence);
        }
        let expected = self.replayed.last.max(self.after) + 1;
        self.replayed.last = sequence;
        if sequence <= self.after {
            return Ok(());
        }
        let rows = if body.is_empty() { Ok(RecordBatch::new_empty(SPANS_SCHEMA.clone())) } else { decode(body, first) };
        let missing = if rows.is_ok() { expected..=sequence - 1 } else { expected..=sequence };
        if !missing.is_empty() {
            self.replayed.damage.missing.push(missing);
        }
        rows.map(|rows| self.replayed.records.push(Record { sequence, counts, rows }))
    }

    /// Where what stands at an offset ends, which is no frame and may have been acknowledged; `None` if nobody was told of
    /// it: then it is the end of the log, and no later frame knew that place to be synced.
    fn end_of_damage(&self, offset: usize) -> Option<usize> {
        let mut acknowledged = !self.is_last;
        let mut sound = None;
        let mut from = offset + 1;
        while let Some((at, header)) = frame::find(&self.bytes, from) {
            sound = sound.or(Some(at));
            acknowledged |= header.synced > offset as u64;
            if acknowledged {
                break;
            }
            from = at + 1;
        }
        acknowledged.then(|| sound.unwrap_or(self.bytes.len()))
    }

    /// Keeps a copy of what cannot be read; the segment goes once what can be read of it is committed.
    fn set_aside(&mut self, range: Range<usize>, why: &str) -> Result<(), Error> {
        let path = self.keep(range.clone(), PART)?;
        let (segment, bytes) = (self.path.display(), range.len());
        tracing::error!(%segment, offset = range.start, bytes, why, kept = %path.display(), "the log is damaged");
        self.replayed.damage.kept.push(path);
        Ok(())
    }

    /// Cuts off what nobody was told of, as far as can be known, and keeps a copy.
    fn cut(&mut self, offset: usize) -> Result<(), Error> {
        let kept = self
            .keep(offset..self.bytes.len(), TAIL)
            .inspect_err(|error| tracing::warn!(%error, "the torn tail of the log is cut without a copy"))
            .ok();
        self.disk.truncate(&self.path, offset as u64).map_err(|error| unavailable(&self.path, "cut", error))?;
        let bytes = (self.bytes.len() - offset) as u64;
        let cut = Cut { path: self.path.clone(), offset: offset as u64, bytes, kept };
        tracing::warn!(path = %cut.path.display(), cut.offset, cut.bytes, kept = ?cut.kept, "torn tail of the log cut");
        self.forget_tails(cut.kept.as_deref());
        self.replayed.cut = Some(cut);
        Ok(())
    }

    /// Puts a copy into the folder of what is damaged.
    fn keep(&self, range: Range<usize>, kind: &str) -> Result<PathBuf, Error> {
        let path = self.folder.join(DAMAGED).join(format!("{:08}-{}.{kind}", self.number, range.start));
        disk::put(self.disk, &path, &[self.bytes.slice(range)], IfTaken::Replace)
            .map_err(|error| unavailable(&path, "written", error))?;
        Ok(path)
    }

    /// Removes the copies of all tails but the newest, as far as that works: the next one that is kept tries again.
    fn forget_tails(&self, newest: Option<&Path>) {
        let is_other = |entry: &Entry| {
            entry.path.extension().is_some_and(|extension| extension == TAIL) && Some(entry.path.as_path()) != newest
        };
        let listed = self.disk.list(&self.folder.join(DAMAGED)).unwrap_or_default();
        let mut tails: Vec<Entry> = listed.into_iter().filter(is_other).collect();
        tails.sort_by(|one, other| (one.modified, &one.path).cmp(&(other.modified, &other.path)));
        tails.truncate(tails.len().saturating_sub(TAILS_MAX - usize::from(newest.is_some())));
        for Entry { path, .. } in tails {
            if let Err(error) = self.disk.remove(&path) {
                tracing::warn!(path = %path.display(), %error, "an old copy of a torn tail cannot be removed");
            }
        }
    }
}

/// A body without rows, such as could stand first in a segment: it brings the schema, which the bodies after it lack.
fn first_body() -> Result<Buffer, Error> {
    let parts = encoder().and_then(|mut encoder| encoder.encode(&RecordBatch::new_empty(SPANS_SCHEMA.clone())));
    Ok(parts.map_err(unencodable)?.iter().flat_map(Buffer::as_slice).copied().collect::<Vec<u8>>().into())
}

fn decode(body: &Buffer, first: &Buffer) -> Result<RecordBatch, String> {
    let mut decoder = StreamDecoder::new();
    let rows = decoder.decode(&mut first.clone()).and_then(|_| decoder.decode(&mut body.clone()));
    // The first body of a segment brings the schema itself.
    let rows = rows.or_else(|_| StreamDecoder::new().decode(&mut body.clone()));
    match rows.map_err(|error| error.to_string())? {
        Some(rows) if rows.schema_ref() == &*SPANS_SCHEMA => Ok(rows),
        Some(_) => Err("its columns are not those of spans".to_owned()),
        None => Err("it holds no rows".to_owned()),
    }
}
