//! Rows of views that a session worked out and left in the store for those that come after it.
//!
//! They belong to one version record, to everything that it covers (no scope) and to the code that made them: a session
//! of anything else works out its own. They are Arrow files in `kept/NUMBER-HASH` of the store, each of which takes its
//! name only once it is complete and synced; those of earlier records are removed when the first of a record is written.
//! Whoever deletes them loses time and nothing else, and a session that may not write does without. Like the facts, they
//! know people and cases by keyed hashes only.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use arrow::{
    array::{Array as _, RecordBatch},
    datatypes::SchemaRef,
    error::ArrowError,
    ipc::{
        CompressionType,
        reader::FileReader,
        writer::{FileWriter, IpcWriteOptions},
    },
};
use gilbreth_collector::{
    schema::{INTAKE, SPANS},
    store::{Store, VersionRecord},
};
use sha2::{Digest, Sha256};

use crate::catalogue;

/// The folder in a store.
const FOLDER: &str = "kept";
/// A view whose rows take more memory than this is not saved.
const BYTES_MAX: usize = 256 << 20;

macro_rules! sources {
    ($($file:literal),+ $(,)?) => {
        /// The source of all that makes the rows of views beside SQL.
        const SOURCES: &[(&str, &str)] = &[$(($file, include_str!(concat!("../", $file)))),+];
    };
}

sources! {
    "catalogue.rs",
    "effects/go_live.rs",
    "effects/go_live/permutation.rs",
    "effects/go_live/table.rs",
    "effects/release.rs",
    "effects/release/table.rs",
    "effects/resample.rs",
    "effects/rows.rs",
    "parameters.rs",
    "session/built_in.rs",
    "session/functions.rs",
    "session/stored.rs",
    "statistics.rs",
    "statistics/bootstrap_t.rs",
    "statistics/certainties.rs",
    "statistics/draws.rs",
    "statistics/intervals.rs",
    "statistics/parts.rs",
    "statistics/ranks.rs",
    "statistics/ratios.rs",
    "statistics/strata.rs",
    "statistics/verdicts.rs",
    "statistics/workforce.rs",
    "tables.rs",
}

/// Rows saved for a version record.
#[derive(Debug)]
pub(super) struct Saved {
    folder: PathBuf,
    /// Whether the session sees spans that the record does not.
    received_since: bool,
}

impl Saved {
    /// Those of a record, whether there are any yet or not.
    pub(super) fn new(store: &Store, record: &VersionRecord, received_since: bool) -> Self {
        let folder = store.root().join(FOLDER).join(format!("{}-{}", record.number, hash(record)));
        Self { folder, received_since }
    }

    /// The rows of a view or table, where they are there and hold.
    pub(super) fn rows(&self, name: &str, schema: &SchemaRef) -> Option<Vec<RecordBatch>> {
        if !self.holds(name) {
            return None;
        }
        let file = File::open(self.file(name)).ok()?;
        let read = FileReader::try_new_buffered(file, None).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        match read {
            Ok(rows) => rows.iter().all(|batch| batch.schema() == *schema).then_some(rows),
            Err(error) => {
                tracing::warn!(view = name, %error, "saved rows cannot be read: they are worked out anew");
                None
            }
        }
    }

    /// The same as [`Self::save`], off the threads of the runtime; who asks waits, so that no end of a program cuts it off.
    pub(super) async fn save_aside(self: Arc<Self>, name: &'static str, schema: SchemaRef, rows: Vec<RecordBatch>) {
        let saved = tokio::task::spawn_blocking(move || self.save(name, &schema, &rows)).await;
        if let Err(error) = saved {
            tracing::debug!(view = name, %error, "rows could not be saved");
        }
    }

    /// Saves the rows of a view or table for those that come after.
    fn save(&self, name: &str, schema: &SchemaRef, rows: &[RecordBatch]) {
        let bytes: usize = rows.iter().map(RecordBatch::get_array_memory_size).sum();
        if !self.holds(name) || bytes > BYTES_MAX {
            return;
        }
        if let Err(error) = self.write(name, schema, rows) {
            tracing::debug!(view = name, %error, "rows could not be saved");
        }
    }

    fn write(&self, name: &str, schema: &SchemaRef, rows: &[RecordBatch]) -> Result<(), ArrowError> {
        static UNFINISHED: AtomicU64 = AtomicU64::new(0);
        if !self.folder.is_dir() {
            self.begin()?;
        }
        let number = UNFINISHED.fetch_add(1, Ordering::Relaxed);
        let unfinished = self.folder.join(format!("{name}-{}-{number}", process::id()));
        let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME))?;
        let mut writer = FileWriter::try_new_with_options(File::create(&unfinished)?, schema, options)?;
        let written = rows.iter().try_for_each(|batch| writer.write(batch)).and_then(|()| writer.into_inner());
        let written = written.and_then(|file| Ok(file.sync_all()?));
        let done = written.and_then(|()| Ok(fs::rename(&unfinished, self.file(name))?));
        if done.is_err() {
            fs::remove_file(&unfinished)?;
        }
        done
    }

    /// Makes the folder, and removes those of earlier records; where there is one of a later record, nobody will ask.
    fn begin(&self) -> io::Result<()> {
        let others = self.folder.parent().map(fs::read_dir).transpose().or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => Ok(None),
            _ => Err(error),
        })?;
        let others: Vec<PathBuf> = others.into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        let own = number(&self.folder);
        if others.iter().any(|other| number(other) > own) {
            return Err(io::Error::other("a later record is kept"));
        }
        fs::create_dir_all(&self.folder)?;
        for earlier in others.iter().filter(|other| number(other) < own) {
            match fs::remove_dir_all(earlier) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(Path::new(name).with_extension("arrow"))
    }

    fn holds(&self, name: &str) -> bool {
        !self.received_since || !reads_what_is_received(name)
    }
}

