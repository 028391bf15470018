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

/// Writes what was sent on a day to `folder/DATE.pb`, and returns that path. The folder is made if need be. The file
/// has its name only once it is whole.
///
/// # Errors
/// When the folder cannot be made, or the file cannot be written.
pub fn write_day(day: &Day, folder: &Path) -> Result<PathBuf, FilesError> {
    let path = folder.join(format!("{}.pb", day.date));
    let write = || -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let unfinished = path.with_extension("pb.part");
        let mut file = io::BufWriter::new(fs::File::create(&unfinished)?);
        for body in day.exports().bodies(MESSAGE_BYTES) {
            let mut length = Vec::with_capacity(5);
            encode_varint(body.bytes.len() as u64, &mut length);
            file.write_all(&length)?;
            file.write_all(&body.bytes)?;
        }
        file.flush()?;
        fs::rename(&unfinished, &path)
    };
    match write() {
        Ok(()) => Ok(path),
        Err(source) => Err(FilesError { path, source }),
    }
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;
    use crate::otlp::spans_of;
    use crate::{Estate, Options, simulate};

    #[test]
    fn a_file_holds_the_day_as_length_delimited_requests() {
        let options = Options { staff: 20, weeks: 1, ..Options::default() };
        let folder = tempfile::tempdir().unwrap();
        let day = simulate(&Estate::probation(), &options).unwrap().next().unwrap();
        let path = write_day(&day, folder.path()).unwrap();
        assert_eq!(path.file_name().unwrap(), "2026-10-05.pb");
        let bytes = fs::read(&path).unwrap();
        let (mut rest, mut spans, mut messages) = (bytes.as_slice(), 0, 0);
        while !rest.is_empty() {
            let request =
                opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest::decode_length_delimited(
                    &mut rest,
                )
                .unwrap();
            spans += spans_of(&request);
            messages += 1;
        }
        assert_eq!(spans, day.spans());
        assert!(messages > 1);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(write_day(&day, &path).unwrap_err().to_string().contains("2026-10-05.pb"));
    }
}
