//! The one place that touches files, because an acknowledgement is only as good as the sync behind it.
//!
//! Both the log and the object store that Delta Lake writes through lie on [`Disk`]. Its two implementations are
//! [`LocalDisk`] and, in tests, a simulated one that loses what was never synced. What is absent on purpose: writing in
//! place. A file is appended to by whoever made it, or put whole; nothing is ever changed once it was synced.

use std::{
    fmt, io,
    ops::Range,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::SystemTime,
};

use bytes::Bytes;

mod local;
mod objects;
#[cfg(test)]
pub(crate) mod simulated;
#[cfg(test)]
mod tests;

pub use local::LocalDisk;
pub use objects::DiskObjects;

/// Files and folders, with syncing spelled out. Paths are absolute. Every call may block.
pub trait Disk: fmt::Debug + Send + Sync + 'static {
    /// Makes a new file for appending; fails with `AlreadyExists` if there is one. Its name is durable only after
    /// [`Disk::sync_folder`].
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Cuts a file to a length and syncs it.
    fn truncate(&self, path: &Path, length: u64) -> io::Result<()>;

    /// Makes a file durable as it is now, whoever wrote it: what a process that died had not synced can be read by the
    /// next one, and yet go with the power. What an earlier sync failed to write can no longer be read afterwards, as far
    /// as the system allows: its cache holds such bytes, takes them for written, and no later sync writes them.
    fn sync_file(&self, path: &Path) -> io::Result<()>;

    /// Reads a file, or a range of it (shortened where the file ends earlier).
    fn read(&self, path: &Path, range: Option<Range<u64>>) -> io::Result<Bytes>;

    /// Size and time of change of a file.
    fn inspect(&self, path: &Path) -> io::Result<Entry>;

    /// What is in a folder, in no order; nothing if the folder is not there.
    fn list(&self, folder: &Path) -> io::Result<Vec<Entry>>;

    /// Makes a folder and those above it, durably. No error if it is there, and durable then too: whoever made it may have
    /// died before it was.
    fn create_folder(&self, folder: &Path) -> io::Result<()>;

    /// Gives a file another name, replacing what has it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Gives a file a second name; fails with `AlreadyExists` if it is taken.
    fn link(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes the names in a folder durable.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;

    /// The scheme of addresses on this disk, by which Delta Lake and DataFusion tell stores apart.
    fn scheme(&self) -> &'static str;

    /// Takes the lock that a file stands for, and leaves this process's id in it.
    fn lock(&self, path: &Path) -> io::Result<Locked>;
}

/// A file being written by the one who made it.
pub trait DiskFile: fmt::Debug + Send {
    /// Appends.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Makes all that was appended durable (`fdatasync`). After an error nothing is known about what was appended since
    /// the last success, and trying again proves nothing.
    fn sync(&mut self) -> io::Result<()>;
}

/// A file or folder in a listing.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Where it is.
    pub path: PathBuf,
    /// Whether it is a folder.
    pub is_folder: bool,
    /// Its size in bytes.
    pub size: u64,
    /// When it was last changed.
    pub modified: SystemTime,
}

/// What came of asking for a lock.
#[derive(Debug)]
pub enum Locked {
    /// It is ours until this is dropped.
    Ours(Lock),
    /// Another process has it; its id, where it can be told.
    Theirs(Option<u32>),
}

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: Option<std::fs::File>,
}

/// What to do when a name is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfTaken {
    /// Replace it.
    Replace,
    /// Fail with `AlreadyExists`.
    Fail,
}

/// Puts a whole file, durably: afterwards it is there with all its bytes, or (on an error) as it was before, or there and
/// yet to vanish with the power.
pub fn put(disk: &dyn Disk, path: &Path, parts: &[Bytes], if_taken: IfTaken) -> io::Result<()> {
    Ok(stage_and_publish(disk, path, parts, if_taken)?)
}

/// The same; an error says how far it came.
pub(crate) fn stage_and_publish(
    disk: &dyn Disk,
    path: &Path,
    parts: &[Bytes],
    if_taken: IfTaken,
) -> Result<(), Unpublished> {
    let mut staged = Staged::create(disk, path)?;
    for part in parts {
        staged.append(disk, part).map_err(Unpublished::without_doubt)?;
    }
    staged.publish(disk, if_taken)
}

/// A file that is not known to be durably there.
#[derive(Debug)]
pub(crate) struct Unpublished {
    /// Whether a name was given, its own or that of a folder: it can be seen, and may still vanish with the power.
    pub(crate) in_doubt: bool,
    pub(crate) error: io::Error,
}

impl Unpublished {
    /// Nothing was named.
    pub(crate) const fn without_doubt(error: io::Error) -> Self {
        Self { in_doubt: false, error }
    }

    /// Something may have been.
    pub(crate) const fn in_doubt(error: io::Error) -> Self {
        Self { in_doubt: true, error }
    }
}

impl From<Unpublished> for io::Error {
    fn from(unpublished: Unpublished) -> Self {
        unpublished.error
    }
}

/// A file under its temporary name, on its way to [`Staged::publish`].
#[derive(Debug)]
pub(crate) struct Staged {
    file: Box<dyn DiskFile>,
    temporary: PathBuf,
    path: PathBuf,
}

impl Staged {
    /// Starts a file beside the name that it is to get, making folders as needed.
    pub(crate) fn create(disk: &dyn Disk, path: &Path) -> Result<Self, Unpublished> {
        let temporary = temporary_beside(path);
        let file = match disk.create(&temporary) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                disk.create_folder(folder_of(path)).map_err(Unpublished::in_doubt)?;
                disk.create(&temporary)
            }
            other => other,
        };
        let file = file.map_err(Unpublished::without_doubt)?;
        Ok(Self { file, temporary, path: path.to_owned() })
    }

    /// Appends; on an error the temporary file is removed as far as that works.
    pub(crate) fn append(&mut self, disk: &dyn Disk, bytes: &[u8]) -> io::Result<()> {
        self.file.append(bytes).inspect_err(|_| self.discard(disk))
    }

    /// Syncs the file, gives it its name, and syncs the folder.
    pub(crate) fn publish(mut self, disk: &dyn Disk, if_taken: IfTaken) -> Result<(), Unpublished> {
        self.file.sync().inspect_err(|_| self.discard(disk)).map_err(Unpublished::without_doubt)?;
        let named = match if_taken {
            IfTaken::Replace => disk.rename(&self.temporary, &self.path).inspect_err(|_| self.discard(disk)),
            IfTaken::Fail => {
                let linked = disk.link(&self.temporary, &self.path);
                self.discard(disk);
                linked
            }
        };
        named.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Unpublished::without_doubt(error),
            _ => Unpublished::in_doubt(error),
        })?;
        disk.sync_folder(folder_of(&self.path)).map_err(Unpublished::in_doubt)
    }

    /// Removes the temporary file. One that stays is swept when the store is next locked.
    pub(crate) fn discard(&self, disk: &dyn Disk) {
        if let Err(error) = disk.remove(&self.temporary) {
            tracing::debug!(path = %self.temporary.display(), %error, "temporary file left behind");
        }
    }
}

/// Whether a name is one that [`put`] gives to files on their way.
#[must_use]
pub fn is_temporary(path: &Path) -> bool {
    path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with('.') && name.ends_with(".tmp"))
}

fn temporary_beside(path: &Path) -> PathBuf {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}-{number}.tmp", std::process::id()))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}
