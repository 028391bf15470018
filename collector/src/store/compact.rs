//! Many small files of a day into one, sorted, with bounded memory.
//!
//! A sender that sends again after more than a day can get a row past the collector's memory of what it has seen. Such
//! rows are found here, where equal ids lie side by side, and their removal is committed as the change of data that it
//! is; merging alone is committed as no change.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use arrow::{
    array::{BooleanArray, RecordBatch},
    compute::filter_record_batch,
};
use datafusion::{execution::SendableRecordBatchStream, prelude::SessionContext};
use deltalake::{
    DeltaTable,
    kernel::{Action, Add, Remove},
    protocol::DeltaOperation,
};
use futures::TryStreamExt;

use super::{
    Writer,
    delta::{Commit, failed, scan},
    files::Files,
    replace::version_of,
    sort::{runtime, sorted},
};
use crate::{Error, ErrorKind, schema::Table};

/// What compaction did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Compacted {
    /// Files merged away.
    pub files_before: usize,
    /// Files that took their place.
    pub files_after: usize,
    /// Rows dropped because a row with the same ids was there.
    pub duplicates: u64,
}

/// The files of one partition.
#[derive(Debug, Default)]
struct Part {
    paths: Vec<String>,
    removes: Vec<Remove>,
}

impl Writer {
    /// Merges the files of each partition that has more than `files_max`. Rows of one partition that are equal in every
    /// column of `identity` (which must end the order in which they are sorted) are one row: the first stays.
    pub async fn compact(&self, table: &Table, files_max: usize, identity: &[&str]) -> Result<Compacted, Error> {
        let mut done = Compacted::default();
        let _committing = self.committing(table).await;
        let Some(mut at) = self.store().newest(table).await? else { return Ok(done) };
        for part in crowded(table, &at, files_max)? {
            let files_before = part.paths.len();
            let (adds, duplicates) = self.merge(table, &at, part.paths, identity).await?;
            done.files_before += files_before;
            done.files_after += adds.len();
            done.duplicates += duplicates;
            let data_change = duplicates > 0;
            let removes = part.removes.into_iter().map(|remove| Action::Remove(Remove { data_change, ..remove }));
            let adds = adds.into_iter().map(|add| Action::Add(Add { data_change, ..add }));
            let operation = if data_change {
                DeltaOperation::Delete { predicate: None }
            } else {
                DeltaOperation::Optimize { predicate: None, target_size: 0 }
            };
            let commit = Commit { actions: removes.chain(adds).collect(), operation, sequence: None };
            at = self.store().commit(table, at, commit).await?;
            tracing::debug!(table = table.name, version = version_of(table, &at)?, "compacted");
        }
        Ok(done)
    }

    async fn merge(
        &self,
        table: &Table,
        at: &DeltaTable,
        paths: Vec<String>,
        identity: &[&str],
    ) -> Result<(Vec<Add>, u64), Error> {
        let rows = self.read_files(table, at, paths, &[]).await?;
        let mut order: Vec<&str> = table.partition.iter().chain(table.sort).copied().collect();
        order.extend(identity);
        let mut rows = sorted(rows, &order)?;
        let mut files = Files::of(table, at)?;
        let mut last: Option<RecordBatch> = None;
        let mut duplicates = 0;
        while let Some(batch) = rows.try_next().await.map_err(|error| unreadable(table, error))? {
            if batch.num_rows() == 0 {
                continue;
            }
            let first_of_kind = first_of_kind(last.as_ref(), &batch, identity)?;
            duplicates += first_of_kind.false_count() as u64;
            last = Some(batch.slice(batch.num_rows() - 1, 1));
            let kept = if first_of_kind.false_count() == 0 {
                batch
            } else {
                filter_record_batch(&batch, &first_of_kind)
                    .map_err(|error| Error::new(ErrorKind::Internal, "rows cannot be filtered").caused_by(error))?
            };
            files.write(&kept).await?;
        }
        Ok((files.finish().await?, duplicates))
    }

    /// The rows of some files of a table at hand: these columns, or all if none is named.
    pub(crate) async fn read_files(
        &self,
        table: &Table,
        at: &DeltaTable,
        paths: Vec<String>,
        columns: &[&str],
    ) -> Result<SendableRecordBatchStream, Error> {
        let runtime = runtime().map_err(|error| unreadable(table, error))?;
        let root = self.store().address(Path::new("/"))?;
        runtime.register_object_store(&root, self.store().objects());
        let context = SessionContext::new_with_config_rt(datafusion::prelude::SessionConfig::new(), runtime);
        let scan = scan(at, table)?.with_file_paths(paths);
        let mut frame = context.read_table(Arc::new(scan)).map_err(|error| unreadable(table, error))?;
        if !columns.is_empty() {
            frame = frame.select_columns(columns).map_err(|error| unreadable(table, error))?;
        }
        frame.execute_stream().await.map_err(|error| unreadable(table, error))
    }
}

/// Partitions with too many files.
fn crowded(table: &Table, at: &DeltaTable, files_max: usize) -> Result<Vec<Part>, Error> {
    let state = at.snapshot().map_err(|error| failed(table, "be read", error))?;
    let mut parts: BTreeMap<Vec<Option<String>>, Part> = BTreeMap::new();
    for file in state.log_data().iter() {
        let values = file.partition_values_map();
        let key = table.partition.iter().map(|&name| values.get(name).cloned().flatten()).collect();
        let part = parts.entry(key).or_default();
        part.paths.push(file.path().into_owned());
        part.removes.push(file.remove_action(false));
    }
    Ok(parts.into_values().filter(|part| part.paths.len() > files_max.max(1)).collect())
}

/// For each row whether it is the first of those equal to it, given the row before the batch.
fn first_of_kind(last: Option<&RecordBatch>, rows: &RecordBatch, identity: &[&str]) -> Result<BooleanArray, Error> {
    let internal = |error| Error::new(ErrorKind::Internal, "rows cannot be compared").caused_by(error);
    if identity.is_empty() {
        return Ok(BooleanArray::from(vec![true; rows.num_rows()]));
    }
    let mut joined = rows.clone();
    if let Some(last) = last {
        joined = arrow::compute::concat_batches(&rows.schema(), [last, rows]).map_err(internal)?;
    }
    let columns: Vec<_> = identity.iter().filter_map(|name| joined.column_by_name(name).cloned()).collect();
    let mut first = vec![false; joined.num_rows()];
    for range in arrow::compute::partition(&columns).map_err(internal)?.ranges() {
        first[range.start] = true;
    }
    Ok(BooleanArray::from(first.split_off(usize::from(last.is_some()))))
}

fn unreadable(table: &Table, error: datafusion::error::DataFusionError) -> Error {
    Error::new(ErrorKind::Unavailable, format!("the table {} cannot be read", table.name)).caused_by(error)
}
