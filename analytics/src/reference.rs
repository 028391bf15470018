//! Reference data: what no span can tell. Staffing, the worker directory, holidays, what staff said, what was observed,
//! when interfaces went live, which screens a task starts and ends on, how categories are grouped.
//!
//! ```text
//! NAME=FILE ─read─▶ rows, all good, or every fault ─store─▶ people hashed ─▶ a Delta table each ─refresh─▶ seen by sessions
//! ```
//! - Either every file is good and every table named is replaced, or no table is touched.
//! - A person or login is in clear in memory alone; what is stored is the hash that `spans.worker` would have.
//! - A fault says what is expected and where, never what the file says there.
//! - A table whose rows are already those of the file is left as it is, so that nothing is worked out again for it.

mod faults;
mod formats;
mod quoting;
mod rows;
mod sheet;
pub mod tables;
mod tasks;

#[cfg(test)]
mod tests;

use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use arrow::{compute::concat_batches, error::ArrowError, record_batch::RecordBatch};
use datafusion::{error::DataFusionError, physical_plan::stream::RecordBatchStreamAdapter, prelude::SessionContext};
use gilbreth_collector::{ErrorKind, gate::Hashes, key::StoreKey, schema::Table, store::Writer};

pub use faults::{Fault, Faults};
use rows::Row;
use tables::REFERENCE;

use crate::operators::columns::column;

/// A file is held as a whole, since its rows must agree with each other.
const FILE_BYTES_MAX: usize = 256 << 20;

/// Why reference data could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such table.
    #[error("there is no reference data of that name: there are {}", names().join(", "))]
    UnknownTable,
    /// A file could not be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// Files are wrong; nothing was loaded.
    #[error("nothing is loaded: {}", summary(_0))]
    Wrong(Vec<Faults>),
    /// The store could not be written. Tables that come before in the order of the files are loaded.
    #[error("{table} is not loaded: load the files again")]
    Store {
        /// The first table that is not loaded.
        table: &'static str,
        /// The cause.
        source: gilbreth_collector::Error,
    },
    /// The rows could not be laid out.
    #[error("the rows of {table} cannot be laid out")]
    Rows {
        /// The table.
        table: &'static str,
        /// The cause.
        source: DataFusionError,
    },
}

impl Error {
    /// What to do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::UnknownTable | Self::Wrong(_) => ErrorKind::Invalid,
            Self::Unreadable { .. } => ErrorKind::Unavailable,
            Self::Store { source, .. } => source.kind(),
            Self::Rows { .. } => ErrorKind::Internal,
        }
    }
}

fn summary(wrong: &[Faults]) -> String {
    let of = |faults: &Faults| {
        let plural = if faults.count() == 1 { "" } else { "s" };
        format!("{} fault{plural} in {}", faults.count(), faults.path().display())
    };
    wrong.iter().map(of).collect::<Vec<_>>().join(", ")
}

/// The name of every table of reference data.
#[must_use]
pub fn names() -> [&'static str; REFERENCE.len()] {
    REFERENCE.map(|table| table.name)
}

/// What a file was found to hold; every row is good. People are in clear in it.
pub struct Checked {
    table: &'static Table,
    rows: Vec<Row>,
}

impl std::fmt::Debug for Checked {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Checked").field("table", &self.table.name).field("rows", &self.rows.len()).finish()
    }
}

/// A table after its loading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The table.
    pub table: &'static str,
    /// Rows that it has now.
    pub rows: usize,
    /// Whether it had other rows before.
    pub changed: bool,
    /// Its Delta version.
    pub version: u64,
}

