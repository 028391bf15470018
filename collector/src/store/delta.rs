//! Delta tables: found, made, pinned, committed to.
//!
//! A loaded table is kept and only brought up to date, since loading one from nothing reads its whole log.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    sync::{Arc, PoisonError},
};

use arrow::datatypes::{Date32Type, Schema};
use chrono::NaiveDate;
use deltalake::{
    DeltaTable, DeltaTableError,
    delta_datafusion::{DeltaScanConfig, DeltaScanNext},
    kernel::{
        Action, Add, LogicalFileView, StructType, Transaction,
        engine::arrow_conversion::TryFromArrow,
        transaction::{CommitBuilder, CommitProperties},
    },
    logstore::{LogStoreRef, StorageConfig, logstore_with},
    operations::create::CreateBuilder,
    protocol::{DeltaOperation, SaveMode},
};
use object_store::ObjectStore;
use tokio::sync::Mutex;
use url::Url;

use super::{
    Snapshot, Store, Writer,
    content::{content_of, tags_of},
    files::Written,
};
use crate::{
    Error, ErrorKind,
    schema::{ColumnType, SPANS, Table},
};

/// The tables loaded so far, by folder.
pub(super) type Tables = Mutex<HashMap<&'static str, DeltaTable>>;

/// How often a table's log is read where an entry is missing: it may be cleaned away between the listing and the reading,
/// by this process or another, and what stands for it is there for whoever lists anew.
const READS_MAX: usize = 4;

/// What goes into one version of a table.
#[derive(Debug)]
pub(crate) struct Commit {
    /// Files added and removed.
    pub(crate) actions: Vec<Action>,
    /// What the table's history says happened.
    pub(crate) operation: DeltaOperation,
    /// The collector's log sequence up to which the rows are in, for an append.
    pub(crate) sequence: Option<u64>,
}

/// What to do about a table whose columns are not those that are now defined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IfChanged {
    /// Empty it and give it the new ones: it is computed from other tables.
    Empty,
    /// Leave it alone.
    Refuse,
}

impl Store {
    /// The table as it is now; `None` if it was never made.
    pub(crate) async fn newest(&self, table: &Table) -> Result<Option<DeltaTable>, Error> {
        let newest = self.load(table, None).await?;
        if let Some(newest) = &newest {
            self.remember(table, newest).await;
        }
        Ok(newest)
    }

    /// The table as it was at a version.
    pub(super) async fn at(&self, table: &Table, version: u64) -> Result<DeltaTable, Error> {
        self.load(table, Some(version)).await?.ok_or_else(|| {
            Error::new(ErrorKind::Invalid, format!("the table {} has no version {version}: there is none", table.name))
        })
    }

    async fn load(&self, table: &Table, version: Option<u64>) -> Result<Option<DeltaTable>, Error> {
        let mut reads = 1;
        loop {
            let known = self.tables.lock().await.get(table.folder).cloned();
            let at = DeltaTable::new(self.log_store(table)?);
            match load_once(known, at, version).await {
                Err(error) if reads < READS_MAX && is_missing(&error) => {
                    tracing::debug!(%error, table = table.name, "read again");
                    self.forget(table).await;
                    reads += 1;
                }
                loaded => {
                    let what =
                        version.map_or_else(|| "be loaded".to_owned(), |version| format!("be read at {version}"));
                    return loaded.map_err(|error| failed(table, &what, error));
                }
            }
        }
    }

    /// The table with the schema that it should have, made if needed.
    pub(crate) async fn ensure(&self, table: &Table, if_changed: IfChanged) -> Result<DeltaTable, Error> {
        let wanted = delta_schema(table)?;
        if let Some(existing) = self.newest(table).await? {
            if has_schema(&existing, table, &wanted) {
                return Ok(existing);
            }
            if if_changed == IfChanged::Refuse {
                return Err(Error::new(
                    ErrorKind::Unavailable,
                    format!("the table {} has other columns than this gilbreth writes: migrate the store", table.name),
                ));
            }
        }
        let made = CreateBuilder::new()
            .with_log_store(self.log_store(table)?)
            .with_table_name(table.name)
            .with_comment(table.grain)
            .with_columns(wanted.fields().cloned())
            .with_partition_columns(table.partition.iter().copied())
            .with_save_mode(SaveMode::Overwrite)
            .await
            .map_err(|error| failed(table, "be made", error))?;
        self.remember(table, &made).await;
        Ok(made)
    }

