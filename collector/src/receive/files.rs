//! OTLP from files: the same exports that come over the network, one after another.
//!
//! `.pb` holds trace exports, each with its length before it (a varint, as protocol buffers' own delimited form has it);
//! `.json` one export, `.jsonl` one a line, of traces or logs; `.gz` or `.zst` after either is unpacked on the way. Only
//! one export at a time is in memory.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use serde::de::IgnoredAny;

use super::compression::Compression;
use crate::{
    Error, ErrorKind,
    decode::{Decoded, Encoding, Signal, decode},
};

/// A record longer than this is refused, as a request would be.
const RECORD_BYTES_MAX: usize = 64 << 20;

/// The exports of one file, in order. After an error of framing there is no next; a record that is malformed in itself is
/// an error in its place and the rest goes on.
pub struct Exports {
    path: PathBuf,
    reader: Box<dyn BufRead + Send>,
    form: Form,
    record: u64,
    ended: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Delimited,
    Json,
    JsonLines,
}

impl std::fmt::Debug for Exports {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Exports")
            .field("path", &self.path)
            .field("record", &self.record)
            .finish_non_exhaustive()
    }
}

impl Exports {
    /// Opens a file; its name says what it holds.
    ///
    /// # Errors
    /// If it is not there, or its name ends in none of the known ways.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let (plain, compression) = match (name.strip_suffix(".gz"), name.strip_suffix(".zst")) {
            (Some(plain), _) => (plain, Compression::Gzip),
            (_, Some(plain)) => (plain, Compression::Zstd),
            _ => (name.as_str(), Compression::None),
        };
        let form = match plain.rsplit_once('.').map(|(_, extension)| extension) {
            Some("pb") => Form::Delimited,
            Some("json") => Form::Json,
            Some("jsonl" | "ndjson") => Form::JsonLines,
            _ => {
                let message = format!("{}: not .pb, .json or .jsonl (with .gz or .zst)", path.display());
                return Err(Error::new(ErrorKind::Invalid, message));
            }
        };
        let cannot =
            |error| Error::new(ErrorKind::Unavailable, format!("cannot read {}", path.display())).caused_by(error);
        let file = File::open(path).map_err(cannot)?;
        let reader = compression.reader(BufReader::with_capacity(1 << 16, file)).map_err(cannot)?;
        Ok(Self {
            path: path.to_owned(),
            reader: Box::new(BufReader::with_capacity(1 << 16, reader)),
            form,
            record: 0,
            ended: false,
        })
    }

    fn read(&mut self) -> Result<Option<Decoded>, Error> {
        let bytes = match self.form {
            Form::Delimited => self.delimited()?,
            Form::JsonLines => self.line()?,
            Form::Json => self.whole()?,
        };
        let Some(bytes) = bytes else { return Ok(None) };
        let (signal, encoding) = match self.form {
            Form::Delimited => (Signal::Traces, Encoding::Protobuf),
            Form::Json | Form::JsonLines => (signal_of(&bytes), Encoding::Json),
        };
        let decoded = decode(signal, encoding, &bytes).map_err(|error| self.wrong("is malformed").caused_by(error))?;
        if encoding == Encoding::Json && decoded.resources == 0 && is_something_else(&bytes) {
            return Err(self.wrong("holds neither resourceSpans nor resourceLogs: is it the right file?"));
        }
        Ok(Some(decoded))
    }

    fn delimited(&mut self) -> Result<Option<Vec<u8>>, Error> {
        if self.at_end()? {
            return Ok(None);
        }
        self.record += 1;
        let mut length: u64 = 0;
        for shift in (0..).step_by(7) {
            let mut byte = [0];
            self.reader.read_exact(&mut byte).map_err(|error| self.broken(error))?;
            length |= u64::from(byte[0] & 0x7f) << shift;
            if byte[0] & 0x80 == 0 {
                break;
            }
            if shift >= 56 {
                return Err(self.end("has no length"));
            }
        }
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > RECORD_BYTES_MAX {
            return Err(self.end("is longer than 64 MiB"));
        }
        let mut bytes = vec![0; length];
        self.reader.read_exact(&mut bytes).map_err(|error| self.broken(error))?;
        Ok(Some(bytes))
    }

    fn line(&mut self) -> Result<Option<Vec<u8>>, Error> {
        loop {
            let mut bytes = Vec::new();
            let limit = RECORD_BYTES_MAX as u64 + 1;
            let read = self.reader.by_ref().take(limit).read_until(b'\n', &mut bytes);
            if read.map_err(|error| self.broken(error))? == 0 {
                return Ok(None);
            }
            self.record += 1;
            if bytes.len() > RECORD_BYTES_MAX {
                return Err(self.end("is longer than 64 MiB"));
            }
            if !bytes.trim_ascii().is_empty() {
                return Ok(Some(bytes));
            }
        }
    }

    fn whole(&mut self) -> Result<Option<Vec<u8>>, Error> {
        self.ended = true;
        self.record = 1;
        let mut bytes = Vec::new();
        let limit = RECORD_BYTES_MAX as u64 + 1;
        self.reader.by_ref().take(limit).read_to_end(&mut bytes).map_err(|error| self.broken(error))?;
        if bytes.len() > RECORD_BYTES_MAX { Err(self.end("is longer than 64 MiB")) } else { Ok(Some(bytes)) }
    }

    fn at_end(&mut self) -> Result<bool, Error> {
        match self.reader.fill_buf() {
            Ok(buffer) => Ok(buffer.is_empty()),
            Err(error) => Err(self.broken(error)),
        }
    }

    fn wrong(&self, what: &str) -> Error {
        Error::new(ErrorKind::Invalid, format!("{}: record {} {what}", self.path.display(), self.record))
    }

    fn end(&mut self, what: &str) -> Error {
        self.ended = true;
        self.wrong(what)
    }

    fn broken(&mut self, error: std::io::Error) -> Error {
        self.end("is cut short or cannot be read").caused_by(error)
    }
}

