//! The one pass over the bytes of a request, straight into columns.
//!
//! ```text
//! request ─▶ resource ─▶ scope ─▶ span (or log record) ─▶ attribute ─▶ its column
//! ```
//!
//! Nothing is copied but numbers and ids: texts stay where they are. The name of an attribute is looked up once for each
//! request; after that it is only compared with the name that followed the one before the last time, since SDKs write
//! the attributes of like spans in the same order.

use std::collections::HashMap;

use arrow::buffer::Buffer;
use bytes::Bytes;

use super::{
    DecodeError, Signal,
    columns::{Columns, Decoded, Head, Value},
    limits::Limits,
    logs,
    plain::{self, Attribute},
    shape::{Shape, check},
    slot::Slot,
    wire::{Place, Reader},
};

/// A request while it is read.
pub(super) struct Pass<'a> {
    pub(super) body: &'a [u8],
    pub(super) columns: Columns,
    pub(super) limits: Limits,
    names: Names<'a>,
    /// The texts of the array being read.
    items: Vec<Place>,
}

/// Reads a request of so many spans.
pub(super) fn decode(signal: Signal, body: Bytes, spans: usize) -> Result<Decoded, DecodeError> {
    let buffer = Buffer::from(body);
    let mut pass = Pass {
        body: &buffer,
        columns: Columns::with_capacity(spans),
        limits: Limits::default(),
        names: Names::default(),
        items: Vec::new(),
    };
    let mut request = Reader::new(&buffer);
    while let Some((field, wire)) = request.key()? {
        match field {
            1 => pass.of_resource(signal, request.message(wire)?)?,
            _ => request.skip(field, wire)?,
        }
    }
    pass.columns.finish(&buffer)
}

impl<'a> Pass<'a> {
    /// `ResourceSpans` or `ResourceLogs`, which have the same numbers.
    fn of_resource(&mut self, signal: Signal, mut message: Reader<'a>) -> Result<(), DecodeError> {
        self.limits.element()?;
        self.limits.resource()?;
        self.columns.resources.push(Vec::new());
        while let Some((field, wire)) = message.key()? {
            match field {
                1 => self.resource(message.message(wire)?)?,
                2 => self.of_scope(signal, message.message(wire)?)?,
                3 => message.text(wire).map(drop)?,
                _ => message.skip(field, wire)?,
            }
        }
        Ok(())
    }

    /// The resource, which may stand behind its spans, and may come in pieces.
    fn resource(&mut self, mut message: Reader<'a>) -> Result<(), DecodeError> {
        self.limits.element()?;
        let mut attributes = self.columns.resources.last().map_or(0, Vec::len);
        while let Some((field, wire)) = message.key()? {
            match field {
                1 => {
                    self.limits.resource()?;
                    self.limits.attribute(&mut attributes)?;
                    let (name, value) = self.pair(message.message(wire)?)?;
                    let attribute = self.plain(name, value)?;
                    self.columns.resources.last_mut().expect("one was pushed").push(attribute);
                }
                2 => message.number(wire).map(drop)?,
                3 => {
                    self.limits.element()?;
                    check(Shape::Entity, message.message(wire)?, &mut self.limits)?;
                }
                _ => message.skip(field, wire)?,
            }
        }
        Ok(())
    }

    fn of_scope(&mut self, signal: Signal, mut message: Reader<'a>) -> Result<(), DecodeError> {
        self.limits.element()?;
        while let Some((field, wire)) = message.key()? {
            match (field, signal) {
                (1, _) => {
                    self.limits.element()?;
                    check(Shape::Scope, message.message(wire)?, &mut self.limits)?;
                }
                (2, Signal::Traces) => self.span(message.message(wire)?)?,
                (2, Signal::Logs) => logs::record(self, message.message(wire)?)?,
                (3, _) => message.text(wire).map(drop)?,
                _ => message.skip(field, wire)?,
            }
        }
        Ok(())
    }

