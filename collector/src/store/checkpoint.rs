//! The tables' logs: checkpoints, so that they load quickly, and the cleaning of entries that no kept version needs.
//!
//! Delta Lake itself makes a checkpoint with each hundredth version, and would drop entries by their age alone. Versions
//! that records name are kept for longer, and seldom: each of these gets a checkpoint of its own, and what lies between
//! them goes.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use deltalake::checkpoints::create_checkpoint;

use super::{Writer, delta::failed, unavailable};
use crate::{
    Error,
    disk::{Disk, Entry},
    schema::Table,
};

/// The folder of a table's log.
const LOG: &str = "_delta_log";
/// Where Delta Lake says which checkpoint to begin with. Without it readers list the folder.
const HINT: &str = "_last_checkpoint";
/// A checkpoint is due after so many commits: as many small files are read at most to load the table.
const COMMITS_MAX: u64 = 50;
/// Entries are removed once there are so many that no kept version needs: fewer are not worth the checkpoints.
const ENTRIES_MIN: usize = 100;

/// The entries of a table's log, by version.
#[derive(Debug, Default)]
pub(super) struct LogEntries {
    pub(super) commits: BTreeMap<u64, Entry>,
    pub(super) checkpoints: BTreeMap<u64, Vec<PathBuf>>,
}

/// What the cleaning of a log may take away.
#[derive(Debug)]
pub(super) struct Cleaning<'a> {
    /// Versions that must stay readable, beside the newest.
    pub(super) kept: &'a BTreeSet<u64>,
    /// Entries written since this instant stay, Unix microseconds: somebody may be reading by them …
    pub(super) young_since_us: i64,
    /// … but not those up to this version: what was known of expired rows goes at once.
    pub(super) expired_up_to: u64,
}

impl Writer {
    /// Makes a checkpoint of the table if there were many commits since the last; says whether it did.
    pub async fn checkpoint(&self, table: &Table) -> Result<bool, Error> {
        let Some(newest) = self.store().newest(table).await? else { return Ok(false) };
        let version = newest.version().unwrap_or_default();
        let entries = self.log_entries(table)?;
        let since = entries.checkpoints.keys().next_back().map_or(version + 1, |&last| version.saturating_sub(last));
        if since < COMMITS_MAX {
            return Ok(false);
        }
        create_checkpoint(&newest, None).await.map_err(|error| failed(table, "get a checkpoint", error))?;
        Ok(true)
    }

    /// What lies in the table's log.
    pub(super) fn log_entries(&self, table: &Table) -> Result<LogEntries, Error> {
        let folder = self.log_folder(table);
        entries_of(self.store().disk().as_ref(), &folder)
            .map_err(|error| unavailable(&format!("{} cannot be listed", folder.display()), error))
    }

    pub(super) fn log_folder(&self, table: &Table) -> PathBuf {
        self.store().root().join(table.folder).join(LOG)
    }

    /// Removes entries of the table's log that nobody needs; gives how many. Every version that stays readable and lies
    /// before what stays gets a checkpoint first. Appends wait only while names are removed.
    pub(super) async fn clean_log(&self, table: &Table, cleaning: &Cleaning<'_>) -> Result<usize, Error> {
        let Some(newest) = self.store().newest(table).await? else { return Ok(0) };
        let newest = newest.version().unwrap_or_default();
        let entries = self.log_entries(table)?;
        let is_young = |(version, entry): &(&u64, &Entry)| {
            **version > cleaning.expired_up_to && super::vacuum::changed_us(entry) >= cleaning.young_since_us
        };
        let first_young = entries.commits.iter().find(is_young).map_or(newest, |(&version, _)| version.min(newest));
        let stay: BTreeSet<u64> = cleaning.kept.range(..first_young).copied().chain([first_young]).collect();
        let goes = |version: &u64| *version < first_young && !stay.contains(version);
        let commits: Vec<&Entry> =
            entries.commits.iter().filter(|(version, _)| goes(version)).map(|(_, entry)| entry).collect();
        let old: Vec<&PathBuf> =
            entries.checkpoints.iter().filter(|(version, _)| goes(version)).flat_map(|(_, paths)| paths).collect();
        let known = entries.commits.keys().chain(entries.checkpoints.keys());
        let is_expired = known.into_iter().any(|version| goes(version) && *version <= cleaning.expired_up_to);
        if commits.len() < ENTRIES_MIN && !is_expired {
            return Ok(0);
        }
        for &version in stay.iter().filter(|version| !entries.checkpoints.contains_key(version)) {
            let at = self.store().at(table, version).await?;
            create_checkpoint(&at, None).await.map_err(|error| failed(table, "get a checkpoint", error))?;
        }
        let _committing = self.committing(table).await;
        let folder = self.log_folder(table);
        let hint = folder.join(HINT);
        let gone = [&hint].into_iter().chain(commits.into_iter().map(|entry| &entry.path)).chain(old);
        let gone = remove_all(self.store().disk().as_ref(), &folder, gone)
            .map_err(|error| unavailable(&format!("{} cannot be cleaned", folder.display()), error));
        self.store().forget(table).await;
        gone
    }
}

/// Removes files of one folder, durably; gives how many there were.
pub(super) fn remove_all<'a>(
    disk: &dyn Disk,
    folder: &Path,
    paths: impl IntoIterator<Item = &'a PathBuf>,
) -> std::io::Result<usize> {
    let mut removed = 0;
    for path in paths {
        match disk.remove(path) {
            Ok(()) => removed += 1,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    if removed > 0 {
        disk.sync_folder(folder)?;
    }
    Ok(removed)
}

/// The entries in a table's log folder.
pub(super) fn entries_of(disk: &dyn Disk, folder: &Path) -> std::io::Result<LogEntries> {
    let mut found = LogEntries::default();
    for entry in disk.list(folder)?.into_iter().filter(|entry| !entry.is_folder) {
        let Some(name) = entry.path.file_name().and_then(|name| name.to_str()) else { continue };
        let Some((version, rest)) = name.split_once('.') else { continue };
        let Ok(version) = version.parse::<u64>() else { continue };
        if rest == "json" {
            found.commits.insert(version, entry);
        } else if rest.starts_with("checkpoint") && rest.ends_with("parquet") {
            found.checkpoints.entry(version).or_default().push(entry.path);
        }
    }
    Ok(found)
}