    /// Adds a version to the table.
    pub(crate) async fn commit(&self, table: &Table, mut on: DeltaTable, commit: Commit) -> Result<DeltaTable, Error> {
        // Delta Lake drops entries of its log after 30 days unless told not to, and with them the versions that records
        // name.
        let mut properties = CommitProperties::default().with_cleanup_expired_logs(Some(false));
        if let Some(sequence) = commit.sequence {
            let sequence = i64::try_from(sequence)
                .map_err(|_| Error::new(ErrorKind::Internal, format!("log sequence {sequence} is out of range")))?;
            properties = properties.with_application_transaction(Transaction::new(self.collector(), sequence));
        }
        let state = on.snapshot().map_err(|error| failed(table, "be committed to", error))?;
        let written: Vec<String> = commit.actions.iter().filter_map(path_of_add).collect();
        let committed = CommitBuilder::from(properties)
            .with_actions(commit.actions)
            .build(Some(state), on.log_store(), commit.operation)
            .await;
        let finalized = match committed {
            Ok(finalized) => finalized,
            Err(error) => {
                self.discard_uncommitted(table, &written).await;
                return Err(failed(table, "be committed to", error));
            }
        };
        on.state = Some(finalized.snapshot());
        self.remember(table, &on).await;
        Ok(on)
    }

    /// Removes files of a commit that failed, unless it is in the table after all: its entry may have got its name before
    /// something failed. Whoever commits holds the table's lock, so no other commit can bring them in later.
    async fn discard_uncommitted(&self, table: &Table, written: &[String]) {
        self.forget(table).await;
        let Ok(Some(now)) = self.newest(table).await else { return };
        let Ok(state) = now.snapshot() else { return };
        let is_there = state.log_data().iter().any(|file| written.iter().any(|path| *path == file.path()));
        if !is_there {
            self.discard(table, written).await;
        }
    }

    /// Removes data files that are in no version of the table, as far as that works: what stays goes with a vacuum.
    async fn discard(&self, table: &Table, written: &[String]) {
        let (disk, folder) = (Arc::clone(self.disk()), self.root().join(table.folder));
        let paths: Vec<_> = written.iter().map(|path| folder.join(path)).collect();
        let removing = tokio::task::spawn_blocking(move || {
            for path in paths {
                if let Err(error) = disk.remove(&path) {
                    tracing::warn!(path = %path.display(), %error, "a file that is in no table is left behind");
                }
            }
        });
        if let Err(error) = removing.await {
            tracing::warn!(%error, table = table.name, "files that are in no table are left behind");
        }
    }

    /// What was written for a commit; on an error nothing, and what was written before it is removed.
    pub(super) async fn keep_or_discard(&self, table: &Table, written: Written) -> Result<Vec<Add>, Error> {
        Ok(self.keep_with(table, written.adds, written.ended).await?.0)
    }

    /// What was written for a commit, with what the commit needs besides; if that is not to be had, what was written is
    /// removed.
    pub(super) async fn keep_with<T>(
        &self,
        table: &Table,
        adds: Vec<Add>,
        besides: Result<T, Error>,
    ) -> Result<(Vec<Add>, T), Error> {
        match besides {
            Ok(besides) => Ok((adds, besides)),
            Err(error) => {
                let paths: Vec<String> = adds.into_iter().map(|add| add.path).collect();
                self.discard(table, &paths).await;
                Err(error)
            }
        }
    }

    /// Whether a day's rows are still the same, as far as the log of the table's newest version tells: for each day
    /// that has files, a number that stands for their content. Days are since 1970-01-01, of the one date column that
    /// the table is partitioned by. Empty if the table was never written.
    ///
    /// Files are never changed and no name is used twice, so a day with the number of before has the rows of before.
    /// Merging files keeps it ([`content_of`](super::content)), unless rows were dropped. The number may be kept: it
    /// depends neither on the order of files in the log nor on the build. No data file is opened.
    #[cfg(test)]
    pub(super) async fn files_of_days(&self, table: &Table) -> Result<BTreeMap<i32, u64>, Error> {
        let column = partitioned_by_day(table)?;
        let Some(newest) = self.newest(table).await? else { return Ok(BTreeMap::new()) };
        files_by_day(table, column, &newest)
    }

