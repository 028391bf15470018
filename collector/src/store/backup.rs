//! A backup: one file (tar, compressed by zstd) that holds what a store needs to go on, without its key.
//!
//! It is taken beside a running service, without its lock, and is consistent by the order in which things are read:
//! 1. the log: whatever was acknowledged before is in it, or committed already;
//! 2. the newest record of what belongs together, and those that are pinned;
//! 3. each table at one version: what was committed when it is read, so that rows which left the log after step 1 are in
//!    it. Rows that are in both are told by the sequence that the table carries, as after a crash. Facts are read at the
//!    version that the record names, whatever a refresh writes meanwhile.
//!
//! Files are never changed, and those that a table gives up stay for the grace time of the vacuum: a backup that takes
//! longer may find one gone, and then fails. The first entry says what it is, the last holds a checksum of every other.

use std::{
    collections::BTreeSet,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{FORMAT, Store, VersionRecord, absolute, checkpoint::entries_of, delta::failed, unavailable, versions};
use crate::{
    Error, ErrorKind,
    disk::{Disk, IfTaken, Staged, is_temporary},
    schema::Table,
};

/// The format of backups that this version writes, and the newest that it reads.
pub(super) const BACKUP_FORMAT: u32 = 1;
/// The first entry.
pub(super) const HEADER: &str = "gilbreth-backup.json";
/// The last entry.
pub(super) const CHECKSUMS: &str = "gilbreth-checksums.json";
/// Read and written at a time.
pub(super) const CHUNK_BYTES: usize = 1 << 20;
/// Most of a store's files are compressed already.
const LEVEL: i32 = 1;

/// What a backup is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) backup_format: u32,
    pub(super) store_format: u32,
    pub(super) estate: String,
    pub(super) taken_at_us: i64,
    /// By what the store's key is told from others; not the key.
    pub(super) key_check: Option<String>,
}

/// A file as the last entry lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sum {
    pub(super) path: String,
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

/// What a backup holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BackedUp {
    /// Files of the store.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// The newest version in it.
    pub version: Option<u64>,
}

impl Store {
    /// Writes a backup of the store to a file that is not there yet. Needs no lock.
    pub async fn backup(&self, tables: &[&Table], out: &Path, now_us: i64) -> Result<BackedUp, Error> {
        let out = absolute(out)?;
        let refused =
            |why: &str| Error::new(ErrorKind::Invalid, format!("{} cannot be the backup: {why}", out.display()));
        if out.starts_with(self.root()) {
            return Err(refused("it lies in the store"));
        }
        if self.disk().inspect(&out).is_ok() {
            return Err(refused("it is there already"));
        }
        let failed = |error| unavailable(&format!("the backup {} cannot be written", out.display()), error);
        let mut archive = Archive::begin(Arc::clone(self.disk()), &out).map_err(failed)?;
        let version = match self.fill(&mut archive, tables, now_us).await {
            Ok(version) => version,
            Err(error) => {
                archive.discard();
                return Err(error);
            }
        };
        let (files, bytes) = (archive.sums.len(), archive.sums.iter().map(|sum| sum.bytes).sum());
        archive.finish().map_err(failed)?;
        Ok(BackedUp { files, bytes, version })
    }

    async fn fill(&self, archive: &mut Archive, tables: &[&Table], now_us: i64) -> Result<Option<u64>, Error> {
        let (disk, root) = (self.disk().as_ref(), self.root());
        let unread = |error| unavailable(&format!("the store {} cannot be backed up", root.display()), error);
        let header = Header {
            backup_format: BACKUP_FORMAT,
            store_format: FORMAT,
            estate: self.manifest().estate.clone(),
            taken_at_us: now_us,
            key_check: self.key_check()?,
        };
        archive.json(HEADER, &header).map_err(unread)?;
        for segment in sorted(disk, &root.join("log"), ".log").map_err(unread)? {
            // One that has gone meanwhile is committed.
            archive.file_if_there(root, &segment).map_err(unread)?;
        }
        // Read after the log: only what is recorded by now fits what is committed by now.
        let records = self.records_to_keep()?;
        for table in tables {
            self.fill_table(archive, table, &records).await?;
        }
        for record in &records {
            archive.file(root, &root.join(format!("versions/{:08}.json", record.number))).map_err(unread)?;
            archive.file_if_there(root, &root.join(format!("versions/{:08}.pin", record.number))).map_err(unread)?;
        }
        archive.file_if_there(root, &root.join("versions/expired.json")).map_err(unread)?;
        for path in files_below(disk, &root.join("access")).map_err(unread)? {
            archive.file_if_there(root, &path).map_err(unread)?;
        }
        archive.file(root, &root.join("store.toml")).map_err(unread)?;
        Ok(records.last().map(|record| record.number))
    }

