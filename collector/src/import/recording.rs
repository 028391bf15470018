//! The rows of a log → its events, in order of time.

use std::{
    collections::HashMap,
    fs::File,
    io::{BufReader, Read},
    path::Path,
};

use chrono::DateTime;
use sha2::{Digest, Sha256};

use super::{
    Summary,
    mapping::{Application, Mapping, Meaning},
};
use crate::{Error, ErrorKind, receive::Compression};

/// A log must be sorted as a whole, so it is held as a whole.
const LOG_BYTES_MAX: usize = 512 << 20;

/// A log, read.
pub(super) struct Recording {
    /// Hash of the whole log: what its ids are made from, so that they tell nothing to those who have it not.
    pub(super) fingerprint: [u8; 32],
    /// By time, then line.
    pub(super) events: Vec<Event>,
}

/// One event of a person.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) line: u64,
    pub(super) at_ns: u64,
    pub(super) worker: String,
    pub(super) meaning: Meaning,
    pub(super) place: Place,
    pub(super) value: Option<String>,
    pub(super) is_choice: bool,
    pub(super) ends_case: bool,
}

/// What was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) system: String,
    pub(super) screen: Option<String>,
    pub(super) field: Option<String>,
}

pub(super) fn read(path: &Path, mapping: &Mapping, summary: &mut Summary) -> Result<Recording, Error> {
    let bytes = bytes(path)?;
    let mut reader = csv::ReaderBuilder::new().from_reader(bytes.as_slice());
    let header = reader
        .headers()
        .map_err(|_| Error::new(ErrorKind::Invalid, format!("{}: the header is no CSV", path.display())))?
        .clone();
    let columns: HashMap<&str, usize> = header.iter().zip(0..).collect();
    for (key, column) in mapping.named_columns() {
        if !columns.contains_key(column) {
            return Err(Error::new(
                ErrorKind::Invalid,
                format!("{}: no column {column:?}, which {} names as {key}", path.display(), mapping.file),
            ));
        }
    }
    let mut events = Vec::new();
    let mut records = reader.into_records();
    loop {
        let line = records.reader().position().line();
        let Some(record) = records.next() else { break };
        summary.rows += 1;
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                summary.bad(error.position().map_or(line, csv::Position::line), fault(error.kind()));
                continue;
            }
        };
        let line = record.position().map_or(line, csv::Position::line);
        // Logs put together from several have the header again.
        if record == header {
            summary.rows -= 1;
            continue;
        }
        let cell = |column: &str| columns.get(column).and_then(|index| record.get(*index)).unwrap_or_default();
        match event(cell, line, mapping, summary) {
            Ok(Some(event)) => events.push(event),
            Ok(None) => {}
            Err(why) => summary.bad(line, why),
        }
    }
    events.sort_by_key(|event| (event.at_ns, event.line));
    Ok(Recording { fingerprint: Sha256::digest(&bytes).into(), events })
}

/// The event of a row; none if the mapping leaves it out or does not know it.
fn event<'r>(
    cell: impl Fn(&str) -> &'r str,
    line: u64,
    mapping: &Mapping,
    summary: &mut Summary,
) -> Result<Option<Event>, String> {
    let (application, name) = (cell(&mapping.columns.application), cell(&mapping.columns.event));
    let label = || format!("{application} {name}");
    let places = match mapping.applications.get(application) {
        Some(Application::Read(places)) => places,
        Some(Application::Ignored(_)) => {
            *summary.left_out.entry(label()).or_default() += 1;
            return Ok(None);
        }
        None => return Ok(unknown(summary, label())),
    };
    let Some(known) = mapping.events.get(name) else { return Ok(unknown(summary, label())) };
    if known.meaning == Meaning::Ignored {
        *summary.left_out.entry(label()).or_default() += 1;
        return Ok(None);
    }
    let at_ns = DateTime::parse_from_rfc3339(cell(&mapping.columns.time))
        .ok()
        .and_then(|at| at.timestamp_nanos_opt())
        .and_then(|ns| u64::try_from(ns).ok())
        .ok_or_else(|| format!("{} is no time of RFC 3339 since 1970", mapping.columns.time))?;
    let place = Place {
        system: places.system.of(&cell).ok_or("it names no system")?,
        screen: places.screen.of(&cell),
        field: places.field.of(&cell),
    };
    let of_field = !matches!(known.meaning, Meaning::Action | Meaning::Navigation);
    if of_field && place.field.is_none() {
        return Err("it names no field".to_owned());
    }
    let choice = mapping.choices.as_ref().filter(|choices| {
        let control = cell(&choices.column);
        choices.one_of.iter().any(|known| known == control)
    });
    let value = choice.map(|choices| &choices.value).filter(|_| known.value.is_some()).or(known.value.as_ref());
    let end = &mapping.case.ends_with;
    Ok(Some(Event {
        line,
        at_ns,
        worker: cell(&mapping.columns.worker).to_owned(),
        meaning: known.meaning,
        place,
        value: value.map(|column| cell(column).to_owned()).filter(|value| !value.is_empty()),
        is_choice: choice.is_some(),
        ends_case: name == end.event && cell(&end.column) == end.equals,
    }))
}

/// Unknown events are counted together beyond so many names.
const UNKNOWN_NAMES_MAX: usize = 100;

fn unknown(summary: &mut Summary, label: String) -> Option<Event> {
    let known = summary.unknown.contains_key(&label) || summary.unknown.len() < UNKNOWN_NAMES_MAX;
    *summary.unknown.entry(if known { label } else { "others".to_owned() }).or_default() += 1;
    None
}

fn fault(kind: &csv::ErrorKind) -> String {
    match kind {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("it has {len} cells where the header has {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => "it is not UTF-8".to_owned(),
        _ => "it is no CSV".to_owned(),
    }
}

fn bytes(path: &Path) -> Result<Vec<u8>, Error> {
    let cannot = |error| Error::new(ErrorKind::Unavailable, format!("cannot read {}", path.display())).caused_by(error);
    let compression = match path.extension().and_then(|extension| extension.to_str()) {
        Some("gz") => Compression::Gzip,
        Some("zst") => Compression::Zstd,
        _ => Compression::None,
    };
    let file = BufReader::new(File::open(path).map_err(cannot)?);
    let mut bytes = Vec::new();
    let limit = LOG_BYTES_MAX as u64 + 1;
    compression.reader(file).and_then(|reader| reader.take(limit).read_to_end(&mut bytes)).map_err(cannot)?;
    if bytes.len() > LOG_BYTES_MAX {
        let message = format!("{} is longer than 512 MiB: split it between cases", path.display());
        return Err(Error::new(ErrorKind::Invalid, message));
    }
    Ok(bytes)
}