    /// [`Store::files_of_days`] as of a version: what belongs to the [`Snapshot`] of that version, whatever was
    /// committed since. It is a call of its own, since most snapshots are taken by those who do not ask. Cheap while
    /// the version is the newest that this store knows; else the log is read up to it.
    pub async fn files_of_days_at(&self, table: &Table, version: u64) -> Result<BTreeMap<i32, u64>, Error> {
        let column = partitioned_by_day(table)?;
        files_by_day(table, column, &self.at(table, version).await?)
    }

    /// The log sequence up to which this store's collector has committed to `spans`: what a [`VersionRecord`] notes.
    ///
    /// [`VersionRecord`]: super::VersionRecord
    pub async fn log_watermark(&self) -> Result<u64, Error> {
        self.committed_sequence(&SPANS).await
    }

    /// The log sequence up to which this store's collector has committed to the table; 0 if it never has.
    pub(crate) async fn committed_sequence(&self, table: &Table) -> Result<u64, Error> {
        let Some(newest) = self.newest(table).await? else { return Ok(0) };
        self.sequence_in(table, &newest).await
    }

    /// The same for a table at hand.
    pub(crate) async fn sequence_in(&self, table: &Table, at: &DeltaTable) -> Result<u64, Error> {
        let state = at.snapshot().map_err(|error| failed(table, "be read", error))?;
        let version = match state.transaction_version(at.log_store().as_ref(), self.collector()).await {
            Ok(version) => version,
            Err(error) => {
                // What is known of the log may be older than its last cleaning: the next try reads it anew.
                self.forget(table).await;
                return Err(failed(table, "say what was committed", error));
            }
        };
        Ok(version.and_then(|version| u64::try_from(version).ok()).unwrap_or(0))
    }

    /// The address of a folder on the store's disk.
    pub(super) fn address(&self, folder: &Path) -> Result<Url, Error> {
        let unusable = || Error::new(ErrorKind::Internal, format!("{} cannot be an address", folder.display()));
        let url = Url::from_directory_path(folder).map_err(|()| unusable())?;
        format!("{}{}", self.disk().scheme(), url.as_str().trim_start_matches("file")).parse().map_err(|_| unusable())
    }

    /// The object store that tables lie in.
    pub(crate) fn objects(&self) -> Arc<dyn ObjectStore> {
        Arc::new(self.objects.clone())
    }

    fn log_store(&self, table: &Table) -> Result<LogStoreRef, Error> {
        let folder = self.root().join(table.folder);
        let url = self.address(&folder)?;
        logstore_with(self.objects(), &url, StorageConfig::default())
            .map_err(|error| failed(table, "be reached", error))
    }

    /// Loads the table anew when it is next asked for.
    pub(super) async fn forget(&self, table: &Table) {
        self.tables.lock().await.remove(table.folder);
    }

    async fn remember(&self, table: &Table, loaded: &DeltaTable) {
        let mut tables = self.tables.lock().await;
        let newer = tables.get(table.folder).is_none_or(|known| known.version() <= loaded.version());
        if newer {
            tables.insert(table.folder, loaded.clone());
        }
    }
}

impl Writer {
    /// Holds back other commits of this process to the table.
    pub(crate) async fn committing(&self, table: &Table) -> tokio::sync::OwnedMutexGuard<()> {
        // A map is whole between any two operations on it.
        let lock =
            self.committing.lock().unwrap_or_else(PoisonError::into_inner).entry(table.folder).or_default().clone();
        lock.lock_owned().await
    }
}

/// The table, newest or at a version, from what is known of it or else from the beginning.
async fn load_once(
    known: Option<DeltaTable>,
    mut fresh: DeltaTable,
    version: Option<u64>,
) -> Result<Option<DeltaTable>, DeltaTableError> {
    match (known, version) {
        (Some(known), Some(version)) if known.version() == Some(version) => return Ok(Some(known)),
        (_, Some(version)) => fresh.load_version(version).await?,
        (Some(mut known), None) => {
            known.update_state().await?;
            return Ok(Some(known));
        }
        (None, None) if fresh.verify_deltatable_existence().await? => fresh.load().await?,
        (None, None) => return Ok(None),
    }
    Ok(Some(fresh))
}

/// Whether a file was missing that was to be read.
fn is_missing(error: &DeltaTableError) -> bool {
    fn for_kernel(error: &delta_kernel::Error) -> bool {
        match error {
            delta_kernel::Error::FileNotFound(_) => true,
            delta_kernel::Error::Backtraced { source, .. } => for_kernel(source),
            _ => false,
        }
    }
    match error {
        DeltaTableError::KernelError(error) => for_kernel(error),
        DeltaTableError::ObjectStore { source } => matches!(source, object_store::Error::NotFound { .. }),
        _ => false,
    }
}

