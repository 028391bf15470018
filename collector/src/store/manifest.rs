//! `store.toml`: what a store is, before anything in it is read.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{FORMAT, unavailable};
use crate::{
    Error, ErrorKind,
    disk::{Disk, IfTaken, put},
};

/// `store.toml`.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// Format number; a newer one is refused.
    pub format: u32,
    /// The estate's name.
    pub estate: String,
    /// Local time of the workers.
    pub time_zone: chrono_tz::Tz,
}

/// The file as it lies there.
#[derive(Debug, Serialize, Deserialize)]
struct File {
    format: u32,
    estate: String,
    time_zone: String,
    /// Chosen at random, once: names this store's collector in the tables' transactions.
    collector: String,
    /// A digest by the store's key, which tells that key from any other. Absent until the first key was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key_check: Option<String>,
}

/// Just enough to know whether the rest can be understood.
#[derive(Debug, Deserialize)]
struct FormatOnly {
    format: u32,
}

/// Reads the manifest and the collector's name; `None` if there is no store.
pub(super) fn read(disk: &dyn Disk, root: &Path) -> Result<Option<(Manifest, String)>, Error> {
    let Some(file) = file(disk, root)? else { return Ok(None) };
    let time_zone = file.time_zone.parse().map_err(|_| {
        let path = root.join("store.toml");
        Error::new(ErrorKind::Corrupt, format!("{}: there is no time zone {:?}", path.display(), file.time_zone))
    })?;
    Ok(Some((Manifest { format: file.format, estate: file.estate, time_zone }, file.collector)))
}

/// What the store knows of its key.
pub(super) fn key_check(disk: &dyn Disk, root: &Path) -> Result<Option<String>, Error> {
    Ok(file(disk, root)?.and_then(|file| file.key_check))
}

/// Notes it. Only whoever holds the lock may.
pub(super) fn note_key(disk: &dyn Disk, root: &Path, check: &str) -> Result<(), Error> {
    let path = root.join("store.toml");
    let failed = |error| unavailable(&format!("{} cannot be written", path.display()), error);
    let file = file(disk, root)?.ok_or_else(|| failed(std::io::ErrorKind::NotFound.into()))?;
    let text = text(&File { key_check: Some(check.to_owned()), ..file })?;
    put(disk, &path, &[text.into()], IfTaken::Replace).map_err(failed)
}

fn text(file: &File) -> Result<String, Error> {
    toml::to_string(file)
        .map_err(|error| Error::new(ErrorKind::Internal, "the manifest cannot be written as TOML").caused_by(error))
}

fn file(disk: &dyn Disk, root: &Path) -> Result<Option<File>, Error> {
    let path = root.join("store.toml");
    let corrupt = |why: String| Error::new(ErrorKind::Corrupt, format!("{}: {why}", path.display()));
    let Some((format, text)) = text_of_known_format(disk, root)? else { return Ok(None) };
    if format < FORMAT {
        return Err(Error::new(
            ErrorKind::Unavailable,
            format!(
                "the store {0} is of format {format}, and this gilbreth works with format {FORMAT}: run `gilbreth \
                 migrate --store {0}`",
                root.display()
            ),
        ));
    }
    toml::from_str(&text).map(Some).map_err(|error| corrupt(error.message().to_owned()))
}

/// The number of a store's format, if it is none that is yet to come, and the text of its manifest; `None` if there is no
/// store.
pub(super) fn text_of_known_format(disk: &dyn Disk, root: &Path) -> Result<Option<(u32, String)>, Error> {
    let path = root.join("store.toml");
    let bytes = match disk.read(&path, None) {
        Ok(bytes) => bytes,
        Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(unavailable(&format!("{} cannot be read", path.display()), error)),
    };
    let corrupt = |why: String| Error::new(ErrorKind::Corrupt, format!("{}: {why}", path.display()));
    let text = std::str::from_utf8(&bytes).map_err(|_| corrupt("it is not text".to_owned()))?;
    let FormatOnly { format } = toml::from_str(text).map_err(|error| corrupt(error.message().to_owned()))?;
    if format > FORMAT {
        return Err(Error::new(
            ErrorKind::Unavailable,
            format!(
                "the store {} is of format {format}, and this gilbreth reads formats up to {FORMAT}: use a newer gilbreth",
                root.display()
            ),
        ));
    }
    Ok(Some((format, text.to_owned())))
}

/// Makes the folder and its manifest. If another process was faster, its manifest stays.
pub(super) fn create(disk: &dyn Disk, root: &Path, manifest: Manifest) -> Result<(), Error> {
    let failed = |error| unavailable(&format!("no store can be made at {}", root.display()), error);
    let mut name = [0_u8; 16];
    getrandom::fill(&mut name).map_err(|error| {
        Error::new(ErrorKind::Unavailable, "the system gives no random numbers").caused_by(error.to_string())
    })?;
    let file = File {
        format: FORMAT,
        estate: manifest.estate,
        time_zone: manifest.time_zone.name().to_owned(),
        collector: format!("{:032x}", u128::from_be_bytes(name)),
        key_check: None,
    };
    let text = text(&file)?;
    disk.create_folder(root).map_err(failed)?;
    match put(disk, &root.join("store.toml"), &[text.into()], IfTaken::Fail) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(failed(error)),
        _ => Ok(()),
    }
}