impl Iterator for Exports {
    type Item = Result<Decoded, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended { None } else { self.read().transpose() }
    }
}

/// Which signal a JSON export is: by its first key, which is the only one at that depth.
fn signal_of(bytes: &[u8]) -> Signal {
    let head = &bytes[..bytes.len().min(256)];
    let is_logs = head.windows(14).any(|window| window == br#""resourceLogs""#);
    if is_logs { Signal::Logs } else { Signal::Traces }
}

/// Whether an export of nothing has other keys: metrics, or no OTLP at all.
fn is_something_else(bytes: &[u8]) -> bool {
    let keys: Result<BTreeMap<String, IgnoredAny>, _> = serde_json::from_slice(bytes);
    keys.is_ok_and(|keys| {
        !keys.is_empty() && !["resourceSpans", "resourceLogs"].iter().any(|key| keys.contains_key(*key))
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use opentelemetry_proto::tonic::{
        collector::trace::v1::ExportTraceServiceRequest,
        trace::v1::{ResourceSpans, ScopeSpans, Span},
    };
    use prost::Message;

    use super::*;

    fn export(spans: usize) -> ExportTraceServiceRequest {
        let scope_spans = vec![ScopeSpans { spans: vec![Span::default(); spans], ..ScopeSpans::default() }];
        ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }] }
    }

    fn read(name: &str, bytes: &[u8]) -> Vec<Result<usize, String>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let shown = folder.path().display().to_string();
        Exports::open(&path)
            .unwrap()
            .map(|export| export.map(|decoded| decoded.spans()).map_err(|error| error.to_string().replace(&shown, "")))
            .collect()
    }

    #[test]
    fn every_form_is_read() {
        let mut delimited = Vec::new();
        for spans in [2, 300, 0] {
            delimited.extend(export(spans).encode_length_delimited_to_vec());
        }
        assert_eq!(read("a.pb", &delimited), [Ok(2), Ok(300), Ok(0)]);
        let zstd = zstd::encode_all(delimited.as_slice(), 1).unwrap();
        assert_eq!(read("a.pb.zst", &zstd), [Ok(2), Ok(300), Ok(0)]);
        assert_eq!(read("a.pb", b""), []);
        let json = serde_json::to_string(&export(2)).unwrap();
        assert_eq!(read("A.JSON", json.as_bytes()), [Ok(2)]);
        let click = r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"eventName":"app.widget.click"}]}]}]}"#;
        assert_eq!(read("a.jsonl", format!("{json}\n\n{click}").as_bytes()), [Ok(2), Ok(1)]);
    }

    #[test]
    fn what_is_wrong_is_named_by_file_and_record() {
        let mut cut = export(2).encode_length_delimited_to_vec();
        cut.extend(&export(2).encode_length_delimited_to_vec()[..3]);
        assert_eq!(read("a.pb", &cut), [Ok(2), Err("/a.pb: record 2 is cut short or cannot be read".to_owned())]);
        assert_eq!(read("a.pb", &[0xff; 12]), [Err("/a.pb: record 1 has no length".to_owned())]);
        let lines = read("a.jsonl", b"{}\nnonsense\n{}\n");
        assert_eq!(lines, [Ok(0), Err("/a.jsonl: record 2 is malformed".to_owned()), Ok(0)]);
        for other in [r#"{"resourceMetrics":[]}"#, r#"{"name":"x"}"#] {
            let why = "/a.json: record 1 holds neither resourceSpans nor resourceLogs: is it the right file?";
            assert_eq!(read("a.json", other.as_bytes()), [Err(why.to_owned())]);
        }
        assert_eq!(read("a.json", br#"{"resourceSpans":[]}"#), [Ok(0)]);
        assert_eq!(read("a.json.gz", b"{}").len(), 1);
        assert!(Exports::open(Path::new("/nowhere/a.pb")).unwrap_err().to_string().contains("/nowhere/a.pb"));
        assert_eq!(Exports::open(Path::new("a.csv")).unwrap_err().kind(), ErrorKind::Invalid);
    }
}