    fn span(&mut self, mut message: Reader<'a>) -> Result<(), DecodeError> {
        self.limits.span()?;
        self.begin_span();
        let mut head = Head::default();
        let mut attributes = 0;
        while let Some((field, wire)) = message.key()? {
            match field {
                1 => head.trace_id = message.bytes(wire)?.of(self.body),
                2 => head.span_id = message.bytes(wire)?.of(self.body),
                3 => message.text(wire).map(drop)?,
                4 => head.parent_span_id = message.bytes(wire)?.of(self.body),
                5 => {
                    self.utf8(std::mem::replace(&mut head.name, message.bytes(wire)?))?;
                }
                6 | 10 | 12 | 14 => message.number(wire).map(drop)?,
                7 => head.started_at_ns = message.fixed64(wire)?,
                8 => head.ended_at_ns = message.fixed64(wire)?,
                9 => {
                    self.limits.attribute(&mut attributes)?;
                    self.attribute(message.message(wire)?, |_| true)?;
                }
                11 | 13 => {
                    self.limits.element()?;
                    let shape = if field == 11 { Shape::Event } else { Shape::Link };
                    check(shape, message.message(wire)?, &mut self.limits)?;
                }
                15 => self.status(message.message(wire)?, &mut head.failed)?,
                16 => message.fixed32(wire)?,
                _ => message.skip(field, wire)?,
            }
        }
        self.columns.span(self.body, &head);
        Ok(())
    }

    fn status(&mut self, mut message: Reader<'a>, failed: &mut bool) -> Result<(), DecodeError> {
        /// `STATUS_CODE_ERROR`.
        const ERROR: i32 = 2;
        self.limits.element()?;
        while let Some((field, wire)) = message.key()? {
            match field {
                2 => message.text(wire).map(drop)?,
                #[expect(clippy::cast_possible_truncation, reason = "as the protocol reads a 32-bit number")]
                3 => *failed = message.number(wire)? as i32 == ERROR,
                _ => message.skip(field, wire)?,
            }
        }
        Ok(())
    }

    /// The attributes that come next are those of another span.
    pub(super) const fn begin_span(&mut self) {
        self.names.before = None;
    }

    /// An attribute of the span being read, if it is wanted.
    pub(super) fn attribute(
        &mut self,
        message: Reader<'a>,
        wanted: impl FnOnce(Slot) -> bool,
    ) -> Result<(), DecodeError> {
        let (name, read) = self.pair(message)?;
        let known = self.names.find(self.body, name)?;
        let slot = self.names.known[known].slot;
        let value = match read {
            Read::Value(value) => value,
            Read::Texts => Value::Texts(&self.items),
            Read::Mixed => Value::Other,
        };
        let names = &mut self.names;
        let is_kept = wanted(slot)
            && self.columns.attribute(self.body, slot, value, |columns| names.number(known, self.body, columns));
        // What is in no column is looked at by nobody else.
        match value {
            Value::Text(place) if !is_kept => self.utf8(place).map(drop),
            _ => Ok(()),
        }
    }

    /// `KeyValue`. Neither the name nor a text is known to be UTF-8 yet.
    fn pair(&mut self, mut message: Reader<'a>) -> Result<(Place, Read), DecodeError> {
        let (mut name, mut value) = (Place::default(), Read::Value(Value::Other));
        while let Some((field, wire)) = message.key()? {
            match field {
                1 => {
                    self.utf8(std::mem::replace(&mut name, message.bytes(wire)?))?;
                }
                2 => {
                    self.limits.element()?;
                    self.value(message.message(wire)?, &mut value)?;
                }
                3 => message.number(wire).map(drop)?,
                _ => message.skip(field, wire)?,
            }
        }
        Ok((name, value))
    }

    /// `AnyValue`: the last of its fields is the value, but an array goes on where one before it ended, as messages that
    /// come in pieces do.
    fn value(&mut self, mut message: Reader<'a>, value: &mut Read) -> Result<(), DecodeError> {
        while let Some((field, wire)) = message.key()? {
            let read = match field {
                1 => Value::Text(message.bytes(wire)?),
                2 => Value::Boolean(message.number(wire)? != 0),
                3 => Value::Integer(message.number(wire)?.cast_signed()),
                4 => Value::Double(f64::from_bits(message.fixed64(wire)?)),
                5 => {
                    self.limits.element()?;
                    self.array(message.message(wire)?, value)?;
                    continue;
                }
                6 => {
                    self.limits.element()?;
                    check(Shape::Map, message.message(wire)?, &mut self.limits)?;
                    Value::Other
                }
                7 => message.bytes(wire).map(|_| Value::Other)?,
                8 => message.number(wire).map(|_| Value::Other)?,
                _ => {
                    message.skip(field, wire)?;
                    continue;
                }
            };
            if let Read::Value(Value::Text(before)) = std::mem::replace(value, Read::Value(read)) {
                self.utf8(before)?;
            }
        }
        Ok(())
    }