/// Reads files of reference data, each by the name of its table. No store is needed.
///
/// # Errors
/// [`Error::UnknownTable`], [`Error::Unreadable`], and [`Error::Wrong`] with the faults of all files.
pub fn read(files: &[(&str, &Path)]) -> Result<Vec<Checked>, Error> {
    let mut good = Vec::with_capacity(files.len());
    let mut wrong = Vec::new();
    for &(name, path) in files {
        let table = REFERENCE.into_iter().find(|table| table.name == name).ok_or(Error::UnknownTable)?;
        let bytes = bytes(path).map_err(|source| Error::Unreadable { path: path.to_owned(), source })?;
        let mut faults = Faults::of(path);
        let rows = checked(table, &bytes, &mut faults);
        if faults.count() == 0 {
            good.push(Checked { table, rows });
        } else {
            wrong.push(faults);
        }
    }
    if wrong.is_empty() { Ok(good) } else { Err(Error::Wrong(wrong)) }
}

fn checked(table: &'static Table, bytes: &[u8], faults: &mut Faults) -> Vec<Row> {
    if bytes.len() > FILE_BYTES_MAX {
        faults.whole(format!("must be of at most {} MiB", FILE_BYTES_MAX >> 20));
        return Vec::new();
    }
    match formats::of(table) {
        Some(format) => sheet::read(bytes, format, faults),
        None => tasks::read(bytes, faults),
    }
}

/// One byte more than may be, at most.
fn bytes(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Hashes people and replaces the tables. What was loaded holds from the next refresh.
///
/// # Errors
/// If the store cannot be written. Tables are replaced one after the other: [`Error::Store`] names the first that was not.
/// Until a refresh nobody reads any of them.
pub async fn store(writer: &Writer, key: &StoreKey, files: &[Checked]) -> Result<Vec<Loaded>, Error> {
    let hashes = Hashes::new(key);
    let mut all = Vec::with_capacity(files.len());
    for Checked { table, rows } in files {
        let laid_out = |source| Error::Rows { table: table.name, source };
        let rows = rows::batch(table, rows, &hashes).map_err(|error| laid_out(error.into()))?;
        let stored = |source| Error::Store { table: table.name, source };
        let before = writer.store().snapshot(table).await.map_err(stored)?;
        let mut loaded = Loaded { table: table.name, rows: rows.num_rows(), changed: false, version: 0 };
        match before {
            Some(before) if held(table, &before).await.map_err(laid_out)?.as_ref() == Some(&rows) => {
                loaded.version = before.version;
            }
            _ => {
                let schema = rows.schema();
                let rows = futures::stream::iter([Ok(rows)]);
                let rows = Box::pin(RecordBatchStreamAdapter::new(schema, rows));
                loaded.changed = true;
                loaded.version = writer.replace(table, rows).await.map_err(stored)?;
            }
        }
        all.push(loaded);
    }
    Ok(all)
}

/// The rows of a table as it is, ordered; none where its columns are those of another version of the program.
async fn held(
    table: &Table,
    before: &gilbreth_collector::store::Snapshot,
) -> Result<Option<RecordBatch>, DataFusionError> {
    let schema = table.arrow_schema();
    if !schema.fields().iter().all(|field| before.provider.schema().field_with_name(field.name()).is_ok()) {
        return Ok(None);
    }
    let batches = SessionContext::new().read_table(before.provider.clone())?.collect().await?;
    let conform = |batch: &RecordBatch| -> Result<RecordBatch, DataFusionError> {
        let columns = schema.fields().iter().map(|field| column(batch, field.name(), field.data_type()));
        Ok(RecordBatch::try_new(schema.clone(), columns.collect::<Result<_, _>>()?)?)
    };
    let batches = batches.iter().map(conform).collect::<Result<Vec<_>, _>>()?;
    let sorted = concat_batches(&schema, &batches).and_then(|rows: RecordBatch| rows::sorted(&rows));
    sorted.map(Some).map_err(ArrowError::into)
}

/// Reads files and loads them: [`read`], then [`store`].
///
/// # Errors
/// As these two.
pub async fn load(writer: &Writer, key: &StoreKey, files: &[(&str, &Path)]) -> Result<Vec<Loaded>, Error> {
    store(writer, key, &read(files)?).await
}