    /// The records that a backup has: the pinned ones that are whole, and the newest.
    fn records_to_keep(&self) -> Result<Vec<VersionRecord>, Error> {
        let pins = versions::pins(self.disk().as_ref(), self.root())?;
        let newest = self.latest_version()?;
        let mut kept = Vec::new();
        for number in pins.into_iter().filter(|&number| newest.as_ref().is_none_or(|newest| number < newest.number)) {
            // One that was unpinned, or lost rows, is not worth the failing.
            kept.extend(self.version(number).ok());
        }
        kept.extend(newest);
        Ok(kept)
    }

    async fn fill_table(&self, archive: &mut Archive, table: &Table, records: &[VersionRecord]) -> Result<(), Error> {
        let Some(newest) = self.newest(table).await? else { return Ok(()) };
        let named = |record: &VersionRecord| record.tables.get(table.name).copied();
        let mut versions: BTreeSet<u64> = BTreeSet::new();
        for record in records {
            let is_readable = self.gone_of(record)?.is_none_or(|(gone, _)| gone != table.name);
            versions.extend(named(record).filter(|_| is_readable));
        }
        let is_derived = table.folder.starts_with("facts/");
        let top = if is_derived { records.last().and_then(named) } else { newest.version() };
        // Facts that no record names are facts that no reader sees.
        let Some(top) = top else { return Ok(()) };
        versions.insert(top);
        let folder = self.root().join(table.folder);
        let mut names = BTreeSet::new();
        for &version in &versions {
            let at = self.at(table, version).await?;
            let state = at.snapshot().map_err(|error| failed(table, "be backed up", error))?;
            names.extend(state.log_data().iter().map(|file| file.path().into_owned()));
        }
        let unread = |error| {
            let why = "a file of it may have been vacuumed meanwhile; take the backup again, or raise grace_s";
            unavailable(&format!("the table {} cannot be backed up ({why})", table.name), error)
        };
        for path in self.entries_for(&folder.join("_delta_log"), &versions).map_err(unread)? {
            archive.file(self.root(), &path).map_err(unread)?;
        }
        for name in names {
            archive.file(self.root(), &folder.join(name)).map_err(unread)?;
        }
        Ok(())
    }

    /// The entries of a log by which these versions can be read, and none later.
    fn entries_for(&self, folder: &Path, versions: &BTreeSet<u64>) -> io::Result<Vec<PathBuf>> {
        let (Some(&first), Some(&last)) = (versions.first(), versions.last()) else { return Ok(Vec::new()) };
        let entries = entries_of(self.disk().as_ref(), folder)?;
        let from = entries.checkpoints.range(..=first).next_back().map_or(0, |(&version, _)| version);
        let commits = entries.commits.range(from..=last).map(|(_, entry)| entry.path.clone());
        let checkpoints = entries.checkpoints.range(from..=last).flat_map(|(_, paths)| paths.clone());
        Ok(commits.chain(checkpoints).collect())
    }
}

/// The files of a folder with this ending, by name.
fn sorted(disk: &dyn Disk, folder: &Path, end: &str) -> io::Result<Vec<PathBuf>> {
    let mut paths: Vec<PathBuf> = disk.list(folder)?.into_iter().map(|entry| entry.path).collect();
    paths.retain(|path| path.to_str().is_some_and(|name| name.ends_with(end)) && !is_temporary(path));
    paths.sort();
    Ok(paths)
}

