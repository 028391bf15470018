//! Decompression with a bound: a small body may unpack to any size.

use std::io::{self, Read};

use bytes::Bytes;

/// What a body over the network may make us keep while it is unpacked, as a power of two: 8 MiB, which every sender of
/// zstd keeps to unless told otherwise.
const WINDOW_LOG_MAX: u32 = 23;

/// How bytes are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    Gzip,
    Zstd,
}

/// Why bytes could not be unpacked.
#[derive(Debug)]
pub(crate) enum UnpackError {
    /// They are more than allowed once unpacked.
    TooLarge,
    /// They are not what they claim to be, or are cut short.
    Malformed,
}

impl Compression {
    /// As both transports name it, in either case.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "" | "identity" => Some(Self::None),
            "gzip" => Some(Self::Gzip),
            "zstd" => Some(Self::Zstd),
            _ => None,
        }
    }

    /// A reader of the unpacked bytes.
    pub(crate) fn reader<'a>(self, packed: impl Read + Send + 'a) -> io::Result<Box<dyn Read + Send + 'a>> {
        Ok(match self {
            Self::None => Box::new(packed),
            Self::Gzip => Box::new(flate2::read::MultiGzDecoder::new(packed)),
            Self::Zstd => Box::new(zstd::stream::read::Decoder::new(packed)?),
        })
    }

    /// The bytes unpacked, if they are no more than `bytes_max`. What is not packed is handed on without a copy.
    pub(crate) fn unpack(self, packed: &Bytes, bytes_max: usize) -> Result<Bytes, UnpackError> {
        let reader: io::Result<Box<dyn Read + Send + '_>> = match self {
            Self::None if packed.len() > bytes_max => return Err(UnpackError::TooLarge),
            Self::None => return Ok(packed.clone()),
            Self::Gzip => self.reader(&packed[..]),
            Self::Zstd => zstd::stream::read::Decoder::new(&packed[..]).and_then(|mut decoder| {
                decoder.window_log_max(WINDOW_LOG_MAX)?;
                Ok(Box::new(decoder) as Box<dyn Read + Send>)
            }),
        };
        let limit = bytes_max.saturating_add(1);
        // As large as it may become, so that it is never moved; what is not written to is not in memory.
        let mut unpacked = Vec::with_capacity(limit);
        let within = u64::try_from(limit).unwrap_or(u64::MAX);
        reader.and_then(|reader| reader.take(within).read_to_end(&mut unpacked)).map_err(|_| UnpackError::Malformed)?;
        if unpacked.len() > bytes_max { Err(UnpackError::TooLarge) } else { Ok(unpacked.into()) }
    }
}
