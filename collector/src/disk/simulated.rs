//! A disk in memory that forgets, as real ones do, what was not synced.
//!
//! After a given number of changes it "loses power": every call fails until [`SimulatedDisk::reboot`], which keeps a
//! random part of what was never synced. [`SimulatedDisk::kill`] ends the process alone: all that was written can still
//! be read, and what was not synced is still not. Names are kept or lost by folder in the order in which they were given,
//! bytes by file from the front, and the last of the bytes kept may be garbage. Which part is kept depends on the seed
//! alone.
//!
//! Syncs can be made to fail. As on real systems, what a file's sync failed to write stays readable and is taken for
//! written: no later sync through the same file writes it, and it goes with the power, or when it is read from the device.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    ops::Range,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use bytes::Bytes;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Disk, DiskFile, Entry, Lock, Locked, folder_of};

/// A handle that is good until the next loss of power.
#[derive(Debug, Clone)]
pub(crate) struct SimulatedDisk {
    state: Arc<Mutex<State>>,
    life: u64,
}

#[derive(Debug)]
struct State {
    random: ChaCha8Rng,
    life: u64,
    files: Vec<File>,
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    /// Changes of names that were not synced, in order.
    unsynced: Vec<Change>,
    /// Each with whether its own name is durable.
    folders: BTreeMap<PathBuf, bool>,
    changes_left: Option<u64>,
    bytes_left: Option<usize>,
    syncs_to_fail: u64,
    folder_sync_fails: Option<io::ErrorKind>,
    missed: Option<PathBuf>,
}

#[derive(Debug, Default)]
struct File {
    bytes: Vec<u8>,
    synced: usize,
    /// What a sync failed to write, below `synced` or not.
    unwritten: Vec<Range<usize>>,
}

impl File {
    fn sync(&mut self, fails: bool) -> io::Result<()> {
        if fails {
            self.unwritten.push(self.synced..self.bytes.len());
        }
        self.synced = self.bytes.len();
        if fails { Err(io::Error::other("simulated failure of a sync")) } else { Ok(()) }
    }

    /// Shows what is on the device.
    fn forget_cached(&mut self) {
        for range in self.unwritten.drain(..) {
            self.bytes[range].fill(0);
        }
    }

    fn truncate(&mut self, length: usize) {
        self.bytes.truncate(length);
        self.synced = self.synced.min(length);
        for range in &mut self.unwritten {
            *range = range.start.min(length)..range.end.min(length);
        }
    }
}

#[derive(Debug, Clone)]
enum Change {
    Name(PathBuf, usize),
    Unname(PathBuf),
}

impl Change {
    fn folder(&self) -> &Path {
        match self {
            Self::Name(path, _) | Self::Unname(path) => folder_of(path),
        }
    }
}

/// The seeds that a search tries: 60, or what `GILBRETH_SEEDS` says, which is how many or a range (`500..1000`).
pub(crate) fn seeds() -> Range<u64> {
    let Ok(said) = std::env::var("GILBRETH_SEEDS") else { return 0..60 };
    let (from, to) = said.split_once("..").unwrap_or(("0", &said));
    let number = |text: &str| text.parse().unwrap_or_else(|_| panic!("GILBRETH_SEEDS is {said}: no number, no range"));
    number(from)..number(to)
}

impl SimulatedDisk {
    pub(crate) fn new(seed: u64) -> Self {
        let state = State {
            random: ChaCha8Rng::seed_from_u64(seed),
            life: 0,
            files: Vec::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            unsynced: Vec::new(),
            folders: BTreeMap::new(),
            changes_left: None,
            bytes_left: None,
            syncs_to_fail: 0,
            folder_sync_fails: None,
            missed: None,
        };
        Self { state: Arc::new(Mutex::new(state)), life: 0 }
    }

    /// Loses power after so many more changes.
    pub(crate) fn lose_power_after(&self, changes: u64) {
        self.lock().changes_left = Some(changes);
    }

    /// Has room for so many more bytes; None is no bound.
    pub(crate) fn fill_up_after(&self, bytes: Option<usize>) {
        self.lock().bytes_left = bytes;
    }

    /// The next syncs fail, of files and of folders.
    pub(crate) fn fail_syncs(&self, count: u64) {
        self.lock().syncs_to_fail = count;
    }

    /// Whether it has not lost power.
    pub(crate) fn has_power(&self) -> bool {
        self.look().is_ok()
    }

