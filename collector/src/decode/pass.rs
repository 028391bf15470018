//! The one pass over the bytes of a request, straight into columns.
//!
//! ```text
//! request ─▶ resource ─▶ scope ─▶ span (or log record) ─▶ attribute ─▶ its column
//! ```
//!
//! Nothing is copied but numbers, ids, and each text once. The name of an attribute is looked up once for each
//! request; after that it is only compared with the name that followed the one before the last time, since SDKs write
//! the attributes of like spans in the same order.

use hashbrown::HashMap;

use super::{
    DecodeError, Signal,
    columns::{Columns, Decoded, Head, Read},
    limits::Limits,
    logs,
    shape::{Shape, check},
    slot::Slot,
    wire::{Reader, utf8},
};

/// A request while it is read.
pub(super) struct Pass<'a> {
    pub(super) columns: Columns<'a>,
    pub(super) limits: Limits,
    names: Names<'a>,
    /// The texts of the array being read.
    items: Vec<&'a [u8]>,
}

/// Reads a request of about so many spans.
pub(super) fn decode(signal: Signal, body: &[u8], spans: usize) -> Result<Decoded, DecodeError> {
    let mut pass = Pass {
        columns: Columns::with_capacity(spans),
        limits: Limits::default(),
        names: Names::default(),
        items: Vec::new(),
    };
    let mut request = Reader::new(body);
    while let Some((field, wire)) = request.key()? {
        match field {
            1 => pass.of_resource(signal, request.message(wire)?)?,
            _ => request.skip(field, wire)?,
        }
    }
    Ok(pass.columns.finish())
}

impl<'a> Pass<'a> {
    /// `ResourceSpans` or `ResourceLogs`, which have the same numbers.
    fn of_resource(&mut self, signal: Signal, mut message: Reader<'a>) -> Result<(), DecodeError> {
        self.limits.element()?;
        self.limits.resource()?;
        self.columns.begin_resource();
        let mut attributes = 0;
        while let Some((field, wire)) = message.key()? {
            match field {
                1 => self.resource(message.message(wire)?, &mut attributes)?,
                2 => self.of_scope(signal, message.message(wire)?)?,
                3 => message.text(wire).map(drop)?,
                _ => message.skip(field, wire)?,
            }
        }
        Ok(())
    }

