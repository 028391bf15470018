//! `versions/NNNNNNNN.json`: what belongs together. Each is written once, under a name that must be free, and synced.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use super::unavailable;
use crate::{
    Error, ErrorKind,
    disk::{Disk, IfTaken, put},
};

const DAY_US: i64 = 86_400_000_000;
/// Numbers that an error lists at most.
const NUMBERS_MAX: usize = 20;

/// Which versions stay readable, and for how long nobody's reading is disturbed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Every version stays for so long.
    pub every_us: i64,
    /// After that the last of each day stays, and the last before a change of method, for so long.
    pub last_us: i64,
    /// A file that was taken out of a table stays for so long all the same.
    pub grace_us: i64,
}

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
        (Some(first), Some(last)) if last - first + 1 > known.len() as u64 => {
            let newest: Vec<String> = known.iter().rev().take(NUMBERS_MAX).rev().map(ToString::to_string).collect();
            let kept = if known.len() > NUMBERS_MAX { "it keeps others and" } else { "it keeps" };
            format!("there is no version {number} in this store: {kept} {}", newest.join(", "))
        }
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

/// Removes the records that need not be kept, durably; gives how many there were.
pub(super) fn expire(disk: &dyn Disk, root: &Path, keep: &Keep, now_us: i64) -> Result<usize, Error> {
    let records = all(disk, root)?;
    let kept = kept(&records, &pins(disk, root)?, keep, now_us);
    let gone: Vec<u64> = records.iter().map(|record| record.number).filter(|number| !kept.contains(number)).collect();
    let folder = root.join("versions");
    let failed = |error| unavailable(&format!("{} cannot be tidied", folder.display()), error);
    for &number in &gone {
        disk.remove(&path_of(root, number)).map_err(failed)?;
    }
    if !gone.is_empty() {
        disk.sync_folder(&folder).map_err(failed)?;
    }
    Ok(gone.len())
}

/// The numbers of the records that are to be kept, of all, oldest first: the newest; what is pinned; every one of late;
/// and for longer the last of each day, and the last that was made by a method or with parameters of its own.
fn kept(records: &[VersionRecord], pins: &BTreeSet<u64>, keep: &Keep, now_us: i64) -> BTreeSet<u64> {
    let mut kept = BTreeSet::new();
    for (place, record) in records.iter().enumerate() {
        let Some(next) = records.get(place + 1) else {
            kept.insert(record.number);
            continue;
        };
        let day = |record: &VersionRecord| record.written_at_us.div_euclid(DAY_US);
        let is_last =
            day(record) != day(next) || record.parameters != next.parameters || record.facts_hash != next.facts_hash;
        let age_us = now_us.saturating_sub(record.written_at_us);
        if pins.contains(&record.number) || age_us < keep.every_us || (is_last && age_us < keep.last_us) {
            kept.insert(record.number);
        }
    }
    kept
}

/// Keeps a version readable until its pin is removed.
pub(super) fn pin(disk: &dyn Disk, root: &Path, number: u64) -> Result<(), Error> {
    let path = pin_of(root, number);
    put(disk, &path, &[], IfTaken::Replace)
        .map_err(|error| unavailable(&format!("{} cannot be written", path.display()), error))?;
    // Looked for only now: whoever expires records from here on sees the pin.
    numbered(disk, root, number).map(|_| ()).inspect_err(|_| {
        if let Err(error) = disk.remove(&path) {
            tracing::debug!(path = %path.display(), %error, "pin of no version left behind");
        }
    })
}

/// Lets a version expire like the others.
pub(super) fn unpin(disk: &dyn Disk, root: &Path, number: u64) -> Result<(), Error> {
    let path = pin_of(root, number);
    match disk.remove(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(unavailable(&format!("{} cannot be removed", path.display()), error))
        }
        _ => Ok(()),
    }
}

