//! What one refresh leaves for the next, so that the next need only work out what changed: the folder `refresh` of a store.
//!
//! Its files are read and written whole, and are never changed: a refresh writes new ones beside them, then the list of
//! those that hold (`files.json`), then removes the others. No file is synced, as nothing is lost with it: a file that is
//! not what the list says it is, or a list that does not belong to the newest version of the facts, makes the next
//! refresh work everything out. Like the spans, it knows people, cases and values by keyed hashes only, and is to be guarded
//! like them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use arrow::buffer::Buffer;
use serde::{Deserialize, Serialize};

use super::cores::on_cores;

/// The folder in a store.
const FOLDER: &str = "refresh";
/// The list of files.
const LIST: &str = "files.json";

/// What the facts were made from and by. What was left for others is of no use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// Delta versions of the spans, of reference data that decides, and of the facts.
    pub tables: BTreeMap<String, u64>,
    /// The parameters.
    pub parameters: serde_json::Value,
    /// The hash of all that makes facts.
    pub facts_hash: String,
}

/// A file as the list names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    file: String,
    bytes: usize,
    crc: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct List {
    mark: Mark,
    generation: u64,
    files: BTreeMap<String, Entry>,
}

/// What the last refresh left.
#[derive(Debug)]
pub struct Kept {
    folder: PathBuf,
    list: Option<List>,
}

impl Kept {
    /// What lies in a store and belongs to this mark; without a mark, nothing.
    #[must_use]
    pub fn of(root: &Path, mark: Option<&Mark>) -> Self {
        let folder = root.join(FOLDER);
        let list = fs::read(folder.join(LIST)).ok().and_then(|text| serde_json::from_slice::<List>(&text).ok());
        Self { list: list.filter(|list| Some(&list.mark) == mark), folder }
    }

    /// Whether there is anything.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.list.is_none()
    }

    /// The names that begin with this, without it.
    pub fn names<'a>(&'a self, beginning: &'a str) -> impl Iterator<Item = &'a str> {
        let files = self.list.iter().flat_map(|list| list.files.keys());
        files.filter_map(move |name| name.strip_prefix(beginning))
    }

    /// The bytes of a name, where they are there and whole.
    #[must_use]
    pub fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        let entry = self.list.as_ref()?.files.get(name)?;
        self.has(entry).then_some(())?;
        let mut bytes = vec![0; entry.bytes];
        self.read(entry, &mut bytes).then_some(bytes)
    }

    /// The bytes of all names that begin with this, side by side: in memory of its own, each would take whole pages, and
    /// most of the time of reading them would go into clearing these.
    #[must_use]
    pub fn all(&self, beginning: &str) -> Option<Vec<(&str, Buffer)>> {
        let files = self.list.iter().flat_map(|list| &list.files);
        let files = files.filter_map(|(name, entry)| Some((name.strip_prefix(beginning)?, entry)));
        let files: Vec<(&str, &Entry)> = files.collect();
        files.iter().all(|(_, entry)| self.has(entry)).then_some(())?;
        let mut all = vec![0; files.iter().map(|(_, entry)| entry.bytes).sum()];
        let mut rest = all.as_mut_slice();
        let mut parts = Vec::with_capacity(files.len());
        for (_, entry) in &files {
            let (part, after) = rest.split_at_mut(entry.bytes);
            parts.push((*entry, part));
            rest = after;
        }
        if !on_cores(parts, |(entry, part)| self.read(entry, part)).into_iter().all(|whole| whole) {
            return None;
        }
        let all = Buffer::from(all);
        let mut first = 0;
        let named = files.into_iter().map(|(name, entry)| {
            first += entry.bytes;
            (name, all.slice_with_length(first - entry.bytes, entry.bytes))
        });
        Some(named.collect())
    }

    /// Whether a file is as long as it should be.
    fn has(&self, entry: &Entry) -> bool {
        fs::metadata(self.folder.join(&entry.file)).is_ok_and(|file| file.len() == entry.bytes as u64)
    }

    /// Reads a file; says whether it is there and whole.
    fn read(&self, entry: &Entry, into: &mut [u8]) -> bool {
        let read = fs::File::open(self.folder.join(&entry.file)).and_then(|mut file| file.read_exact(into));
        read.is_ok() && crc32c::crc32c(into) == entry.crc
    }

    /// Begins to leave things for the next refresh. Where there is nothing that holds, whatever lies there is removed.
    pub fn begin(&self) -> io::Result<Leaving> {
        if self.list.is_none() && self.folder.exists() {
            fs::remove_dir_all(&self.folder)?;
        }
        fs::create_dir_all(&self.folder)?;
        let generation = self.list.as_ref().map_or(1, |list| list.generation + 1);
        Ok(Leaving { folder: self.folder.clone(), generation, files: Mutex::default(), failed: AtomicBool::new(false) })
    }

    /// Lets what lies under a name hold for the next refresh as well.
    pub fn hand_on(&self, name: &str, to: &Leaving) {
        if let Some(entry) = self.list.as_ref().and_then(|list| list.files.get(name)) {
            to.files().insert(name.to_owned(), entry.clone());
        }
    }
}

