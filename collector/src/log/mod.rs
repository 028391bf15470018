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
//! was told about and which is cut, from damage to what was acknowledged, which is an error: damage before a frame that
//! knew it synced is damage. In the last group of the last segment the two look alike; there the cut is reported.

use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;

use crate::{Error, ErrorKind, gate::IntakeCounts};

mod frame;
mod replay;
#[cfg(test)]
pub(crate) mod tests;
mod writer;

pub(crate) use replay::replay;
pub(crate) use writer::{Log, Remover, Submission};

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

fn path_of(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:08}.log"))
}

fn unavailable(path: &Path, what: &str, error: std::io::Error) -> Error {
    Error::new(ErrorKind::Unavailable, format!("{} cannot be {what}: {error}", path.display())).caused_by(error)
}
