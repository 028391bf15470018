//! The log: what was received, on the disk before it is acknowledged.
//!
//! ```text
//! submissions ─▶ one thread: frame, append, fdatasync once for all that wait ─▶ sink, acknowledgements
//! ```
//!
//! A segment (`log/00000001.log`) is one Arrow IPC stream cut into frames, each with its length, a CRC-32C and a
//! sequence number that never repeats in the life of a store. Segments are appended to by the process that made them
//! and by no other: after a restart there is a new one. A segment goes once its rows are durably in `spans`.
//!
//! Each frame says up to where the segment was synced when the frame was written. That tells a torn tail, which nobody
//! was told about, from damage to what was acknowledged: what stands before a frame that knew it synced is damage. It is
//! set aside in `log/damaged`, reported, and what follows it is read. In the last group of the last segment the two look
//! alike: so what is cut there is counted, and kept beside the damage for a while.
//!
//! When the disk refuses, nobody of those who wait is told that it is stored, and nothing is taken until the segment is cut
//! to what is known to be on the disk, and the disk takes a file again. A sync that failed is never tried again: what it
//! did not write may look written to every later one.

use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;

use crate::{Error, ErrorKind, gate::IntakeCounts};

mod frame;
mod replay;
#[cfg(test)]
pub(crate) mod tests;
mod writer;

pub(crate) use replay::{Replayed, replay};
pub(crate) use writer::{Log, Options, Remover, Sink, Submission};

/// Where damaged parts of the log are kept, in its folder.
pub(crate) const DAMAGED: &str = "damaged";

/// What was submitted together and acknowledged together.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    /// Its place: each is one more than the one before.
    pub(crate) sequence: u64,
    /// What the rows cannot tell.
    pub(crate) counts: IntakeCounts,
    /// The rows; there may be none, when all were duplicates.
    pub(crate) rows: RecordBatch,
}

/// A segment and the last record in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) number: u64,
    pub(crate) last: u64,
}

impl Segment {
    /// The file in the log's folder.
    pub(crate) fn path(&self, folder: &Path) -> PathBuf {
        path_of(folder, self.number)
    }
}

fn path_of(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:08}.log"))
}

/// The disk refused something of a file.
pub(crate) fn unavailable(path: &Path, what: &str, error: std::io::Error) -> Error {
    Error::new(ErrorKind::Unavailable, format!("{} cannot be {what}: {error}", path.display())).caused_by(error)
}