    /// From now on names cannot be made durable, or can again.
    pub(crate) fn fail_folder_syncs(&self, with: Option<io::ErrorKind>) {
        self.lock().folder_sync_fails = with;
    }

    /// The next reading of a file finds it missing, as if it had been removed after it was listed.
    pub(crate) fn miss_once(&self, path: &Path) {
        self.lock().missed = Some(path.to_owned());
    }

    /// Every file that can be seen.
    pub(crate) fn files(&self) -> BTreeSet<PathBuf> {
        self.lock().names.keys().cloned().collect()
    }

    /// Changes a byte of a file behind everybody's back.
    pub(crate) fn damage(&self, path: &Path, offset: usize) {
        let mut state = self.lock();
        let file = state.names[path];
        state.files[file].bytes[offset] ^= 0x40;
    }

    /// The process ends, the power stays: everything as it was written, on a new handle. Handles and files of before stay
    /// dead.
    pub(crate) fn kill(&self) -> Self {
        let mut state = self.lock();
        state.changes_left = None;
        state.syncs_to_fail = 0;
        state.life += 1;
        Self { state: Arc::clone(&self.state), life: state.life }
    }

    /// Power comes back: what is left, on a new handle. Handles and files of before stay dead.
    pub(crate) fn reboot(&self) -> Self {
        let mut state = self.lock();
        let state = &mut *state;
        let mut names = std::mem::take(&mut state.durable_names);
        let folders: BTreeSet<PathBuf> = state.unsynced.iter().map(|change| change.folder().to_owned()).collect();
        for folder in folders {
            let changes: Vec<Change> =
                state.unsynced.iter().filter(|change| change.folder() == folder).cloned().collect();
            let kept = state.random.random_range(0..=changes.len());
            for change in &changes[..kept] {
                apply(&mut names, change);
            }
        }
        for file in &mut state.files {
            let kept = state.random.random_range(file.synced..=file.bytes.len());
            file.bytes.truncate(kept);
            let garbage = kept - file.synced;
            if garbage > 0 && state.random.random_bool(0.5) {
                let from = file.synced + state.random.random_range(0..garbage);
                state.random.fill(&mut file.bytes[from..]);
            }
            file.synced = kept;
            file.truncate(kept);
            file.forget_cached();
        }
        let lost: Vec<PathBuf> =
            state.folders.iter().filter(|(_, durable)| !**durable).map(|(path, _)| path.clone()).collect();
        for folder in lost {
            // A folder goes with everything in it.
            if state.random.random_bool(0.5) {
                names.retain(|path, _| !path.starts_with(&folder));
                state.folders.retain(|path, _| !path.starts_with(&folder));
            }
        }
        state.folders.values_mut().for_each(|durable| *durable = true);
        state.syncs_to_fail = 0;
        state.unsynced.clear();
        state.durable_names.clone_from(&names);
        state.names = names;
        state.changes_left = None;
        state.life += 1;
        Self { state: Arc::clone(&self.state), life: state.life }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state for a change, if there is power.
    fn change(&self) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.look()?;
        match &mut state.changes_left {
            Some(0) => Err(no_power()),
            Some(left) => {
                *left -= 1;
                Ok(state)
            }
            None => Ok(state),
        }
    }

    /// The state for looking at, if there is power.
    fn look(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.lock();
        if state.life != self.life || state.changes_left == Some(0) { Err(no_power()) } else { Ok(state) }
    }
}

