//! Columns of plain numbers, and texts, as bytes: what one refresh leaves for the next is read whole by it, so that it
//! must be had at the speed of memory.

use std::marker::PhantomData;

/// Bytes that are not what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what the last refresh left cannot be read")]
pub struct Torn;

/// A number of so many bytes, little-endian.
pub trait Plain: Copy {
    /// How many bytes it has.
    const BYTES: usize;
    /// Adds its bytes.
    fn put(self, bytes: &mut Vec<u8>);
    /// From exactly so many bytes.
    fn of(bytes: &[u8]) -> Self;
}

macro_rules! plain {
    ($($number:ty),+) => {$(
        impl Plain for $number {
            const BYTES: usize = size_of::<$number>();

            #[inline]
            fn put(self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_le_bytes());
            }

            #[inline]
            fn of(bytes: &[u8]) -> Self {
                let mut own = [0; size_of::<$number>()];
                own.copy_from_slice(bytes);
                Self::from_le_bytes(own)
            }
        }
    )+};
}
plain!(u8, u16, u32, i32, u64, i64, u128);

/// The length that stands for no text.
const NO_TEXT: u32 = u32::MAX;

/// Writes columns one after the other.
#[derive(Debug, Default)]
pub struct Encoder {
    bytes: Vec<u8>,
}

impl Encoder {
    /// Adds a column.
    pub fn column<P: Plain>(&mut self, values: impl IntoIterator<Item = P, IntoIter: ExactSizeIterator>) {
        let values = values.into_iter();
        (values.len() as u64).put(&mut self.bytes);
        self.bytes.reserve(values.len() * P::BYTES);
        values.for_each(|value| value.put(&mut self.bytes));
    }

    /// Adds texts, some of which may be absent.
    pub fn texts<'a>(&mut self, texts: impl IntoIterator<Item = Option<&'a str>, IntoIter: ExactSizeIterator + Clone>) {
        let texts = texts.into_iter();
        self.column(texts.clone().map(|text| text.map_or(NO_TEXT, |text| text.len() as u32)));
        self.column(texts.flatten().flat_map(str::bytes).collect::<Vec<u8>>());
    }

    /// Adds numbers, of which most are small, in as few bytes each as the greatest needs; `u32::MAX` counts as small.
    pub fn narrow(&mut self, values: impl IntoIterator<Item = u32, IntoIter: ExactSizeIterator + Clone>) {
        let values = values.into_iter().map(|value| value.wrapping_add(1));
        match values.clone().max().unwrap_or(0) {
            0..=0xFF => {
                self.column([1_u8]);
                self.column(values.map(|value| value as u8));
            }
            0x100..=0xFFFF => {
                self.column([2_u8]);
                self.column(values.map(|value| value as u16));
            }
            _ => {
                self.column([4_u8]);
                self.column(values);
            }
        }
    }

    /// Adds lists of numbers.
    pub fn lists<'a, P: Plain + 'a>(
        &mut self,
        lists: impl IntoIterator<Item = &'a [P], IntoIter: ExactSizeIterator + Clone>,
    ) {
        let lists = lists.into_iter();
        let mut end = 0_u32;
        self.column(lists.clone().map(|list| {
            end += list.len() as u32;
            end
        }));
        self.column(lists.flatten().copied().collect::<Vec<P>>());
    }

    /// What was written.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// Reads columns in the order in which they were written.
#[derive(Debug, Clone, Copy)]
pub struct Decoder<'a> {
    rest: &'a [u8],
}

/// A column, read value by value as it is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Column<'a, P> {
    bytes: &'a [u8],
    of: PhantomData<P>,
}

impl<'a> Decoder<'a> {
    /// Begins to read.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The next column.
    pub fn column<P: Plain>(&mut self) -> Result<Column<'a, P>, Torn> {
        let (length, rest) = self.rest.split_first_chunk().ok_or(Torn)?;
        let bytes = usize::try_from(u64::from_le_bytes(*length)).ok().and_then(|length| length.checked_mul(P::BYTES));
        let (bytes, rest) = rest.split_at_checked(bytes.ok_or(Torn)?).ok_or(Torn)?;
        self.rest = rest;
        Ok(Column { bytes, of: PhantomData })
    }

    /// The next texts.
    pub fn texts(&mut self) -> Result<Vec<Option<String>>, Torn> {
        let (lengths, bytes) = (self.column::<u32>()?, self.column::<u8>()?);
        let mut rest = bytes.bytes;
        lengths
            .iter()
            .map(|length| {
                if length == NO_TEXT {
                    return Ok(None);
                }
                let (text, after) = rest.split_at_checked(length as usize).ok_or(Torn)?;
                rest = after;
                Ok(Some(std::str::from_utf8(text).map_err(|_| Torn)?.to_owned()))
            })
            .collect()
    }

    /// The next texts, none of which may be absent.
    pub fn whole_texts(&mut self) -> Result<Vec<String>, Torn> {
        self.texts()?.into_iter().collect::<Option<_>>().ok_or(Torn)
    }

    /// The next numbers of which most are small.
    pub fn narrow(&mut self) -> Result<Narrow<'a>, Torn> {
        match self.column::<u8>()?.iter().next() {
            Some(1) => Ok(Narrow::One(self.column()?)),
            Some(2) => Ok(Narrow::Two(self.column()?)),
            Some(4) => Ok(Narrow::Four(self.column()?)),
            _ => Err(Torn),
        }
    }

    /// The next lists.
    pub fn lists<P: Plain>(&mut self) -> Result<Lists<'a, P>, Torn> {
        let (ends, values) = (self.column::<u32>()?, self.column()?);
        let in_order = ends.iter().zip(ends.iter().skip(1)).all(|(one, next)| one <= next);
        let last = ends.iter().next_back().unwrap_or(0);
        if in_order && last as usize == values.len() { Ok(Lists { ends, values }) } else { Err(Torn) }
    }
}

