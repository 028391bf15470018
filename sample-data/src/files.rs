//! A simulation as files: one of length-delimited OTLP for each day, which `gilbreth ingest` reads.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use prost::encoding::encode_varint;

use crate::simulate::Day;

/// About so many bytes are in one message of a file.
const MESSAGE_BYTES: usize = 1 << 20;

/// A file could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the telemetry cannot be written to {}", path.display())]
pub struct FilesError {
    path: PathBuf,
    source: io::Error,
}

/// Writes what was sent on a day to `folder/DATE.pb`, and returns that path. The folder is made if need be.
///
/// # Errors
/// When the folder cannot be made, or the file cannot be written.
pub fn write_day(day: &Day, folder: &Path) -> Result<PathBuf, FilesError> {
    let path = folder.join(format!("{}.pb", day.date));
    let write = || -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let mut file = io::BufWriter::new(fs::File::create(&path)?);
        for body in day.exports().bodies(MESSAGE_BYTES) {
            let mut length = Vec::with_capacity(5);
            encode_varint(body.bytes.len() as u64, &mut length);
            file.write_all(&length)?;
            file.write_all(&body.bytes)?;
        }
        file.flush()
    };
    match write() {
        Ok(()) => Ok(path),
        Err(source) => Err(FilesError { path, source }),
    }
}