/// A provider that stays at the version of the table given.
pub(super) fn pin(at: &DeltaTable, table: &Table) -> Result<Snapshot, Error> {
    let state = at.snapshot().map_err(|error| failed(table, "be read", error))?;
    Ok(Snapshot { version: state.version(), provider: Arc::new(scan(at, table)?) })
}

/// A scan of the table at hand. Plain strings and plain partition values, so that columns have the declared types.
pub(super) fn scan(at: &DeltaTable, table: &Table) -> Result<DeltaScanNext, Error> {
    let state = at.snapshot().map_err(|error| failed(table, "be read", error))?;
    let config =
        DeltaScanConfig { schema_force_view_types: false, wrap_partition_values: false, ..DeltaScanConfig::new() };
    DeltaScanNext::new(state.snapshot().clone(), config).map_err(|error| {
        Error::new(ErrorKind::Internal, format!("the table {} cannot be scanned", table.name)).caused_by(error)
    })
}

fn path_of_add(action: &Action) -> Option<String> {
    match action {
        Action::Add(add) => Some(add.path.clone()),
        _ => None,
    }
}

fn delta_schema(table: &Table) -> Result<StructType, Error> {
    let schema: &Schema = &table.arrow_schema();
    StructType::try_from_arrow(schema).map_err(|error| {
        Error::new(ErrorKind::Internal, format!("the table {} has a column that Delta Lake lacks", table.name))
            .caused_by(error)
    })
}

fn has_schema(existing: &DeltaTable, table: &Table, wanted: &StructType) -> bool {
    existing.snapshot().is_ok_and(|state| {
        // Of other partitions, files could neither be told apart by day nor written.
        state.schema().as_ref() == wanted && state.metadata().partition_columns() == table.partition
    })
}

/// The date column by which the table is partitioned; `None` for a table without partitions.
pub(super) fn day_column(table: &Table) -> Result<Option<&'static str>, Error> {
    let is_date = |name| table.columns.iter().any(|column| column.name == name && column.kind == ColumnType::Date);
    match *table.partition {
        [] => Ok(None),
        [name] if is_date(name) => Ok(Some(name)),
        _ => Err(Error::new(ErrorKind::Internal, format!("the table {} is not partitioned by one date", table.name))),
    }
}

fn partitioned_by_day(table: &Table) -> Result<&'static str, Error> {
    day_column(table)?
        .ok_or_else(|| Error::new(ErrorKind::Internal, format!("the table {} is not partitioned by day", table.name)))
}

/// The day that all rows of a file are of, as the table's log says.
pub(super) fn day_of(table: &Table, column: &str, file: &LogicalFileView) -> Result<i32, Error> {
    let value = file.partition_values_map().remove(column).flatten();
    let date = value.and_then(|value| NaiveDate::parse_from_str(&value, "%Y-%m-%d").ok());
    date.map(Date32Type::from_naive_date).ok_or_else(|| {
        Error::new(ErrorKind::Corrupt, format!("the file {} of {} has no {column}", file.path(), table.name))
    })
}

fn files_by_day(table: &Table, column: &str, at: &DeltaTable) -> Result<BTreeMap<i32, u64>, Error> {
    let state = at.snapshot().map_err(|error| failed(table, "be read", error))?;
    let mut days: BTreeMap<i32, u64> = BTreeMap::new();
    for file in state.log_data().iter() {
        let sum = days.entry(day_of(table, column, &file)?).or_default();
        *sum = sum.wrapping_add(content_of(&file.path(), &tags_of(&file)));
    }
    Ok(days)
}

/// Something in or below Delta Lake failed. What the disk or a rival caused can be mended outside; the rest is ours.
pub(super) fn failed(table: &Table, what: &str, error: DeltaTableError) -> Error {
    let kind = match &error {
        DeltaTableError::ObjectStore { .. } | DeltaTableError::Io { .. } | DeltaTableError::Transaction { .. } => {
            ErrorKind::Unavailable
        }
        DeltaTableError::InvalidVersion(_) => ErrorKind::Invalid,
        _ => ErrorKind::Internal,
    };
    Error::new(kind, format!("the table {} cannot {what}", table.name)).caused_by(error)
}
