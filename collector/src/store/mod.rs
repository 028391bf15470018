//! The store on disk: its manifest, its lock, its Delta tables and the records of what belongs together.
//!
//! One process holds the [`Writer`]; any number may read. Readers need no lock: a [`Snapshot`] is a list of files that
//! are never changed, and that stay for a while after they were taken out of a table. Each version that a record names
//! can be read as long as the record is there ([`Writer::vacuum`]), unless rows of it expired
//! ([`Writer::expire_days`]).

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use datafusion::catalog::TableProvider;
use tokio::sync::Mutex;

use crate::{
    Error, ErrorKind,
    disk::{self, Disk, DiskObjects, LocalDisk, Lock, Locked},
    schema::Table,
};

mod append;
mod backup;
mod checkpoint;
mod compact;
mod content;
mod delta;
mod expired;
mod files;
mod manifest;
mod migrate;
mod order;
mod replace;
mod restore;
mod retention;
mod sort;
#[cfg(test)]
mod tests;
mod tiers;
mod vacuum;
mod versions;

pub use backup::BackedUp;
pub use compact::Compacted;
pub use expired::Gone;
pub use manifest::Manifest;
pub use migrate::Migrated;
pub use restore::{Restored, restore};
pub use retention::Expiry;
pub use vacuum::Vacuumed;
pub use versions::{Keep, VersionRecord};

/// The format that this version works with. Older ones are brought to it by [`Store::migrate`], newer ones are refused.
/// Format 2 differs from 1 in what may be found: access tokens, which one that does not ask for them would let anybody
/// pass by, and tables that were vacuumed, versions of which are gone.
pub const FORMAT: u32 = 2;

/// A store, opened for reading. Cheap to clone; clones share what they know of the tables.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
    manifest: Manifest,
    collector: String,
    disk: Arc<dyn Disk>,
    objects: DiskObjects,
    tables: Arc<delta::Tables>,
}

/// A table at one version, ready for DataFusion. Columns come with the types of [`Table::arrow_schema`].
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Delta version.
    pub version: u64,
    /// The provider, pinned at that version.
    pub provider: Arc<dyn TableProvider>,
}

/// The right to write: whoever has it holds the store's lock, until it is dropped.
#[derive(Debug)]
pub struct Writer {
    store: Store,
    committing: Committing,
    /// Whoever takes files away from tables does so alone.
    upkeep: Mutex<()>,
    _lock: Lock,
}

/// A lock for each table, by folder: commits of one table by one process go one after the other, since concurrent ones
/// could double rows. Another table's, which may take minutes to work out, is nothing to wait for.
type Committing = std::sync::Mutex<HashMap<&'static str, Arc<Mutex<()>>>>;

impl Store {
    /// Opens a store that exists; says so if there is none, or if its format is newer.
    pub fn open(root: &Path) -> Result<Self, Error> {
        Self::open_on(Arc::new(LocalDisk), root)
    }

    /// Opens a store, or makes one with this manifest if there is none. The format of the manifest given is not looked
    /// at: a new store gets [`FORMAT`].
    pub fn open_or_create(root: &Path, manifest: Manifest) -> Result<Self, Error> {
        Self::open_or_create_on(Arc::new(LocalDisk), root, manifest)
    }

    /// [`Store::open`] on a disk of choice.
    pub fn open_on(disk: Arc<dyn Disk>, root: &Path) -> Result<Self, Error> {
        let root = absolute(root)?;
        match manifest::read(disk.as_ref(), &root)? {
            Some(found) => Ok(Self::assemble(disk, root, found)),
            None => Err(Error::new(
                ErrorKind::Unavailable,
                format!("there is no store at {}: serve, ingest, import, reference and demo make one", root.display()),
            )),
        }
    }

    /// [`Store::open_or_create`] on a disk of choice.
    pub fn open_or_create_on(disk: Arc<dyn Disk>, root: &Path, manifest: Manifest) -> Result<Self, Error> {
        let root = absolute(root)?;
        if let Some(found) = manifest::read(disk.as_ref(), &root)? {
            return Ok(Self::assemble(disk, root, found));
        }
        manifest::create(disk.as_ref(), &root, manifest)?;
        Self::open_on(disk, &root)
    }

    fn assemble(disk: Arc<dyn Disk>, root: PathBuf, (manifest, collector): (Manifest, String)) -> Self {
        let objects = DiskObjects::new(Arc::clone(&disk));
        Self { root, manifest, collector, disk, objects, tables: Arc::default() }
    }

    /// The folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What `store.toml` says.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The name under which this store's collector numbers its commits.
    pub(crate) fn collector(&self) -> &str {
        &self.collector
    }

    /// What the manifest knows of the store's key.
    pub(crate) fn key_check(&self) -> Result<Option<String>, Error> {
        manifest::key_check(self.disk.as_ref(), &self.root)
    }

    pub(crate) fn disk(&self) -> &Arc<dyn Disk> {
        &self.disk
    }

    /// Makes durable what tables show, where a write through Delta Lake failed half way. Whoever removes files because of
    /// what a table shows calls this first.
    pub(crate) async fn settle(&self) -> Result<(), Error> {
        self.objects.settle().await.map_err(|error| {
            Error::new(ErrorKind::Unavailable, "what was written to the tables last cannot be made durable")
                .caused_by(error)
        })
    }

