//! The store on disk (contract only so far).

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use datafusion::{catalog::TableProvider, execution::SendableRecordBatchStream};

use crate::{Error, schema::Table};

/// A store, opened for reading. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
    manifest: Manifest,
}

/// `store.toml`.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// Format number; a newer one is refused.
    pub format: u32,
    /// The estate's name.
    pub estate: String,
    /// Local time of the workers.
    pub time_zone: chrono_tz::Tz,
}

/// A table at one version, ready for DataFusion.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Delta version.
    pub version: u64,
    /// The provider, pinned at that version.
    pub provider: Arc<dyn TableProvider>,
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

/// The right to write: whoever has it holds the store's lock.
#[derive(Debug)]
pub struct Writer {
    store: Store,
}

impl Store {
    /// Opens a store that exists; says so if there is none, or if its format is newer.
    pub fn open(_root: &Path) -> Result<Self, Error> {
        todo!()
    }

    /// Opens a store, or makes one with this manifest if there is none.
    pub fn open_or_create(_root: &Path, _manifest: Manifest) -> Result<Self, Error> {
        todo!()
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

    /// Takes the lock; says who to talk to if another process has it.
    pub fn lock(&self) -> Result<Writer, Error> {
        todo!()
    }

    /// The newest version of a table; `None` if it was never written.
    pub async fn snapshot(&self, _table: &Table) -> Result<Option<Snapshot>, Error> {
        todo!()
    }

    /// A table at a version.
    pub async fn snapshot_at(&self, _table: &Table, _version: u64) -> Result<Snapshot, Error> {
        todo!()
    }

    /// The newest record of what belongs together; `None` before the first refresh.
    pub fn latest_version(&self) -> Result<Option<VersionRecord>, Error> {
        todo!()
    }
}

impl Writer {
    /// The store.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Replaces the whole content of a table in one commit (and makes the table if it is not there). Rows need not be
    /// sorted or grouped by partition: that is done here, in bounded memory. Returns the Delta version.
    pub async fn replace(&self, _table: &Table, _rows: SendableRecordBatchStream) -> Result<u64, Error> {
        todo!()
    }

    /// Writes the next version record, once, synced. Its `number` is chosen here.
    pub fn record_version(&self, _record: VersionRecord) -> Result<u64, Error> {
        todo!()
    }
}
