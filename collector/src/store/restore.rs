//! A store from a backup: whole, or not there.
//!
//! Files go to a folder beside the one that is to be, each through a temporary name and synced; once every checksum was
//! compared, that folder gets its name.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    path::{Component, Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::{
    FORMAT, absolute,
    backup::{BACKUP_FORMAT, CHECKSUMS, CHUNK_BYTES, HEADER, Header, Sum},
    unavailable,
};
use crate::{
    Error, ErrorKind,
    disk::{Disk, IfTaken, LocalDisk, Staged},
};

/// Texts of our own are no longer than this: a list of a million files.
const TEXT_BYTES_MAX: u64 = 256 << 20;

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// Files.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// The estate.
    pub estate: String,
    /// When the backup was taken, Unix microseconds.
    pub taken_at_us: i64,
    /// By what the key of the store is told from others; `None` if the store never had one.
    pub key_check: Option<String>,
    /// The newest version in it.
    pub version: Option<u64>,
}

/// Makes a store of a backup. The folder must be empty, or not there.
pub fn restore(backup: &Path, root: &Path) -> Result<Restored, Error> {
    let root = absolute(root)?;
    let taken = std::fs::read_dir(&root).is_ok_and(|mut entries| entries.next().is_some()) || root.is_file();
    if taken {
        return Err(Error::new(
            ErrorKind::Invalid,
            format!("{} is not empty: a store is restored to a folder of its own", root.display()),
        ));
    }
    let file =
        File::open(backup).map_err(|error| unavailable(&format!("{} cannot be read", backup.display()), error))?;
    let staging = staging_of(&root);
    let failed = |error| unavailable(&format!("{} cannot be restored to", root.display()), error);
    remove_folder(&staging).map_err(failed)?;
    LocalDisk.create_folder(&staging).map_err(failed)?;
    let restored = unpack(file, backup, &staging).and_then(|restored| {
        publish(&staging, &root).map_err(failed)?;
        Ok(restored)
    });
    restored.inspect_err(|_| {
        if let Err(error) = remove_folder(&staging) {
            tracing::warn!(path = %staging.display(), %error, "what was restored in part is left behind");
        }
    })
}

fn unpack(file: File, backup: &Path, staging: &Path) -> Result<Restored, Error> {
    let damaged = |why: &str| Error::new(ErrorKind::Corrupt, format!("the backup {}: {why}", backup.display()));
    let torn = |error: io::Error| damaged("it is damaged, or no backup").caused_by(error);
    let mut tar = tar::Archive::new(zstd::Decoder::new(file).map_err(torn)?);
    let mut header: Option<Header> = None;
    let mut found: BTreeMap<String, (u64, String)> = BTreeMap::new();
    let mut listed: Option<Vec<Sum>> = None;
    for entry in tar.entries().map_err(torn)? {
        let mut entry = entry.map_err(torn)?;
        let name = plain_name(&entry.path().map_err(torn)?).ok_or_else(|| damaged("it has a file without a place"))?;
        if listed.is_some() || !entry.header().entry_type().is_file() {
            return Err(damaged("it has what no backup has"));
        }
        match (&header, name.as_str()) {
            (None, HEADER) => header = Some(checked(json(&mut entry).map_err(torn)?, backup)?),
            (None, _) => return Err(damaged("it does not begin as a backup of a store does")),
            (Some(_), CHECKSUMS) => listed = Some(json(&mut entry).map_err(torn)?),
            (Some(_), _) => {
                let sum = write(&mut entry, &staging.join(&name), torn)?;
                found.insert(name, sum);
            }
        }
    }
    let header = header.ok_or_else(|| damaged("it is empty"))?;
    let listed = listed.ok_or_else(|| damaged("it ends too early"))?;
    let expected: BTreeMap<String, (u64, String)> =
        listed.into_iter().map(|sum| (sum.path, (sum.bytes, sum.sha256))).collect();
    if let Some((path, _)) = expected.iter().find(|(path, sum)| found.get(*path) != Some(*sum)) {
        return Err(damaged(&format!("{path} is not as it was")));
    }
    if found.len() > expected.len() {
        return Err(damaged("it has files that it does not list"));
    }
    // Recorded after the first entry was written, perhaps.
    let number = |name: &String| name.strip_prefix("versions/")?.strip_suffix(".json")?.parse::<u64>().ok();
    let newest = found.keys().filter_map(number).max();
    Ok(Restored {
        files: found.len(),
        bytes: found.values().map(|(bytes, _)| bytes).sum(),
        estate: header.estate,
        taken_at_us: header.taken_at_us,
        key_check: header.key_check,
        version: newest,
    })
}

/// Refuses what a newer gilbreth wrote.
fn checked(header: Header, backup: &Path) -> Result<Header, Error> {
    if header.backup_format <= BACKUP_FORMAT && header.store_format <= FORMAT {
        return Ok(header);
    }
    Err(Error::new(
        ErrorKind::Unavailable,
        format!(
            "the backup {} is of format {}, of a store of format {}, and this gilbreth reads {BACKUP_FORMAT} and {FORMAT}: \
             use a newer gilbreth",
            backup.display(),
            header.backup_format,
            header.store_format
        ),
    ))
}

/// A relative name that stays below where it is put.
fn plain_name(path: &Path) -> Option<String> {
    let is_plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    path.to_str().filter(|name| is_plain && !name.is_empty()).map(str::to_owned)
}

fn json<T: serde::de::DeserializeOwned>(from: &mut impl Read) -> io::Result<T> {
    let mut text = Vec::new();
    from.take(TEXT_BYTES_MAX).read_to_end(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}

/// Writes a file durably; gives its size and checksum.
fn write(from: &mut impl Read, path: &Path, torn: impl Fn(io::Error) -> Error) -> Result<(u64, String), Error> {
    let failed = |error| unavailable(&format!("{} cannot be written", path.display()), error);
    let mut staged = Staged::create(&LocalDisk, path).map_err(|unpublished| failed(unpublished.into()))?;
    let (mut sum, mut bytes, mut chunk) = (Sha256::new(), 0, vec![0; CHUNK_BYTES]);
    loop {
        let length = from.read(&mut chunk).map_err(&torn)?;
        if length == 0 {
            break;
        }
        staged.append(&LocalDisk, &chunk[..length]).map_err(failed)?;
        sum.update(&chunk[..length]);
        bytes += length as u64;
    }
    staged.publish(&LocalDisk, IfTaken::Fail).map_err(|error| failed(error.into()))?;
    let sum = sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((bytes, sum))
}

/// Gives the folder its name, durably.
fn publish(staging: &Path, root: &Path) -> io::Result<()> {
    if root.is_dir() {
        std::fs::remove_dir(root)?;
    }
    LocalDisk.rename(staging, root)?;
    LocalDisk.sync_folder(root.parent().unwrap_or(root))
}

fn staging_of(root: &Path) -> PathBuf {
    let name = root.file_name().unwrap_or_default().to_string_lossy();
    root.with_file_name(format!(".{name}.restoring"))
}

fn remove_folder(folder: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
