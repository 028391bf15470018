//! User-interaction logs that other recorders wrote → spans, by a mapping file.
//!
//! ```text
//! log (CSV) ─recording─▶ events in order of time ─weave─▶ spans ─▶ gate, as everything else
//! ```
//!
//! A recorder writes what happened to controls; the conventions want interactions of a person. The mapping says which
//! event is what; weaving joins the events of one field into one entry and gives each span its case. Values go on as
//! text: the gate digests and drops them.

mod mapping;
mod recording;
#[cfg(test)]
mod tests;
mod weave;

use std::{collections::BTreeMap, path::Path};

pub use self::mapping::Mapping;
use crate::{
    Error, ErrorKind,
    decode::{Batch, Decoded, Plain},
};

/// Spans of a log that go through the gate together.
const SPANS_AT_ONCE: usize = 8_192;
/// Bad rows that are told one by one; the rest is only counted.
const BAD_ROWS_TOLD_MAX: usize = 20;

/// What a log came to.
#[derive(Debug, Clone)]
pub struct Imported {
    /// Its interactions, by system.
    pub batches: Vec<Batch>,
    /// What became of its rows.
    pub summary: Summary,
}

/// What became of the rows of a log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Rows read, without the header.
    pub rows: u64,
    /// Spans made of them.
    pub spans: u64,
    /// Cases seen.
    pub cases: u64,
    /// Rows that the mapping leaves out, by application and event.
    pub left_out: BTreeMap<String, u64>,
    /// Rows of applications and events that the mapping does not know, by application and event.
    pub unknown: BTreeMap<String, u64>,
    /// How many rows could not be read.
    pub bad_rows: u64,
    /// The first of them.
    pub bad: Vec<BadRow>,
}

/// A row that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRow {
    /// Its line in the file, from 1.
    pub line: u64,
    /// What is wrong, without its text.
    pub why: String,
}

impl Imported {
    /// The interactions as exports of a bounded size, for the gate.
    pub fn exports(self) -> impl Iterator<Item = Result<Decoded, Error>> {
        self.batches.into_iter().flat_map(|Batch { resource, mut spans }| {
            let resource = std::sync::Arc::new(resource);
            std::iter::from_fn(move || {
                let later = spans.split_off(spans.len().min(SPANS_AT_ONCE));
                let now = std::mem::replace(&mut spans, later);
                (!now.is_empty()).then(|| export(Batch { resource: resource.to_vec(), spans: now }))
            })
        })
    }
}

fn export(batch: Batch) -> Result<Decoded, Error> {
    Plain::from(vec![batch])
        .to_columns()
        .map_err(|error| Error::new(ErrorKind::Internal, "a log became spans of too many parts").caused_by(error))
}

impl Summary {
    fn bad(&mut self, line: u64, why: impl Into<String>) {
        self.bad_rows += 1;
        if self.bad.len() < BAD_ROWS_TOLD_MAX {
            self.bad.push(BadRow { line, why: why.into() });
        }
    }
}

/// Reads a log. The same log and mapping give the same spans, with the same ids, so that a log imported twice is stored
/// once.
///
/// # Errors
/// If the file cannot be read, or has not a column that the mapping names. Bad rows are no errors: they are in the
/// summary, and the rest is read.
pub fn read(path: &Path, mapping: &Mapping) -> Result<Imported, Error> {
    let mut summary = Summary::default();
    let recording = recording::read(path, mapping, &mut summary)?;
    let batches = weave::spans(recording, mapping, &mut summary);
    Ok(Imported { batches, summary })
}