/// The numbers that are pinned.
pub(super) fn pins(disk: &dyn Disk, root: &Path) -> Result<BTreeSet<u64>, Error> {
    Ok(numbers_of(disk, root, ".pin")?.into_iter().collect())
}

fn latest_number(disk: &dyn Disk, root: &Path) -> Result<u64, Error> {
    Ok(numbers(disk, root)?.last().copied().unwrap_or(0))
}

/// The numbers of the records that are there, in order.
fn numbers(disk: &dyn Disk, root: &Path) -> Result<Vec<u64>, Error> {
    numbers_of(disk, root, ".json")
}

fn numbers_of(disk: &dyn Disk, root: &Path, end: &str) -> Result<Vec<u64>, Error> {
    let folder = root.join("versions");
    let entries =
        disk.list(&folder).map_err(|error| unavailable(&format!("{} cannot be listed", folder.display()), error))?;
    let number = |path: &Path| {
        let name = path.file_name()?.to_str()?;
        name.strip_suffix(end)?.parse::<u64>().ok()
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

fn pin_of(root: &Path, number: u64) -> PathBuf {
    root.join("versions").join(format!("{number:08}.pin"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_US: i64 = 3_600_000_000;

    fn record(number: u64, written_at_us: i64, switch_s: f64) -> VersionRecord {
        VersionRecord {
            number,
            written_at_us,
            tables: BTreeMap::new(),
            log_watermark: 0,
            parameters: serde_json::json!({ "switch_s": switch_s }),
            facts_hash: "a".to_owned(),
        }
    }

    #[test]
    fn every_late_version_is_kept_then_the_last_of_a_day_or_method_then_the_pinned() {
        let day = |days: i64, hours: i64| days * DAY_US + hours * HOUR_US;
        let records = [
            record(1, day(1, 8), 5.0),
            record(2, day(1, 9), 5.0),
            record(3, day(50, 8), 5.0),
            record(4, day(50, 9), 2.0),
            record(5, day(50, 10), 5.0),
            record(6, day(50, 11), 5.0),
            record(7, day(60, 7), 5.0),
            record(8, day(60, 11), 5.0),
            record(9, day(60, 12), 5.0),
        ];
        let keep = Keep { every_us: 2 * HOUR_US, last_us: 30 * DAY_US, grace_us: 0 };
        let kept_at = |now, pins: &[u64]| {
            kept(&records, &pins.iter().copied().collect(), &keep, now).into_iter().collect::<Vec<_>>()
        };
        assert_eq!(kept_at(day(60, 12), &[1]), [1, 3, 4, 6, 8, 9]);
        assert_eq!(kept_at(day(60, 14), &[]), [3, 4, 6, 9]);
        assert_eq!(kept_at(day(200, 0), &[]), [9], "the newest is kept however old");
    }

    #[test]
    fn a_pin_keeps_a_version_until_it_is_taken_away_and_none_that_is_not_there() {
        let disk = crate::disk::simulated::SimulatedDisk::new(1);
        let root = Path::new("/store");
        for at in [0, 1, 2] {
            write(&disk, root, record(0, at, 5.0)).unwrap();
        }
        pin(&disk, root, 1).unwrap();
        assert_eq!(pin(&disk, root, 9).unwrap_err().kind(), ErrorKind::Invalid);
        assert_eq!(pins(&disk, root).unwrap(), [1].into());
        let none = Keep { every_us: 0, last_us: 0, grace_us: 0 };
        assert_eq!(expire(&disk, root, &none, DAY_US).unwrap(), 1);
        assert_eq!(numbers(&disk, root).unwrap(), [1, 3]);
        let message = numbered(&disk, root, 2).unwrap_err().to_string();
        assert_eq!(message, "there is no version 2 in this store: it keeps 1, 3");
        unpin(&disk, root, 1).unwrap();
        unpin(&disk, root, 1).unwrap();
        assert_eq!(expire(&disk, root, &none, DAY_US).unwrap(), 1);
        assert_eq!(numbers(&disk, root).unwrap(), [3]);
    }
}
