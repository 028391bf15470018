//! Rows that may be kept no longer: out of the table in one commit, and off the disk.
//!
//! That a version was to stay readable, or that somebody reads, is no reason to keep them. What is gone is noted before
//! anything goes ([`super::expired`]): versions that named such rows are no longer whole from then on, whatever happens
//! next, and protect nothing from the vacuum that follows: neither data files, nor entries of a table's log, whose
//! statistics tell values. Everything can be done again after a crash.

use std::path::{Path, PathBuf};

use arrow::{
    array::{AsArray, RecordBatch, Scalar, TimestampMicrosecondArray},
    compute::{filter_record_batch, kernels::cmp::gt_eq},
    datatypes::{Date32Type, TimestampMicrosecondType},
    error::ArrowError,
};
use chrono::{DateTime, NaiveDate};
use deltalake::{
    DeltaTable,
    kernel::{Action, Add},
    protocol::DeltaOperation,
};
use futures::{StreamExt as _, TryStreamExt as _};

use super::{
    Writer,
    checkpoint::{entries_of, remove_all},
    delta::{Commit, day_column, day_of, failed},
    expired::{Expired, Gone},
    files::Files,
    replace::version_of,
    unavailable,
    vacuum::data_files,
};
use crate::{Error, ErrorKind, disk::Disk, schema::Table};

/// What retention took away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Expiry {
    /// Days, for a table that has them.
    pub days: usize,
    /// Rows, for a table that has no days.
    pub rows: u64,
    /// Files that are gone from the disk.
    pub files: usize,
}

impl Writer {
    /// Removes the rows of days before one (days since 1970-01-01) from a table that is partitioned by a date, and their
    /// files from the disk. Appends wait meanwhile: it is a commit and the removal of a few names a day.
    pub async fn expire_days(&self, table: &Table, before: i32) -> Result<Expiry, Error> {
        let _alone = self.one_at_a_time().await?;
        let _committing = self.committing(table).await;
        let Some(at) = self.store().newest(table).await? else { return Ok(Expiry::default()) };
        let (removes, days) = expired_files(table, &at, before)?;
        if !removes.is_empty() {
            self.note_gone(table, &at, before)?;
            let operation = DeltaOperation::Delete { predicate: None };
            self.store().commit(table, at, Commit { actions: removes, operation, sequence: None }).await?;
        }
        let mut files = 0;
        let folder = self.store().root().join(table.folder);
        let disk = self.store().disk().as_ref();
        let failed = |error| unavailable(&format!("{} cannot be emptied of what expired", folder.display()), error);
        for (day, paths) in day_folders(disk, &folder, before).map_err(failed)? {
            files += remove_all(disk, &day, &paths).map_err(failed)?;
        }
        Ok(Expiry { days, rows: 0, files })
    }

    /// Removes the rows whose instant lies before one (Unix microseconds) from a table without partitions. Its files
    /// go with the vacuum that follows.
    pub async fn expire_rows(&self, table: &Table, column: &str, before_us: i64) -> Result<Expiry, Error> {
        let _alone = self.one_at_a_time().await?;
        let Some(at) = self.store().newest(table).await? else { return Ok(Expiry::default()) };
        let (removes, paths) = all_files(table, &at)?;
        let (adds, rows) = self.write_rest(table, &at, paths, column, before_us).await?;
        if rows == 0 {
            return Ok(Expiry::default());
        }
        let _committing = self.committing(table).await;
        let before = DateTime::from_timestamp_micros(before_us).unwrap_or_default().date_naive();
        let noting = async {
            let Some(at) = self.store().newest(table).await? else { return Ok(None) };
            self.note_gone(table, &at, Date32Type::from_naive_date(before))?;
            Ok(Some(at))
        };
        let (adds, at) = self.store().keep_with(table, adds, noting.await).await?;
        let Some(at) = at else { return Ok(Expiry::default()) };
        let actions = removes.into_iter().chain(adds.into_iter().map(Action::Add)).collect();
        let operation = DeltaOperation::Delete { predicate: None };
        self.store().commit(table, at, Commit { actions, operation, sequence: None }).await?;
        Ok(Expiry { days: 0, rows, files: 0 })
    }

