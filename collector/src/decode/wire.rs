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

/// Where bytes of the body lie. A body is far below 4 GiB.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) from: u32,
    pub(super) length: u32,
}

impl Place {
    pub(super) fn at(from: usize, length: usize) -> Result<Self, DecodeError> {
        let number = |number| u32::try_from(number).map_err(|_| DecodeError::Malformed);
        Ok(Self { from: number(from)?, length: number(length)? })
    }

    pub(super) fn of(self, body: &[u8]) -> &[u8] {
        body.get(self.from as usize..self.from as usize + self.length as usize).unwrap_or_default()
    }
}

/// A message being read: the body up to the end of the message, and the place in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    body: &'a [u8],
    at: usize,
    /// How many messages deep one may still go.
    depth: u32,
}

impl<'a> Reader<'a> {
    /// A body as one message.
    pub(super) const fn new(body: &'a [u8]) -> Self {
        Self { body, at: 0, depth: DEPTH_MAX }
    }

    /// The next field's number and form; `None` at the end of the message.
    #[inline]
    pub(super) fn key(&mut self) -> Result<Option<(u32, Wire)>, DecodeError> {
        if self.at == self.body.len() {
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
        match self.body.get(self.at) {
            Some(&byte) if byte < 0x80 => {
                self.at += 1;
                Ok(u64::from(byte))
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<u64, DecodeError> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let &byte = self.body.get(self.at).ok_or(DecodeError::Malformed)?;
            self.at += 1;
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
        let bytes = self.body.get(self.at..self.at + 8).and_then(|bytes| <[u8; 8]>::try_from(bytes).ok());
        self.at += 8;
        bytes.map(u64::from_le_bytes).ok_or(DecodeError::Malformed)
    }

    /// Four bytes where they are due; nobody asks which.
    pub(super) fn fixed32(&mut self, wire: Wire) -> Result<(), DecodeError> {
        expect(wire, Wire::Fixed32)?;
        self.at += 4;
        if self.at > self.body.len() { Err(DecodeError::Malformed) } else { Ok(()) }
    }

    /// Bytes with their length before them, where they are due.
    #[inline]
    pub(super) fn bytes(&mut self, wire: Wire) -> Result<Place, DecodeError> {
        expect(wire, Wire::Bytes)?;
        let length = usize::try_from(self.varint()?).map_err(|_| DecodeError::Malformed)?;
        let from = self.at;
        if length > self.body.len() - from {
            return Err(DecodeError::Malformed);
        }
        self.at += length;
        Place::at(from, length)
    }

    /// The same, as text.
    pub(super) fn text(&mut self, wire: Wire) -> Result<&'a str, DecodeError> {
        let span = self.bytes(wire)?;
        std::str::from_utf8(span.of(self.body)).map_err(|_| DecodeError::Malformed)
    }

    /// The same, as a message.
    #[inline]
    pub(super) fn message(&mut self, wire: Wire) -> Result<Self, DecodeError> {
        let span = self.bytes(wire)?;
        let depth = self.depth.checked_sub(1).ok_or(DecodeError::Malformed)?;
        let end = span.from as usize + span.length as usize;
        Ok(Self { body: &self.body[..end], at: span.from as usize, depth })
    }

    /// Where the message ends in the body.
    pub(super) const fn end(&self) -> usize {
        self.body.len()
    }

    /// What is left of the message.
    pub(super) fn rest(&self) -> &'a [u8] {
        &self.body[self.at..]
    }

    /// Passes over a field that is not known.
    pub(super) fn skip(&mut self, field: u32, wire: Wire) -> Result<(), DecodeError> {
        self.skip_within(field, wire, self.depth)
    }

    fn skip_within(&mut self, field: u32, wire: Wire, depth: u32) -> Result<(), DecodeError> {
        let deeper = depth.checked_sub(1).ok_or(DecodeError::Malformed)?;
        let length = match wire {
            Wire::Varint => return self.varint().map(drop),
            Wire::Fixed32 => 4,
            Wire::Fixed64 => 8,
            Wire::Bytes => return self.bytes(wire).map(drop),
            Wire::GroupStart => loop {
                match self.key()?.ok_or(DecodeError::Malformed)? {
                    (inner, Wire::GroupEnd) if inner == field => break 0,
                    (_, Wire::GroupEnd) => return Err(DecodeError::Malformed),
                    (inner, wire) => self.skip_within(inner, wire, deeper)?,
                }
            },
            Wire::GroupEnd => return Err(DecodeError::Malformed),
        };
        self.at += length;
        if self.at > self.body.len() { Err(DecodeError::Malformed) } else { Ok(()) }
    }
}

fn expect(wire: Wire, expected: Wire) -> Result<(), DecodeError> {
    if wire == expected { Ok(()) } else { Err(DecodeError::Malformed) }
}