/// What is being left for the next refresh.
#[derive(Debug)]
pub struct Leaving {
    folder: PathBuf,
    generation: u64,
    files: Mutex<BTreeMap<String, Entry>>,
    failed: AtomicBool,
}

impl Leaving {
    fn files(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Entry>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves bytes under a name. Where that fails, nothing will be left at all: it costs the next refresh time, and not
    /// this one its facts.
    pub fn write(&self, name: &str, bytes: &[u8]) {
        let file = format!("{name}.{}", self.generation);
        match fs::write(self.folder.join(&file), bytes) {
            Ok(()) => {
                let entry = Entry { file, bytes: bytes.len(), crc: crc32c::crc32c(bytes) };
                self.files().insert(name.to_owned(), entry);
            }
            Err(error) => {
                if !self.failed.swap(true, Ordering::Relaxed) {
                    tracing::warn!(name, %error, "nothing can be left for the next refresh");
                }
            }
        }
    }

    /// Says what it belongs to, and removes what does not hold any more.
    pub fn finish(self, mark: Mark) -> io::Result<()> {
        if self.failed.into_inner() {
            return fs::remove_dir_all(&self.folder);
        }
        let files = self.files.into_inner().unwrap_or_else(PoisonError::into_inner);
        let hold: BTreeSet<String> = files.values().map(|entry| entry.file.clone()).collect();
        let text = serde_json::to_vec(&List { mark, generation: self.generation, files })?;
        let (list, new) = (self.folder.join(LIST), self.folder.join(format!("{LIST}.new")));
        fs::write(&new, text)?;
        fs::rename(&new, &list)?;
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let name = entry.file_name();
            if name != LIST && !name.to_str().is_some_and(|name| hold.contains(name)) {
                // What stays is removed with the next list.
                let _ = fs::remove_file(entry.path());
            }
        }
        // What was known of expired rows must not come back with the power.
        fs::File::open(&self.folder)?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(spans: u64) -> Mark {
        let tables = BTreeMap::from([("spans".to_owned(), spans)]);
        Mark { tables, parameters: serde_json::json!({"switch_s": 5.0}), facts_hash: "a".to_owned() }
    }

    #[test]
    fn what_is_left_is_found_by_whom_it_belongs_to() {
        let root = tempfile::tempdir().unwrap();
        let leaving = Kept::of(root.path(), None).begin().unwrap();
        leaving.write("day-1", b"one");
        leaving.write("day-2", b"two");
        leaving.finish(mark(7)).unwrap();
        assert!(Kept::of(root.path(), Some(&mark(8))).is_empty());
        let kept = Kept::of(root.path(), Some(&mark(7)));
        assert_eq!(kept.names("day-").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(kept.bytes("day-2").unwrap(), b"two");
        let all = kept.all("day-").unwrap();
        assert_eq!(
            all.iter().map(|(name, bytes)| (*name, &**bytes)).collect::<Vec<_>>(),
            [("1", &b"one"[..]), ("2", b"two")]
        );

        // The next hands one on and writes the other anew; until it is finished, what was there holds.
        let leaving = kept.begin().unwrap();
        kept.hand_on("day-1", &leaving);
        leaving.write("day-2", b"zwei");
        assert_eq!(Kept::of(root.path(), Some(&mark(7))).bytes("day-2").unwrap(), b"two");
        leaving.finish(mark(8)).unwrap();
        let kept = Kept::of(root.path(), Some(&mark(8)));
        assert_eq!(["day-1", "day-2"].map(|name| kept.bytes(name).unwrap()), [b"one".to_vec(), b"zwei".to_vec()]);
        assert_eq!(fs::read_dir(root.path().join(FOLDER)).unwrap().count(), 3, "two files and the list");
    }

    #[test]
    fn a_file_that_was_damaged_is_not_there() {
        let root = tempfile::tempdir().unwrap();
        let leaving = Kept::of(root.path(), None).begin().unwrap();
        leaving.write("day-1", b"one");
        leaving.finish(mark(7)).unwrap();
        fs::write(root.path().join(FOLDER).join("day-1.1"), b"ono").unwrap();
        let kept = Kept::of(root.path(), Some(&mark(7)));
        assert!(!kept.is_empty() && kept.bytes("day-1").is_none() && kept.all("day-").is_none());
    }
}
