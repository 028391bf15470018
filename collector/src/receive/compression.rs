//! Decompression with a bound: a small body may unpack to any size.

use std::io::{self, Read};

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
    /// A reader of the unpacked bytes.
    pub(crate) fn reader<'a>(self, packed: impl Read + Send + 'a) -> io::Result<Box<dyn Read + Send + 'a>> {
        Ok(match self {
            Self::None => Box::new(packed),
            Self::Gzip => Box::new(flate2::read::MultiGzDecoder::new(packed)),
            Self::Zstd => Box::new(zstd::stream::read::Decoder::new(packed)?),
        })
    }

    /// The bytes unpacked, if they are no more than `bytes_max`.
    pub(crate) fn unpack(self, packed: Vec<u8>, bytes_max: usize) -> Result<Vec<u8>, UnpackError> {
        if self == Self::None {
            return if packed.len() > bytes_max { Err(UnpackError::TooLarge) } else { Ok(packed) };
        }
        let mut unpacked = Vec::new();
        let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
        self.reader(packed.as_slice())
            .and_then(|reader| reader.take(limit).read_to_end(&mut unpacked))
            .map_err(|_| UnpackError::Malformed)?;
        if unpacked.len() > bytes_max { Err(UnpackError::TooLarge) } else { Ok(unpacked) }
    }
}
