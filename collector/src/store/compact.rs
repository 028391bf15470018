//! Many small files of a day into few, sorted, with bounded memory, while commits go on.
//!
//! A sender that sends again after more than a day can get a row past the collector's memory of what it has seen. Such
//! rows are found here, where rows of a day are sorted by worker, start and ids, so that a row sent again lies beside its
//! first copy (a row with the same ids and another worker or start is another row, and stays). Their removal is committed
//! as the change of data that it is; merging alone is committed as no change, and keeps what stands for the day's content
//! ([`super::content`]).
//!
//! A merge works on files that nobody else takes away (merges and retention take turns), and holds the table's lock for
//! its commit alone: appends go between.

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
use futures::{StreamExt as _, TryStreamExt as _};

use super::{
    Writer,
    content::{content_of, run_of, tag, tags_of},
    delta::{Commit, day_column, day_of, failed, scan},
    files::Files,
    replace::version_of,
    sort::{runtime, sorted},
    tiers::{self, Candidate, Kind},
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

/// Files of one partition.
#[derive(Debug, Default)]
struct Part {
    kind: Kind,
    files: Vec<Candidate>,
}

/// What a merge wrote.
struct Merged {
    adds: Vec<Add>,
    duplicates: u64,
}

impl Writer {
    /// Merges the files of each partition that has more than `files_max`. Rows of one partition that are equal in every
    /// column of `identity` (which must end the order in which they are sorted) are one row: the first stays.
    pub async fn compact(&self, table: &Table, files_max: usize, identity: &[&str]) -> Result<Compacted, Error> {
        let everything = |part: &Part| {
            let is_crowded = part.files.len() > files_max.max(1) && !tiers::is_one_run(&part.files);
            (0..part.files.len()).filter(|_| is_crowded).collect()
        };
        self.compact_chosen(table, identity, i32::MAX, everything).await
    }

    /// Merges what is due while the table is written to, as [`tiers`] says: small files of the present day (and of any
    /// to come) in tiers, all of a past day once it is quiet. `now_us` is Unix microseconds.
    pub async fn compact_due(&self, table: &Table, identity: &[&str], now_us: i64) -> Result<Compacted, Error> {
        let today = i32::try_from(now_us.div_euclid(tiers::DAY_US)).unwrap_or(i32::MAX);
        self.compact_chosen(table, identity, today, |part| tiers::due(part.kind, &part.files, now_us)).await
    }

    async fn compact_chosen(
        &self,
        table: &Table,
        identity: &[&str],
        today: i32,
        choose: impl Fn(&Part) -> Vec<usize> + Send,
    ) -> Result<Compacted, Error> {
        let _alone = self.one_at_a_time().await?;
        let mut done = Compacted::default();
        let Some(at) = self.store().newest(table).await? else { return Ok(done) };
        for part in parts(table, &at, today)? {
            let chosen = choose(&part);
            if chosen.is_empty() {
                continue;
            }
            let is_whole = chosen.len() == part.files.len();
            let files: Vec<&Candidate> = chosen.iter().map(|&place| &part.files[place]).collect();
            let merged = self.merge(table, &at, &files, identity).await?;
            done.files_before += files.len();
            done.files_after += merged.adds.len();
            done.duplicates += merged.duplicates;
            self.commit_merge(table, &files, merged, is_whole).await?;
        }
        Ok(done)
    }

    /// Puts the merged files in the place of those that were merged.
    async fn commit_merge(
        &self,
        table: &Table,
        files: &[&Candidate],
        merged: Merged,
        is_whole: bool,
    ) -> Result<(), Error> {
        let Merged { adds, duplicates } = merged;
        let _committing = self.committing(table).await;
        let newest = self.store().newest(table).await;
        let (mut adds, at) = self.store().keep_with(table, adds, newest).await?;
        let Some(at) = at else { return Ok(()) };
        let data_change = duplicates > 0;
        let content = files.iter().fold(0_u64, |sum, file| sum.wrapping_add(file.content));
        tag(&mut adds, (!data_change).then_some(content), is_whole);
        // No row was received later than the last of the files was written: so a restart still knows which files can
        // hold what was received lately.
        let written_ms = files.iter().map(|file| file.written_us / 1_000).max().unwrap_or_default();
        let removes = files.iter().map(|file| Action::Remove(remove_of(file, data_change)));
        let adds = adds.into_iter().map(|add| Action::Add(Add { data_change, modification_time: written_ms, ..add }));
        let operation = if data_change {
            DeltaOperation::Delete { predicate: None }
        } else {
            DeltaOperation::Optimize { predicate: None, target_size: 0 }
        };
        let commit = Commit { actions: removes.chain(adds).collect(), operation, sequence: None };
        let at = self.store().commit(table, at, commit).await?;
        tracing::debug!(table = table.name, version = version_of(table, &at)?, "compacted");
        Ok(())
    }

    async fn merge(
        &self,
        table: &Table,
        at: &DeltaTable,
        chosen: &[&Candidate],
        identity: &[&str],
    ) -> Result<Merged, Error> {
        let paths = chosen.iter().map(|file| file.remove.path.clone()).collect();
        let rows = self.read_files(table, at, paths, &[]).await?;
        let mut order: Vec<&str> = table.partition.iter().chain(table.sort).copied().collect();
        order.extend(identity);
        let mut distinct = Distinct { identity, last: None, dropped: 0 };
        let rows = sorted(rows, &order)?
            .map_err(|error| unreadable(table, error))
            .map(|batch| batch.and_then(|batch| distinct.of(batch)));
        let written = Files::of(table, at)?.write_all(rows).await;
        let adds = self.store().keep_or_discard(table, written).await?;
        Ok(Merged { adds, duplicates: distinct.dropped })
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

/// The files of each partition.
fn parts(table: &Table, at: &DeltaTable, today: i32) -> Result<Vec<Part>, Error> {
    let state = at.snapshot().map_err(|error| failed(table, "be read", error))?;
    let column = day_column(table)?;
    let mut parts: BTreeMap<Option<i32>, Part> = BTreeMap::new();
    for file in state.log_data().iter() {
        let day = column.map(|column| day_of(table, column, &file)).transpose()?;
        let part = parts.entry(day).or_default();
        part.kind = match day {
            Some(day) if day < today => Kind::Past,
            Some(_) => Kind::Present,
            None => Kind::Undated,
        };
        let tags = tags_of(&file);
        part.files.push(Candidate {
            bytes: u64::try_from(file.size()).unwrap_or_default(),
            written_us: file.modification_time().saturating_mul(1_000),
            run: run_of(&tags).map(str::to_owned),
            content: content_of(&file.path(), &tags),
            remove: file.remove_action(false),
        });
    }
    Ok(parts.into_values().collect())
}

fn remove_of(file: &Candidate, data_change: bool) -> Remove {
    let deletion_timestamp = Some(chrono::Utc::now().timestamp_millis());
    Remove { data_change, deletion_timestamp, ..file.remove.clone() }
}

/// Drops repeats from rows that are sorted so that they lie side by side.
struct Distinct<'a> {
    identity: &'a [&'a str],
    /// The last row before the batch to come.
    last: Option<RecordBatch>,
    dropped: u64,
}

impl Distinct<'_> {
    /// The rows of a batch that no row before them is equal to in every column of the identity.
    fn of(&mut self, batch: RecordBatch) -> Result<RecordBatch, Error> {
        if batch.num_rows() == 0 {
            return Ok(batch);
        }
        let is_first = first_of_kind(self.last.as_ref(), &batch, self.identity)?;
        self.last = Some(batch.slice(batch.num_rows() - 1, 1));
        let repeats = is_first.false_count() as u64;
        if repeats == 0 {
            return Ok(batch);
        }
        self.dropped += repeats;
        filter_record_batch(&batch, &is_first)
            .map_err(|error| Error::new(ErrorKind::Internal, "rows cannot be filtered").caused_by(error))
    }
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
