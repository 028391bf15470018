//! `versions/NNNNNNNN.json`: what belongs together. Each is written once, under a name that must be free, and synced.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::unavailable;
use crate::{
    Error, ErrorKind,
    disk::{Disk, IfTaken, put},
};

/// `versions/NNNNNNNN.json`: what belongs together.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct VersionRecord {
    /// Its number, from 1.
    pub number: u64,
    /// When it was written, Unix microseconds.
    pub written_at_us: i64,
    /// Each table's Delta version.
    pub tables: BTreeMap<String, u64>,
    /// Highest log sequence committed to `spans`.
    pub log_watermark: u64,
    /// The parameters of the measurement.
    pub parameters: serde_json::Value,
    /// Content hash of the SQL (and operators' revision) that made the facts.
    pub facts_hash: String,
}

/// Every record, oldest first.
pub(super) fn all(disk: &dyn Disk, root: &Path) -> Result<Vec<VersionRecord>, Error> {
    numbers(disk, root)?.into_iter().map(|number| read(disk, root, number)).collect()
}

/// The record of a number; where there is none, the error says which there are.
pub(super) fn numbered(disk: &dyn Disk, root: &Path, number: u64) -> Result<VersionRecord, Error> {
    let known = numbers(disk, root)?;
    let message = match (known.first(), known.last()) {
        _ if known.contains(&number) => return read(disk, root, number),
        (Some(first), Some(last)) => format!("there is no version {number} in this store: it has {first} to {last}"),
        _ => format!("there is no version {number} in this store: it has none before its first refresh"),
    };
    Err(Error::new(ErrorKind::Invalid, message))
}

/// The newest record.
pub(super) fn latest(disk: &dyn Disk, root: &Path) -> Result<Option<VersionRecord>, Error> {
    match latest_number(disk, root)? {
        0 => Ok(None),
        number => read(disk, root, number).map(Some),
    }
}

/// Writes the record under the next free number.
pub(super) fn write(disk: &dyn Disk, root: &Path, mut record: VersionRecord) -> Result<u64, Error> {
    record.number = latest_number(disk, root)? + 1;
    let path = path_of(root, record.number);
    let mut text = serde_json::to_vec_pretty(&record).map_err(|error| {
        Error::new(ErrorKind::Internal, "a version record cannot be written as JSON").caused_by(error)
    })?;
    text.push(b'\n');
    put(disk, &path, &[text.into()], IfTaken::Fail)
        .map_err(|error| unavailable(&format!("{} cannot be written", path.display()), error))?;
    Ok(record.number)
}

fn latest_number(disk: &dyn Disk, root: &Path) -> Result<u64, Error> {
    Ok(numbers(disk, root)?.last().copied().unwrap_or(0))
}

/// The numbers of the records that are there, in order.
fn numbers(disk: &dyn Disk, root: &Path) -> Result<Vec<u64>, Error> {
    let folder = root.join("versions");
    let entries =
        disk.list(&folder).map_err(|error| unavailable(&format!("{} cannot be listed", folder.display()), error))?;
    let number = |path: &Path| {
        let name = path.file_name()?.to_str()?;
        name.strip_suffix(".json")?.parse::<u64>().ok()
    };
    let mut numbers: Vec<u64> = entries.iter().filter_map(|entry| number(&entry.path)).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

fn read(disk: &dyn Disk, root: &Path, number: u64) -> Result<VersionRecord, Error> {
    let path = path_of(root, number);
    let bytes =
        disk.read(&path, None).map_err(|error| unavailable(&format!("{} cannot be read", path.display()), error))?;
    serde_json::from_slice(&bytes).map_err(|error| {
        Error::new(ErrorKind::Corrupt, format!("{} is not a version record", path.display())).caused_by(error)
    })
}

fn path_of(root: &Path, number: u64) -> PathBuf {
    root.join("versions").join(format!("{number:08}.json"))
}
