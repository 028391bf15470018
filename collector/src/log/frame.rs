//! One frame: a header of 80 bytes, then the body. All numbers are little-endian.
//!
//! ```text
//!  0  magic     4    8  checksum   4   16  sequence  8   32  counts  6 × 8
//!  4  length    4   12  zero       4   24  synced    8   80  body, `length` bytes
//! ```
//!
//! The checksum is the CRC-32C of the length, of everything after the checksum, and of the body. Bodies are multiples
//! of 8 bytes, so that columns can be read where they lie.

use std::ops::Range;

use crate::gate::IntakeCounts;

/// Bytes of a header.
pub(super) const HEADER: usize = 80;
/// Bodies are multiples of so many bytes, and so is a header.
const ALIGNMENT: usize = 8;
/// Also the format number of the log.
const MAGIC: [u8; 4] = *b"GBL1";

/// What a header says, besides the length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) sequence: u64,
    /// Bytes of this segment that were known to be on the disk when the frame was written.
    pub(super) synced: u64,
    pub(super) counts: IntakeCounts,
}

/// Leaves room for a header at the end of a buffer; the body is then appended, and [`seal`] fills the header in.
pub(super) fn open(buffer: &mut Vec<u8>) -> usize {
    let start = buffer.len();
    buffer.resize(start + HEADER, 0);
    start
}

/// Fills in the header of the frame that starts at `start` and ends with the buffer. `None` if the body is too long.
pub(super) fn seal(buffer: &mut [u8], start: usize, header: &Header) -> Option<()> {
    let frame = &mut buffer[start..];
    let length = u32::try_from(frame.len() - HEADER).ok()?;
    let IntakeCounts { received, refused, duplicated, late, attributes_dropped, names_masked } = header.counts;
    frame[0..4].copy_from_slice(&MAGIC);
    frame[4..8].copy_from_slice(&length.to_le_bytes());
    let numbers =
        [header.sequence, header.synced, received, refused, duplicated, late, attributes_dropped, names_masked];
    for (place, number) in frame[16..HEADER].chunks_exact_mut(8).zip(numbers) {
        place.copy_from_slice(&number.to_le_bytes());
    }
    let checksum = checksum(frame);
    frame[8..12].copy_from_slice(&checksum.to_le_bytes());
    Some(())
}

/// The frame at an offset: its header and where its body lies. `None` if there is no whole, sound frame.
pub(super) fn read(bytes: &[u8], offset: usize) -> Option<(Header, Range<usize>)> {
    let rest = bytes.get(offset..)?;
    if rest.len() < HEADER || rest[0..4] != MAGIC {
        return None;
    }
    let length = u32::from_le_bytes(rest[4..8].try_into().ok()?) as usize;
    let frame = rest.get(..HEADER.checked_add(length)?)?;
    if checksum(frame).to_le_bytes() != frame[8..12] {
        return None;
    }
    let mut numbers = frame[16..HEADER].chunks_exact(8).map(|chunk| {
        let mut number = [0; 8];
        number.copy_from_slice(chunk);
        u64::from_le_bytes(number)
    });
    let mut next = || numbers.next().unwrap_or_default();
    let (sequence, synced) = (next(), next());
    let counts = IntakeCounts {
        received: next(),
        refused: next(),
        duplicated: next(),
        late: next(),
        attributes_dropped: next(),
        names_masked: next(),
    };
    Some((Header { sequence, synced, counts }, offset + HEADER..offset + HEADER + length))
}

/// The first sound frame at or after an offset. Frames begin at multiples of 8 bytes, since all of their parts are such.
pub(super) fn find(bytes: &[u8], from: usize) -> Option<(usize, Header)> {
    let mut at = from.next_multiple_of(ALIGNMENT);
    while at < bytes.len() {
        if let Some((header, _)) = read(bytes, at) {
            return Some((at, header));
        }
        at += ALIGNMENT;
    }
    None
}

fn checksum(frame: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&frame[4..8]), &frame[12..])
}