/// Numbers in one, two or four bytes each.
#[derive(Debug, Clone, Copy)]
pub enum Narrow<'a> {
    /// One byte.
    One(Column<'a, u8>),
    /// Two.
    Two(Column<'a, u16>),
    /// Four.
    Four(Column<'a, u32>),
}

impl Narrow<'_> {
    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        match self {
            Self::One(column) => column.len(),
            Self::Two(column) => column.len(),
            Self::Four(column) => column.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number at a place that is there.
    #[must_use]
    #[inline]
    pub fn get(&self, place: usize) -> u32 {
        let more = match self {
            Self::One(column) => column.get(place).into(),
            Self::Two(column) => column.get(place).into(),
            Self::Four(column) => column.get(place),
        };
        more.wrapping_sub(1)
    }
}

impl<'a, P: Plain> Column<'a, P> {
    /// How many values there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.bytes.len() / P::BYTES
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The value at a place that is there.
    #[must_use]
    #[inline]
    pub fn get(&self, place: usize) -> P {
        P::of(&self.bytes[place * P::BYTES..(place + 1) * P::BYTES])
    }

    /// All values in order.
    #[inline]
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = P> + ExactSizeIterator + Clone + use<'a, P> {
        self.bytes.chunks_exact(P::BYTES).map(P::of)
    }

    /// The same in memory of its own.
    #[must_use]
    pub fn to_vec(&self) -> Vec<P> {
        self.iter().collect()
    }
}

/// Lists of numbers.
#[derive(Debug, Clone, Copy)]
pub struct Lists<'a, P> {
    ends: Column<'a, u32>,
    values: Column<'a, P>,
}

impl<'a, P: Plain> Lists<'a, P> {
    /// How many lists there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The list at a place that is there.
    #[inline]
    pub fn get(&self, place: usize) -> impl Iterator<Item = P> + use<'a, P> {
        let first = if place == 0 { 0 } else { self.ends.get(place - 1) as usize };
        self.values.bytes[first * P::BYTES..self.ends.get(place) as usize * P::BYTES].chunks_exact(P::BYTES).map(P::of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let mut encoder = Encoder::default();
        encoder.column([1_u32, 2, u32::MAX]);
        encoder.texts([Some("surname"), None, Some(""), Some("Bréf")]);
        encoder.lists([&[-1_i64, 5][..], &[], &[7]]);
        encoder.column([u128::MAX]);
        for greatest in [1, 254, 255, 70_000] {
            encoder.narrow([u32::MAX, 0, greatest]);
        }
        let bytes = encoder.into_bytes();
        let mut decoder = Decoder::new(&bytes);
        assert_eq!(decoder.column::<u32>().unwrap().to_vec(), [1, 2, u32::MAX]);
        let texts = [Some("surname"), None, Some(""), Some("Bréf")].map(|text| text.map(str::to_owned));
        assert_eq!(decoder.texts().unwrap(), texts);
        let lists = decoder.lists::<i64>().unwrap();
        let all: Vec<Vec<i64>> = (0..lists.len()).map(|place| lists.get(place).collect()).collect();
        assert_eq!(all, [vec![-1, 5], vec![], vec![7]]);
        assert_eq!(decoder.column::<u128>().unwrap().to_vec(), [u128::MAX]);
        for greatest in [1, 254, 255, 70_000] {
            let numbers = decoder.narrow().unwrap();
            assert_eq!([0, 1, 2].map(|place| numbers.get(place)), [u32::MAX, 0, greatest]);
        }
        assert_eq!(decoder.column::<u8>().err(), Some(Torn), "nothing is left");
    }

    #[test]
    fn bytes_cut_short_are_an_error_and_no_panic() {
        let mut encoder = Encoder::default();
        encoder.texts([Some("surname"), Some("screen")]);
        encoder.lists([&[1_u64, 2][..]]);
        let bytes = encoder.into_bytes();
        for length in 0..bytes.len() {
            let mut decoder = Decoder::new(&bytes[..length]);
            assert!(decoder.texts().is_err() || decoder.lists::<u64>().is_err(), "{length}");
        }
    }
}