    /// `ArrayValue`; its texts are left in `items`.
    fn array(&mut self, mut message: Reader<'a>, value: &mut Read) -> Result<(), DecodeError> {
        match *value {
            Read::Texts | Read::Mixed => {}
            Read::Value(before) => {
                if let Value::Text(before) = before {
                    self.utf8(before)?;
                }
                self.items.clear();
                *value = Read::Texts;
            }
        }
        while let Some((field, wire)) = message.key()? {
            match field {
                1 => {
                    self.limits.element()?;
                    match self.item(message.message(wire)?)? {
                        Some(text) => self.items.push(text),
                        None => *value = Read::Mixed,
                    }
                }
                _ => message.skip(field, wire)?,
            }
        }
        Ok(())
    }

    /// An `AnyValue` of an array, if it is text.
    fn item(&mut self, mut message: Reader<'a>) -> Result<Option<Place>, DecodeError> {
        let mut text = None;
        while let Some((field, wire)) = message.key()? {
            match field {
                1 => {
                    let place = message.bytes(wire)?;
                    self.utf8(place)?;
                    text = Some(place);
                    continue;
                }
                2 | 3 | 8 => message.number(wire).map(drop)?,
                4 => message.fixed64(wire).map(drop)?,
                5 | 6 => {
                    self.limits.element()?;
                    let shape = if field == 5 { Shape::Array } else { Shape::Map };
                    check(shape, message.message(wire)?, &mut self.limits)?;
                }
                7 => message.bytes(wire).map(drop)?,
                _ => {
                    message.skip(field, wire)?;
                    continue;
                }
            }
            text = None;
        }
        Ok(text)
    }

    /// An attribute of a resource, of which there are few.
    fn plain(&self, name: Place, read: Read) -> Result<Attribute, DecodeError> {
        let value = match read {
            Read::Value(Value::Text(place)) => plain::Value::Text(self.utf8(place)?.to_owned()),
            Read::Value(Value::Integer(number)) => plain::Value::Integer(number),
            Read::Value(Value::Double(number)) => plain::Value::Double(number),
            Read::Value(Value::Boolean(truth)) => plain::Value::Boolean(truth),
            Read::Texts => {
                let texts = self.items.iter().map(|&place| self.utf8(place).map(str::to_owned));
                plain::Value::Texts(texts.collect::<Result<_, _>>()?)
            }
            Read::Value(Value::Texts(_) | Value::Other) | Read::Mixed => plain::Value::Other,
        };
        Ok(Attribute { name: self.utf8(name)?.to_owned(), value })
    }

    pub(super) fn utf8(&self, place: Place) -> Result<&'a str, DecodeError> {
        std::str::from_utf8(place.of(self.body)).map_err(|_| DecodeError::Malformed)
    }
}

/// A value being read, which may come in pieces.
#[derive(Debug, Clone, Copy)]
enum Read {
    Value(Value<'static>),
    /// An array of texts, which are the pass's `items`.
    Texts,
    /// An array with something else in it.
    Mixed,
}

/// The names of attributes seen in this request.
#[derive(Default)]
struct Names<'a> {
    known: Vec<Known<'a>>,
    by_name: HashMap<&'a [u8], usize>,
    /// The name that came first in the last span.
    first: usize,
    /// The name before, in this span.
    before: Option<usize>,
}

struct Known<'a> {
    name: &'a [u8],
    place: Place,
    slot: Slot,
    /// Its number among the names that have no column, once it is needed.
    number: Option<u32>,
    /// The name that came after it the last time.
    next: usize,
}

impl<'a> Names<'a> {
    /// Where a name is known, which it is from now on.
    #[inline]
    fn find(&mut self, body: &'a [u8], place: Place) -> Result<usize, DecodeError> {
        let name = place.of(body);
        let expected = self.before.map_or(self.first, |before| self.known[before].next);
        let found = match self.known.get(expected) {
            Some(known) if known.name == name => expected,
            _ => self.look_up(name, place)?,
        };
        match self.before {
            Some(before) => self.known[before].next = found,
            None => self.first = found,
        }
        self.before = Some(found);
        Ok(found)
    }

    fn look_up(&mut self, name: &'a [u8], place: Place) -> Result<usize, DecodeError> {
        if let Some(&found) = self.by_name.get(name) {
            return Ok(found);
        }
        let slot = Slot::of(std::str::from_utf8(name).map_err(|_| DecodeError::Malformed)?);
        let number = self.known.len();
        self.known.push(Known { name, place, slot, number: None, next: number + 1 });
        self.by_name.insert(name, number);
        Ok(number)
    }

    fn number(&mut self, known: usize, body: &[u8], columns: &mut Columns) -> u32 {
        let known = &mut self.known[known];
        *known.number.get_or_insert_with(|| columns.other_name(body, known.place))
    }
}