    /// Writes the rows that stay; gives how many do not. Nothing is left behind where all stay but for what the next
    /// vacuum finds.
    async fn write_rest(
        &self,
        table: &Table,
        at: &DeltaTable,
        paths: Vec<String>,
        column: &str,
        before_us: i64,
    ) -> Result<(Vec<Add>, u64), Error> {
        let unreadable = |error: datafusion::error::DataFusionError| {
            Error::new(ErrorKind::Unavailable, format!("the table {} cannot be read", table.name)).caused_by(error)
        };
        let mut instants = self.read_files(table, at, paths.clone(), &[column]).await?;
        let mut expired = 0;
        while let Some(batch) = instants.try_next().await.map_err(unreadable)? {
            let instants = batch.column(0).as_primitive::<TimestampMicrosecondType>();
            expired += instants.iter().flatten().filter(|&at| at < before_us).count() as u64;
        }
        if expired == 0 {
            return Ok((Vec::new(), 0));
        }
        let before = Scalar::new(TimestampMicrosecondArray::from(vec![before_us]).with_timezone("UTC"));
        let staying = |batch: RecordBatch| {
            let instants = batch.column_by_name(column).ok_or_else(|| ArrowError::SchemaError(column.to_owned()))?;
            filter_record_batch(&batch, &gt_eq(instants, &before)?)
        };
        let rows = self.read_files(table, at, paths, &[]).await?.map_err(unreadable).map(|batch| {
            staying(batch?).map_err(|error| Error::new(ErrorKind::Internal, "rows cannot be filtered").caused_by(error))
        });
        let written = Files::of(table, at)?.write_all(rows).await;
        Ok((self.store().keep_or_discard(table, written).await?, expired))
    }

    /// Notes that the next version of the table lacks rows that all before it may have.
    fn note_gone(&self, table: &Table, at: &DeltaTable, before: i32) -> Result<(), Error> {
        let (disk, root) = (self.store().disk().as_ref(), self.store().root());
        let before = Date32Type::to_naive_date_opt(before).unwrap_or(NaiveDate::MAX);
        let gone = Gone { before, version: version_of(table, at)? + 1 };
        Expired::read(disk, root)?.note(disk, root, table.name, gone)
    }

    /// The proof: whatever of a table is still there from before a day (or from before the last expiry, of its log).
    /// Looks at the table, the folder, and the log's entries; nothing is found if everything is gone.
    pub async fn older_than(&self, table: &Table, before: i32) -> Result<Vec<PathBuf>, Error> {
        let Some(at) = self.store().newest(table).await? else { return Ok(Vec::new()) };
        let (disk, root) = (self.store().disk().as_ref(), self.store().root());
        let folder = root.join(table.folder);
        let unlisted = |error| unavailable(&format!("{} cannot be listed", folder.display()), error);
        let mut found = Vec::new();
        if day_column(table)?.is_some() {
            for action in expired_files(table, &at, before)?.0 {
                if let Action::Remove(remove) = action {
                    found.push(folder.join(remove.path));
                }
            }
            found
                .extend(day_folders(disk, &folder, before).map_err(unlisted)?.into_iter().flat_map(|(_, paths)| paths));
        }
        if let Some(version) = Expired::read(disk, root)?.version_of(table.name) {
            let entries = entries_of(disk, &self.log_folder(table)).map_err(unlisted)?;
            found.extend(entries.commits.range(..version).map(|(_, entry)| entry.path.clone()));
            found.extend(entries.checkpoints.range(..version).flat_map(|(_, paths)| paths.clone()));
        }
        found.sort();
        found.dedup();
        Ok(found)
    }
}

/// The removal of the files of days before one, and how many days those are.
fn expired_files(table: &Table, at: &DeltaTable, before: i32) -> Result<(Vec<Action>, usize), Error> {
    let column = day_column(table)?.ok_or_else(|| {
        Error::new(ErrorKind::Internal, format!("the table {} is not partitioned by day", table.name))
    })?;
    let state = at.snapshot().map_err(|error| failed(table, "be read", error))?;
    let (mut removes, mut days) = (Vec::new(), std::collections::BTreeSet::new());
    for file in state.log_data().iter() {
        let day = day_of(table, column, &file)?;
        if day < before {
            days.insert(day);
            removes.push(Action::Remove(file.remove_action(true)));
        }
    }
    Ok((removes, days.len()))
}

fn all_files(table: &Table, at: &DeltaTable) -> Result<(Vec<Action>, Vec<String>), Error> {
    let state = at.snapshot().map_err(|error| failed(table, "be read", error))?;
    let files = state.log_data();
    Ok(files.iter().map(|file| (Action::Remove(file.remove_action(true)), file.path().into_owned())).unzip())
}

/// The folders of days before one, and what is in each.
fn day_folders(disk: &dyn Disk, folder: &Path, before: i32) -> std::io::Result<Vec<(PathBuf, Vec<PathBuf>)>> {
    let mut found = Vec::new();
    for entry in disk.list(folder)?.into_iter().filter(|entry| entry.is_folder) {
        let name = entry.path.file_name().and_then(|name| name.to_str());
        let day = name.and_then(|name| name.split_once('=')).and_then(|(_, day)| day.parse::<NaiveDate>().ok());
        if day.is_some_and(|day| Date32Type::from_naive_date(day) < before) {
            let paths: Vec<PathBuf> = data_files(disk, &entry.path)?.into_values().map(|entry| entry.path).collect();
            if !paths.is_empty() {
                found.push((entry.path, paths));
            }
        }
    }
    Ok(found)
}
