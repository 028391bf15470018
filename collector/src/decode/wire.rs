//! The wire format of protocol buffers, read where it lies.
//!
//! What is malformed here is what `prost` calls malformed: the oracle of the tests. A message known by the protocol is
//! entered at most [`DEPTH_MAX`] deep, and what is unknown is skipped, groups included.

use super::DecodeError;

/// Messages within messages, as deep as they are entered.
pub(super) const DEPTH_MAX: u32 = 100;

/// How a field is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wire {
    Varint,
    Fixed64,
    Bytes,
    GroupStart,
    GroupEnd,
    Fixed32,
}

/// A message being read: what is left of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    /// How many messages deep one may still go.
    depth: u32,
}

impl<'a> Reader<'a> {
    /// A body as one message.
    pub(super) const fn new(body: &'a [u8]) -> Self {
        Self { rest: body, depth: DEPTH_MAX }
    }

    /// The next field's number and form; `None` at the end of the message.
    #[inline]
    pub(super) fn key(&mut self) -> Result<Option<(u32, Wire)>, DecodeError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let key = u32::try_from(self.varint()?).map_err(|_| DecodeError::Malformed)?;
        let wire = match key & 7 {
            0 => Wire::Varint,
            1 => Wire::Fixed64,
            2 => Wire::Bytes,
            3 => Wire::GroupStart,
            4 => Wire::GroupEnd,
            5 => Wire::Fixed32,
            _ => return Err(DecodeError::Malformed),
        };
        if key < 8 { Err(DecodeError::Malformed) } else { Ok(Some((key >> 3, wire))) }
    }

    #[inline]
    pub(super) fn varint(&mut self) -> Result<u64, DecodeError> {
        match self.rest {
            [byte, rest @ ..] if *byte < 0x80 => {
                self.rest = rest;
                Ok(u64::from(*byte))
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<u64, DecodeError> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.rest.split_first().ok_or(DecodeError::Malformed)?;
            self.rest = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                // The tenth byte has room for one bit.
                return if shift == 63 && byte > 1 { Err(DecodeError::Malformed) } else { Ok(number) };
            }
        }
        Err(DecodeError::Malformed)
    }

    /// A varint where one is due.
    #[inline]
    pub(super) fn number(&mut self, wire: Wire) -> Result<u64, DecodeError> {
        expect(wire, Wire::Varint)?;
        self.varint()
    }

    /// Eight bytes where they are due, as a number.
    #[inline]
    pub(super) fn fixed64(&mut self, wire: Wire) -> Result<u64, DecodeError> {
        expect(wire, Wire::Fixed64)?;
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(DecodeError::Malformed)?;
        self.rest = rest;
        Ok(u64::from_le_bytes(*bytes))
    }

    /// Four bytes where they are due; nobody asks which.
    pub(super) fn fixed32(&mut self, wire: Wire) -> Result<(), DecodeError> {
        expect(wire, Wire::Fixed32)?;
        self.take(4).map(drop)
    }

    #[inline]
    fn take(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(DecodeError::Malformed)?;
        self.rest = rest;
        Ok(taken)
    }

    /// Bytes with their length before them, where they are due.
    #[inline]
    pub(super) fn bytes(&mut self, wire: Wire) -> Result<&'a [u8], DecodeError> {
        expect(wire, Wire::Bytes)?;
        let length = usize::try_from(self.varint()?).map_err(|_| DecodeError::Malformed)?;
        self.take(length)
    }

    /// The same, as text.
    pub(super) fn text(&mut self, wire: Wire) -> Result<&'a str, DecodeError> {
        utf8(self.bytes(wire)?)
    }

    /// The same, as a message.
    #[inline]
    pub(super) fn message(&mut self, wire: Wire) -> Result<Self, DecodeError> {
        let rest = self.bytes(wire)?;
        let depth = self.depth.checked_sub(1).ok_or(DecodeError::Malformed)?;
        Ok(Self { rest, depth })
    }

    /// What is left of the message.
    pub(super) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Passes over a field that is not known.
    pub(super) fn skip(&mut self, field: u32, wire: Wire) -> Result<(), DecodeError> {
        self.skip_within(field, wire, self.depth)
    }

    fn skip_within(&mut self, field: u32, wire: Wire, depth: u32) -> Result<(), DecodeError> {
        let deeper = depth.checked_sub(1).ok_or(DecodeError::Malformed)?;
        match wire {
            Wire::Varint => self.varint().map(drop),
            Wire::Fixed32 => self.take(4).map(drop),
            Wire::Fixed64 => self.take(8).map(drop),
            Wire::Bytes => self.bytes(wire).map(drop),
            Wire::GroupStart => loop {
                match self.key()?.ok_or(DecodeError::Malformed)? {
                    (inner, Wire::GroupEnd) if inner == field => return Ok(()),
                    (_, Wire::GroupEnd) => return Err(DecodeError::Malformed),
                    (inner, wire) => self.skip_within(inner, wire, deeper)?,
                }
            },
            Wire::GroupEnd => Err(DecodeError::Malformed),
        }
    }
}

fn expect(wire: Wire, expected: Wire) -> Result<(), DecodeError> {
    if wire == expected { Ok(()) } else { Err(DecodeError::Malformed) }
}

/// Bytes as text.
pub(super) fn utf8(bytes: &[u8]) -> Result<&str, DecodeError> {
    std::str::from_utf8(bytes).map_err(|_| DecodeError::Malformed)
}