    /// Takes the lock; says who to talk to if another process has it. What an earlier writer left half-written is
    /// removed; what it had named and did not live to make durable is made so, since everything from here on counts on
    /// it.
    pub fn lock(&self) -> Result<Writer, Error> {
        let failed = |error| unavailable(&format!("the store {} cannot be locked", self.root.display()), error);
        match self.disk.lock(&self.root.join("lock")).map_err(failed)? {
            Locked::Ours(lock) => {
                // Makes the name of the root durable, whoever made it.
                self.disk.create_folder(&self.root).map_err(failed)?;
                sweep(self.disk.as_ref(), &self.root, &|folder| folder != self.root.join("access")).map_err(failed)?;
                Ok(Writer {
                    store: self.clone(),
                    committing: Committing::default(),
                    upkeep: Mutex::default(),
                    _lock: lock,
                })
            }
            Locked::Theirs(process) => {
                let holder = process.map_or_else(|| "another process".to_owned(), |id| format!("process {id}"));
                Err(Error::new(
                    ErrorKind::Unavailable,
                    format!(
                        "the store {} is being written by {holder}: send to that service instead (OTLP/HTTP, by default \
                         127.0.0.1:4318), or stop it first",
                        self.root.display()
                    ),
                ))
            }
        }
    }

    /// The newest version of a table; `None` if it was never written.
    pub async fn snapshot(&self, table: &Table) -> Result<Option<Snapshot>, Error> {
        let Some(newest) = self.newest(table).await? else { return Ok(None) };
        delta::pin(&newest, table).map(Some)
    }

    /// A table at a version.
    pub async fn snapshot_at(&self, table: &Table, version: u64) -> Result<Snapshot, Error> {
        delta::pin(&self.at(table, version).await?, table)
    }

    /// The newest record of what belongs together; `None` before the first refresh.
    pub fn latest_version(&self) -> Result<Option<VersionRecord>, Error> {
        versions::latest(self.disk.as_ref(), &self.root)
    }

    /// Every record of what belongs together, oldest first: what a session can be pinned at.
    pub fn versions(&self) -> Result<Vec<VersionRecord>, Error> {
        versions::all(self.disk.as_ref(), &self.root)
    }

    /// The record of a number; where there is none, the error says which there are, and where it can no longer be read,
    /// what is gone of it.
    pub fn version(&self, number: u64) -> Result<VersionRecord, Error> {
        let record = versions::numbered(self.disk.as_ref(), &self.root, number)?;
        match self.gone_of(&record)? {
            None => Ok(record),
            Some((table, gone)) => Err(Error::new(
                ErrorKind::Invalid,
                format!(
                    "version {number} of this store is no longer whole: rows of {table} before {} have expired",
                    gone.before
                ),
            )),
        }
    }

    /// What retention took away of a version, and of which table; `None` for a version that is whole.
    pub fn gone_of(&self, record: &VersionRecord) -> Result<Option<(String, Gone)>, Error> {
        let expired = expired::Expired::read(self.disk.as_ref(), &self.root)?;
        Ok(expired.of(record).map(|(table, gone)| (table.to_owned(), gone.clone())))
    }

    /// Keeps a version readable, however old it gets, until [`Store::unpin_version`]. Needs no lock.
    pub fn pin_version(&self, number: u64) -> Result<(), Error> {
        versions::pin(self.disk.as_ref(), &self.root, number)
    }

    /// Lets a version expire like the others.
    pub fn unpin_version(&self, number: u64) -> Result<(), Error> {
        versions::unpin(self.disk.as_ref(), &self.root, number)
    }
}

impl Writer {
    /// The store.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Holds back other work that takes files away from tables: merges, retention, vacuum. It fails while the disk refuses
    /// to make durable what the tables show, since files may be needed again that they show no longer.
    pub(crate) async fn one_at_a_time(&self) -> Result<tokio::sync::MutexGuard<'_, ()>, Error> {
        let alone = self.upkeep.lock().await;
        self.store.settle().await?;
        Ok(alone)
    }

    /// Notes in the manifest by what the store's key is told from others.
    pub(crate) fn note_key(&self, check: &str) -> Result<(), Error> {
        manifest::note_key(self.store.disk.as_ref(), &self.store.root, check)
    }

    /// Writes the next version record, once, synced. Its `number` is chosen here.
    pub fn record_version(&self, record: VersionRecord) -> Result<u64, Error> {
        versions::write(self.store.disk.as_ref(), &self.store.root, record)
    }
}

/// Removes files that never got their name, and makes the names of the others durable. Folders that are not `ours` have
/// a lock of their own, and perhaps somebody who is writing there.
fn sweep(disk: &dyn Disk, folder: &Path, ours: &dyn Fn(&Path) -> bool) -> std::io::Result<()> {
    disk.sync_folder(folder)?;
    for entry in disk.list(folder)? {
        if entry.is_folder {
            if ours(&entry.path) {
                sweep(disk, &entry.path, ours)?;
            }
        } else if disk::is_temporary(&entry.path) {
            disk.remove(&entry.path)?;
        }
    }
    Ok(())
}

fn absolute(root: &Path) -> Result<PathBuf, Error> {
    std::path::absolute(root).map_err(|error| {
        Error::new(ErrorKind::Invalid, format!("{} cannot be a store's folder", root.display())).caused_by(error)
    })
}

/// The disk refused; the store is as it was.
fn unavailable(message: &str, error: std::io::Error) -> Error {
    Error::new(ErrorKind::Unavailable, format!("{message}: {error}")).caused_by(error)
}