/// Bytes of rows that were read. (Columns that could not be compressed share the block of the file that they are in, of
/// which `get_array_memory_size` would count the whole for each.)
pub(super) fn bytes(rows: &[RecordBatch]) -> usize {
    let columns = rows.iter().flat_map(RecordBatch::columns);
    columns.map(|column| column.to_data().get_slice_memory_size().unwrap_or(column.get_array_memory_size())).sum()
}

/// The number of the record that a folder belongs to.
fn number(folder: &Path) -> Option<u64> {
    folder.file_name()?.to_str()?.split('-').next()?.parse().ok()
}

/// A hash of a record and of what makes rows of views of its facts. Numbers of records may come again, in a store that was
/// restored.
fn hash(record: &VersionRecord) -> String {
    let mut hash = Sha256::new();
    let views = catalogue::views().map(|file| (file.name, file.text));
    let recorded = serde_json::to_string(record).unwrap_or_default();
    let more = [("record", recorded.as_str()), ("gilbreth", env!("CARGO_PKG_VERSION"))];
    for (name, text) in views.chain(SOURCES.iter().copied()).chain(more) {
        for part in [name, text] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
    }
    hash.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a view reads, itself or by way of others, what the collector writes.
fn reads_what_is_received(name: &str) -> bool {
    let mut asked = BTreeSet::new();
    let mut open = vec![name.to_owned()];
    while let Some(name) = open.pop() {
        if name == SPANS.name || name == INTAKE.name {
            return true;
        }
        if !asked.insert(name.clone()) {
            continue;
        }
        if let Some(view) = catalogue::views().find(|file| file.name == name) {
            open.extend(view.head().inputs);
        }
        if let Some(derived) = catalogue::DERIVED.iter().find(|derived| derived.table.name == name) {
            open.extend(derived.inputs.iter().map(|input| (*input).to_owned()));
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use arrow::{
        array::Int64Array,
        datatypes::{DataType, Field, Schema},
    };

    use super::*;

    #[test]
    fn rows_are_read_as_they_were_saved_and_those_of_other_records_go() {
        let place = tempfile::tempdir().unwrap();
        let of =
            |record: &str, received_since| Saved { folder: place.path().join("kept").join(record), received_since };
        let schema = Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, false)]));
        let rows = [RecordBatch::try_new(schema.clone(), vec![Arc::new(Int64Array::from(vec![1, 2]))]).unwrap()];
        of("1-a", false).save("headline", &schema, &rows);
        of("1-a", true).save("waits", &schema, &rows);
        assert_eq!(of("1-a", true).rows("headline", &schema).unwrap(), rows);
        assert_eq!(of("1-a", false).rows("waits", &schema), None, "saved although spans came since");
        assert_eq!(of("1-b", false).rows("headline", &schema), None, "other code");
        let other = Arc::new(Schema::new(vec![Field::new("n", DataType::Utf8, false)]));
        assert_eq!(of("1-a", false).rows("headline", &other), None, "other columns");
        of("1-a", false).save("waits", &schema, &rows);
        assert_eq!(of("1-a", true).rows("waits", &schema), None, "spans came since");
        of("2-a", false).save("fixes", &schema, &rows);
        assert_eq!(of("1-a", false).rows("headline", &schema), None, "the record before");
        assert_eq!(fs::read_dir(place.path().join("kept/2-a")).unwrap().count(), 1);
        of("1-a", false).save("headline", &schema, &rows);
        assert_eq!(of("1-a", false).rows("headline", &schema), None, "a session of before leaves the later ones alone");
        assert_eq!(of("2-a", false).rows("fixes", &schema).unwrap(), rows);
        fs::write(place.path().join("kept/2-a/fixes.arrow"), "torn").unwrap();
        assert_eq!(of("2-a", false).rows("fixes", &schema), None, "torn");
    }

    #[test]
    fn every_source_of_a_derived_table_is_part_of_the_hash() {
        let sources = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
        let mut folders = vec![format!("{sources}/statistics"), format!("{sources}/effects")];
        let mut found = 0;
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.to_str().unwrap().trim_start_matches(sources).trim_start_matches('/').to_owned();
                if path.is_dir() && !name.ends_with("/tests") {
                    folders.push(path.to_str().unwrap().to_owned());
                } else if path.is_file() && !name.ends_with("tests.rs") {
                    assert!(SOURCES.iter().any(|(listed, _)| *listed == name), "{name} is not part of the hash");
                    found += 1;
                }
            }
        }
        assert!(found > 10);
    }

    #[test]
    fn what_rests_on_spans_is_told_from_what_rests_on_facts() {
        for view in ["waits", "floor_ratio", "data_quality"] {
            assert!(reads_what_is_received(view), "{view}");
        }
        for view in ["headline", "fixes", "intervals", "re_entry_pairs"] {
            assert!(!reads_what_is_received(view), "{view}");
        }
    }
}
