//! Data files that no version needs that must stay readable.
//!
//! Records of versions expire first ([`Keep`]), so that none names files that are gone. Then each table's files are
//! looked through: what is in the newest version, or in one that a record names, stays; so does what was taken out of the
//! table a short while ago, since somebody may be reading it; and so does, for a day, what no entry of the log ever
//! named, since somebody may be writing it. Whatever cannot be told is not removed: a version that cannot be loaded ends
//! the work on its table.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    path::{Path, PathBuf},
    time::SystemTime,
};

use deltalake::{kernel::Action, logstore::get_actions};

use super::{
    Writer,
    checkpoint::{Cleaning, LogEntries, remove_all},
    delta::failed,
    expired::Expired,
    unavailable,
    versions::{self, Keep},
};
use crate::{
    Error,
    disk::{Disk, Entry},
    schema::Table,
};

/// A file that no entry of the log names is left behind by a commit that failed, unless it is so young: then it may be
/// on its way.
const ORPHAN_AFTER_US: i64 = 86_400_000_000;

/// What a vacuum took away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Vacuumed {
    /// Records of versions.
    pub records: usize,
    /// Data files.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Entries of tables' logs.
    pub log_entries: usize,
}

/// The versions of one table that matter.
struct Needed {
    /// Those that must stay readable.
    kept: BTreeSet<u64>,
    /// What was taken out of the table up to this version belongs to expired rows: nobody may go on reading it.
    expired_up_to: u64,
}

impl Writer {
    /// Removes what no version needs that is kept. Takes turns with merges and retention; commits go between.
    pub async fn vacuum(&self, tables: &[&Table], keep: &Keep, now_us: i64) -> Result<Vacuumed, Error> {
        let _alone = self.one_at_a_time().await?;
        let (disk, root) = (self.store().disk().as_ref(), self.store().root());
        let mut done = Vacuumed { records: versions::expire(disk, root, keep, now_us)?, ..Vacuumed::default() };
        let expired = Expired::read(disk, root)?;
        let records = versions::all(disk, root)?;
        let (whole, torn): (Vec<_>, Vec<_>) = records.iter().partition(|record| expired.of(record).is_none());
        for &table in tables {
            let named = whole.iter().filter_map(|record| record.tables.get(table.name).copied());
            let kept: BTreeSet<u64> = named.collect();
            // What the first whole record after the others replaced was made from expired rows.
            let replaced = if torn.is_empty() { None } else { kept.first().copied() };
            let expired_up_to = replaced.max(expired.version_of(table.name)).unwrap_or_default();
            let needed = Needed { kept, expired_up_to };
            self.vacuum_table(table, &needed, now_us.saturating_sub(keep.grace_us), now_us, &mut done).await?;
        }
        Ok(done)
    }

    async fn vacuum_table(
        &self,
        table: &Table,
        needed: &Needed,
        young_since_us: i64,
        now_us: i64,
        done: &mut Vacuumed,
    ) -> Result<(), Error> {
        let folder = self.store().root().join(table.folder);
        // Listed before the table is loaded: what is committed meanwhile is in the table, or not in the listing.
        let files = data_files(self.store().disk().as_ref(), &folder)
            .map_err(|error| unavailable(&format!("{} cannot be listed", folder.display()), error))?;
        if self.store().newest(table).await?.is_none() {
            return Ok(());
        }
        let removals = self.removals(table, &self.log_entries(table)?)?;
        let live = self.live(table, needed).await?;
        let mut gone: BTreeMap<&Path, Vec<PathBuf>> = BTreeMap::new();
        for (name, entry) in &files {
            let is_unneeded = match removals.get(name) {
                Some(removal) => removal.version <= needed.expired_up_to || removal.at_us < young_since_us,
                None => changed_us(entry) < now_us.saturating_sub(ORPHAN_AFTER_US),
            };
            if is_unneeded && !live.contains(name) {
                done.files += 1;
                done.bytes += entry.size;
                gone.entry(entry.path.parent().unwrap_or(&folder)).or_default().push(entry.path.clone());
            }
        }
        for (folder, paths) in gone {
            remove_all(self.store().disk().as_ref(), folder, &paths)
                .map_err(|error| unavailable(&format!("{} cannot be vacuumed", folder.display()), error))?;
            tokio::task::yield_now().await;
        }
        let cleaning = Cleaning { kept: &needed.kept, young_since_us, expired_up_to: needed.expired_up_to };
        done.log_entries += self.clean_log(table, &cleaning).await?;
        Ok(())
    }

    /// The files of every version that must stay readable, and of the newest.
    async fn live(&self, table: &Table, needed: &Needed) -> Result<HashSet<String>, Error> {
        let mut live = HashSet::new();
        for &version in &needed.kept {
            live.extend(names(table, &self.store().at(table, version).await?)?);
        }
        // Loaded last: what was committed since the listing is in it.
        if let Some(newest) = self.store().newest(table).await? {
            live.extend(names(table, &newest)?);
        }
        Ok(live)
    }

    /// The files that entries of the log took out of the table, as far back as there are entries.
    fn removals(&self, table: &Table, entries: &LogEntries) -> Result<BTreeMap<String, Removal>, Error> {
        let mut removals = BTreeMap::new();
        for (&version, entry) in &entries.commits {
            let bytes = self.store().disk().read(&entry.path, None);
            let bytes =
                bytes.map_err(|error| unavailable(&format!("{} cannot be read", entry.path.display()), error))?;
            let actions = get_actions(version, &bytes).map_err(|error| failed(table, "be vacuumed", error))?;
            let at_us = changed_us(entry);
            let removed = actions.into_iter().filter_map(|action| match action {
                Action::Remove(remove) => Some((remove.path, Removal { version, at_us })),
                _ => None,
            });
            removals.extend(removed);
        }
        Ok(removals)
    }
}

/// When a file was taken out of a table.
#[derive(Debug, Clone, Copy)]
struct Removal {
    version: u64,
    at_us: i64,
}

fn names(table: &Table, at: &deltalake::DeltaTable) -> Result<Vec<String>, Error> {
    let state = at.snapshot().map_err(|error| failed(table, "be read", error))?;
    Ok(state.log_data().iter().map(|file| file.path().into_owned()).collect())
}

/// When a file was last changed, Unix microseconds.
pub(super) fn changed_us(entry: &Entry) -> i64 {
    let since = entry.modified.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

/// The files of a table's folder but for its log, temporary ones included, by their names in the table.
pub(super) fn data_files(disk: &dyn Disk, folder: &Path) -> std::io::Result<BTreeMap<String, Entry>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(at) = folders.pop() {
        for entry in disk.list(&at)? {
            let Some(name) = entry.path.strip_prefix(folder).ok().and_then(Path::to_str) else { continue };
            match entry.is_folder {
                true if !name.starts_with('_') => folders.push(entry.path),
                true => {}
                false => {
                    found.insert(name.to_owned(), entry);
                }
            }
        }
    }
    Ok(found)
}