/// Every file below a folder but for locks and temporary ones.
fn files_below(disk: &dyn Disk, folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in disk.list(&folder)? {
            if entry.is_folder {
                folders.push(entry.path);
            } else if !is_temporary(&entry.path) && !entry.path.ends_with("lock") {
                found.push(entry.path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The file on its way: it gets its name once it is whole and synced.
struct Archive {
    disk: Arc<dyn Disk>,
    tar: tar::Builder<zstd::Encoder<'static, io::BufWriter<Out>>>,
    sums: Vec<Sum>,
}

struct Out {
    disk: Arc<dyn Disk>,
    staged: Staged,
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.staged.append(self.disk.as_ref(), bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Archive {
    fn begin(disk: Arc<dyn Disk>, path: &Path) -> io::Result<Self> {
        let staged = Staged::create(disk.as_ref(), path)?;
        let out = io::BufWriter::with_capacity(CHUNK_BYTES, Out { disk: Arc::clone(&disk), staged });
        let mut encoder = zstd::Encoder::new(out, LEVEL)?;
        encoder.include_checksum(true)?;
        Ok(Self { disk, tar: tar::Builder::new(encoder), sums: Vec::new() })
    }

    /// Adds a text of our own, which is no file of the store.
    fn json(&mut self, name: &str, value: &impl Serialize) -> io::Result<()> {
        let text = serde_json::to_vec_pretty(value)?;
        self.tar.append_data(&mut header(text.len() as u64), name, text.as_slice())
    }

    /// Adds a file of the store as long as it is now.
    fn file(&mut self, root: &Path, path: &Path) -> io::Result<()> {
        let bytes = self.disk.inspect(path)?.size;
        let named = path.strip_prefix(root).ok().and_then(Path::to_str);
        let name = named.ok_or_else(|| io::Error::other(format!("{} cannot be named", path.display())))?;
        // Read once before anything is written, so that a file that is gone spoils nothing.
        let first = self.disk.read(path, Some(0..bytes.min(CHUNK_BYTES as u64)))?;
        let mut reader = Reader { disk: self.disk.as_ref(), path, at: 0, end: bytes, ready: first, sum: Sha256::new() };
        self.tar.append_data(&mut header(bytes), name, &mut reader)?;
        let sum = reader.sum.finalize();
        let sha256 = sum.iter().map(|byte| format!("{byte:02x}")).collect();
        self.sums.push(Sum { path: name.to_owned(), bytes, sha256 });
        Ok(())
    }

    fn file_if_there(&mut self, root: &Path, path: &Path) -> io::Result<()> {
        match self.file(root, path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    fn finish(mut self) -> io::Result<()> {
        let sums = std::mem::take(&mut self.sums);
        self.json(CHECKSUMS, &sums)?;
        let out = self.tar.into_inner()?.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok(out.staged.publish(out.disk.as_ref(), IfTaken::Fail)?)
    }

    /// Leaves no trace.
    fn discard(self) {
        if let Ok(out) = self.tar.into_inner().and_then(zstd::Encoder::finish).map(io::BufWriter::into_parts) {
            out.0.staged.discard(self.disk.as_ref());
        }
    }
}

fn header(bytes: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes);
    header.set_mode(0o600);
    header.set_entry_type(tar::EntryType::Regular);
    header
}

/// A file read in pieces, summed up on the way.
struct Reader<'a> {
    disk: &'a dyn Disk,
    path: &'a Path,
    at: u64,
    end: u64,
    ready: bytes::Bytes,
    sum: Sha256,
}

impl Read for Reader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at == self.end {
            return Ok(0);
        }
        if self.ready.is_empty() {
            let until = (self.at + CHUNK_BYTES as u64).min(self.end);
            self.ready = self.disk.read(self.path, Some(self.at..until))?;
        }
        if self.ready.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let length = into.len().min(self.ready.len());
        let part = self.ready.split_to(length);
        into[..length].copy_from_slice(&part);
        self.sum.update(&part);
        self.at += length as u64;
        Ok(length)
    }
}