impl State {
    fn file(&self, path: &Path) -> io::Result<usize> {
        self.names.get(path).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Whether the next sync fails.
    fn sync_fails(&mut self) -> bool {
        let fails = self.syncs_to_fail > 0;
        self.syncs_to_fail -= u64::from(fails);
        fails
    }

    fn record(&mut self, change: Change) {
        apply(&mut self.names, &change);
        self.unsynced.push(change);
    }

    fn entry(&self, path: &Path, file: usize) -> Entry {
        let size = self.files[file].bytes.len() as u64;
        Entry { path: path.to_owned(), is_folder: false, size, modified: SystemTime::UNIX_EPOCH }
    }
}

impl Disk for SimulatedDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.change()?;
        if !state.folders.contains_key(folder_of(path)) {
            return Err(io::ErrorKind::NotFound.into());
        }
        if state.names.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        state.files.push(File::default());
        let file = state.files.len() - 1;
        state.record(Change::Name(path.to_owned(), file));
        Ok(Box::new(Open { disk: self.clone(), file }))
    }

    fn truncate(&self, path: &Path, length: u64) -> io::Result<()> {
        let mut state = self.change()?;
        let file = state.file(path)?;
        let fails = state.sync_fails();
        let file = &mut state.files[file];
        file.truncate(length as usize);
        file.sync(fails)
    }

    fn sync_file(&self, path: &Path) -> io::Result<()> {
        let mut state = self.change()?;
        let file = state.file(path)?;
        let fails = state.sync_fails();
        let file = &mut state.files[file];
        file.sync(fails)?;
        file.forget_cached();
        Ok(())
    }

    fn read(&self, path: &Path, range: Option<Range<u64>>) -> io::Result<Bytes> {
        let mut state = self.look()?;
        if state.missed.take_if(|missed| missed == path).is_some() {
            return Err(io::ErrorKind::NotFound.into());
        }
        let bytes = &state.files[state.file(path)?].bytes;
        let range = range.unwrap_or(0..bytes.len() as u64);
        let end = (range.end as usize).min(bytes.len());
        Ok(Bytes::copy_from_slice(&bytes[(range.start as usize).min(end)..end]))
    }

    fn inspect(&self, path: &Path) -> io::Result<Entry> {
        let state = self.look()?;
        Ok(state.entry(path, state.file(path)?))
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<Entry>> {
        let state = self.look()?;
        let folders = state.folders.keys().filter(|path| path.parent() == Some(folder)).map(|path| Entry {
            path: path.clone(),
            is_folder: true,
            size: 0,
            modified: SystemTime::UNIX_EPOCH,
        });
        let files = state
            .names
            .iter()
            .filter(|(path, _)| path.parent() == Some(folder))
            .map(|(path, file)| state.entry(path, *file));
        Ok(folders.chain(files).collect())
    }

    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        let mut state = self.change()?;
        let fails = state.sync_fails();
        for folder in folder.ancestors() {
            let durable = state.folders.entry(folder.to_owned()).or_default();
            *durable |= !fails || folder.parent().is_none();
        }
        if fails { Err(io::Error::other("simulated failure of a sync")) } else { Ok(()) }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.change()?;
        let file = state.file(from)?;
        state.record(Change::Name(to.to_owned(), file));
        state.record(Change::Unname(from.to_owned()));
        Ok(())
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.change()?;
        let file = state.file(from)?;
        if state.names.contains_key(to) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        state.record(Change::Name(to.to_owned(), file));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.change()?;
        state.file(path)?;
        state.record(Change::Unname(path.to_owned()));
        Ok(())
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        let mut state = self.change()?;
        let state = &mut *state;
        if let Some(kind) = state.folder_sync_fails {
            return Err(kind.into());
        }
        if state.sync_fails() {
            return Err(io::Error::other("simulated failure of a sync"));
        }
        for (path, durable) in &mut state.folders {
            *durable |= path.parent() == Some(folder);
        }
        let (synced, rest): (Vec<_>, Vec<_>) =
            std::mem::take(&mut state.unsynced).into_iter().partition(|change| change.folder() == folder);
        for change in &synced {
            apply(&mut state.durable_names, change);
        }
        state.unsynced = rest;
        Ok(())
    }

    fn scheme(&self) -> &'static str {
        // Delta Lake looks for the folder of a `file` address on the real disk.
        "memory"
    }

    fn lock(&self, _: &Path) -> io::Result<Locked> {
        drop(self.look()?);
        Ok(Locked::Ours(Lock { _file: None }))
    }
}

#[derive(Debug)]
struct Open {
    disk: SimulatedDisk,
    file: usize,
}

impl DiskFile for Open {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.disk.change()?;
        let room = state.bytes_left.unwrap_or(usize::MAX);
        let written = bytes.len().min(room);
        state.files[self.file].bytes.extend_from_slice(&bytes[..written]);
        if let Some(left) = &mut state.bytes_left {
            *left -= written;
        }
        if written < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.disk.change()?;
        let fails = state.sync_fails();
        state.files[self.file].sync(fails)
    }
}

fn apply(names: &mut BTreeMap<PathBuf, usize>, change: &Change) {
    match change {
        Change::Name(path, file) => {
            names.insert(path.clone(), *file);
        }
        Change::Unname(path) => {
            names.remove(path);
        }
    }
}

fn no_power() -> io::Error {
    io::Error::other("simulated loss of power")
}