    /// The resource, which may stand behind its spans, and may come in pieces.
    fn resource(&mut self, mut message: Reader<'a>, attributes: &mut usize) -> Result<(), DecodeError> {
        self.limits.element()?;
        while let Some((field, wire)) = message.key()? {
            match field {
                1 => {
                    self.limits.resource()?;
                    self.limits.attribute(attributes)?;
                    let (name, value) = self.pair(message.message(wire)?)?;
                    self.columns.of_resource(name, value.read(&self.items))?;
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
                1 => head.trace_id = message.bytes(wire)?,
                2 => head.span_id = message.bytes(wire)?,
                3 => message.text(wire).map(drop)?,
                4 => head.parent_span_id = message.bytes(wire)?,
                5 => replaced(std::mem::replace(&mut head.name, message.bytes(wire)?))?,
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
        self.columns.span(&head)
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
    #[inline]
    pub(super) fn attribute(
        &mut self,
        message: Reader<'a>,
        wanted: impl FnOnce(Slot) -> bool,
    ) -> Result<(), DecodeError> {
        if let Some((slot, name, text)) = self.expected(message) {
            self.limits.element()?;
            return self.put(slot, name, Read::Text(text), wanted);
        }
        let (name, value) = self.pair(message)?;
        let slot = self.names.find(name)?;
        let items = std::mem::take(&mut self.items);
        self.put(slot, name, value.read(&items), wanted)?;
        self.items = items;
        Ok(())
    }

    #[inline]
    fn put(
        &mut self,
        slot: Slot,
        name: &'a [u8],
        value: Read<'a, '_>,
        wanted: impl FnOnce(Slot) -> bool,
    ) -> Result<(), DecodeError> {
        let is_kept = wanted(slot) && self.columns.attribute(slot, name, value)?;
        // What is in no column is looked at by nobody else.
        match value {
            Read::Text(text) if !is_kept => utf8(text).map(drop),
            _ => Ok(()),
        }
    }

    /// The attribute that is expected here, if that is what stands here, and its value is a text and nothing else.
    #[inline]
    fn expected(&mut self, message: Reader<'a>) -> Option<(Slot, &'a [u8], &'a [u8])> {
        // `AnyValue.string_value`.
        const TEXT: u8 = 1 << 3 | 2;
        let (slot, name, value) = self.names.expected(message.rest())?;
        let [value_length, TEXT, length, text @ ..] = value else { return None };
        let is_all = usize::from(*length) == text.len() && usize::from(*value_length) == text.len() + 2;
        // Lengths of two bytes are read in the ordinary way.
        if !is_all || text.len() > 125 {
            return None;
        }
        self.names.step();
        Some((slot, name, text))
    }

    /// `KeyValue`. Neither the name nor a text is known to be UTF-8 yet.
    fn pair(&mut self, mut message: Reader<'a>) -> Result<(&'a [u8], Value<'a>), DecodeError> {
        let (mut name, mut value): (&[u8], _) = (&[], Value::Other);
        while let Some((field, wire)) = message.key()? {
            match field {
                1 => replaced(std::mem::replace(&mut name, message.bytes(wire)?))?,
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
    fn value(&mut self, mut message: Reader<'a>, value: &mut Value<'a>) -> Result<(), DecodeError> {
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
            if let Value::Text(before) = std::mem::replace(value, read) {
                utf8(before)?;
            }
        }
        Ok(())
    }

    /// `ArrayValue`; its texts are left in `items`.
    fn array(&mut self, mut message: Reader<'a>, value: &mut Value<'a>) -> Result<(), DecodeError> {
        if !matches!(value, Value::Texts | Value::Mixed) {
            if let Value::Text(before) = std::mem::replace(value, Value::Texts) {
                utf8(before)?;
            }
            self.items.clear();
        }
        while let Some((field, wire)) = message.key()? {
            match field {
                1 => {
                    self.limits.element()?;
                    match self.item(message.message(wire)?)? {
                        Some(text) => self.items.push(text),
                        None => *value = Value::Mixed,
                    }
                }
                _ => message.skip(field, wire)?,
            }
        }
        Ok(())
    }

    /// An `AnyValue` of an array, if it is text.
    fn item(&mut self, mut message: Reader<'a>) -> Result<Option<&'a [u8]>, DecodeError> {
        let mut text = None;
        while let Some((field, wire)) = message.key()? {
            match field {
                1 => {
                    text = Some(message.text(wire)?.as_bytes());
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
}

/// A field that came again: the text of before is in no column, and nobody else looks at it.
#[inline]
fn replaced(before: &[u8]) -> Result<(), DecodeError> {
    if before.is_empty() { Ok(()) } else { utf8(before).map(drop) }
}

/// A value being read, which may come in pieces.
#[derive(Debug, Clone, Copy)]
enum Value<'a> {
    Text(&'a [u8]),
    Integer(i64),
    Double(f64),
    Boolean(bool),
    /// An array of texts, which are the pass's `items`.
    Texts,
    /// An array with something else in it.
    Mixed,
    Other,
}

impl<'a> Value<'a> {
    const fn read<'b>(self, items: &'b [&'a [u8]]) -> Read<'a, 'b> {
        match self {
            Self::Text(text) => Read::Text(text),
            Self::Integer(number) => Read::Integer(number),
            Self::Double(number) => Read::Double(number),
            Self::Boolean(truth) => Read::Boolean(truth),
            Self::Texts => Read::Texts(items),
            Self::Mixed | Self::Other => Read::Other,
        }
    }
}

/// The names of attributes of spans seen in this request.
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
    slot: Slot,
    /// The name that came after it the last time.
    next: usize,
}

impl<'a> Names<'a> {
    fn next(&self) -> usize {
        self.before.map_or(self.first, |before| self.known[before].next)
    }

    /// The name that is expected, and what stands behind it and its value's key, if the attribute begins so.
    #[inline]
    fn expected(&self, attribute: &'a [u8]) -> Option<(Slot, &'a [u8], &'a [u8])> {
        // `KeyValue.key` and `KeyValue.value`.
        const NAME: u8 = 1 << 3 | 2;
        const VALUE: u8 = 2 << 3 | 2;
        let known = self.known.get(self.next())?;
        let [NAME, length, rest @ ..] = attribute else { return None };
        if usize::from(*length) != known.name.len() || known.name.len() > 127 {
            return None;
        }
        let (name, rest) = rest.split_at_checked(known.name.len())?;
        let (VALUE, rest) = rest.split_first().map(|(key, rest)| (*key, rest))? else { return None };
        (name == known.name).then_some((known.slot, name, rest))
    }

    /// What was expected came.
    fn step(&mut self) {
        self.before = Some(self.next());
    }

    /// What a name is.
    fn find(&mut self, name: &'a [u8]) -> Result<Slot, DecodeError> {
        let found = match self.known.get(self.next()) {
            Some(known) if known.name == name => self.next(),
            _ => self.look_up(name)?,
        };
        match self.before {
            Some(before) => self.known[before].next = found,
            None => self.first = found,
        }
        self.before = Some(found);
        Ok(self.known[found].slot)
    }

    fn look_up(&mut self, name: &'a [u8]) -> Result<usize, DecodeError> {
        if let Some(&found) = self.by_name.get(name) {
            return Ok(found);
        }
        let slot = Slot::of(utf8(name)?);
        let number = self.known.len();
        self.known.push(Known { name, slot, next: number + 1 });
        self.by_name.insert(name, number);
        Ok(number)
    }
}
