//! How much one request may hold, and what it takes in memory.

use super::{
    DecodeError, Encoding, Signal,
    wire::{Reader, Wire},
};

/// Spans (or log records) of one request; more should come in several.
pub const SPANS_MAX: usize = 65_536;
/// Attributes of one span, log record or resource. SDKs stop at 128 by default.
pub const ATTRIBUTES_MAX: usize = 1_024;
/// Messages within messages, or objects and arrays of JSON: spans, attributes, their values, and all else.
pub const ELEMENTS_MAX: usize = 2 << 20;
/// Resources of one request, and attributes of all of them together.
pub const RESOURCES_MAX: usize = 65_536;

/// Memory of a span in columns: every column of the conventions, used or not.
const SPAN_BYTES: usize = 640;
/// Memory of what a byte of a body can at most become besides: an attribute without name or value is two bytes.
const PER_BYTE: usize = 16;
/// And of all of it, whatever the body, since there are only so many attributes, names of them and resources.
const BESIDES_BYTES_MAX: usize = 256 << 20;

/// Counts while a request is read.
#[derive(Debug, Default)]
pub(super) struct Limits {
    spans: usize,
    elements: usize,
    resources: usize,
}

impl Limits {
    /// One more span or log record.
    pub(super) fn span(&mut self) -> Result<(), DecodeError> {
        self.spans += 1;
        within("spans", self.spans, SPANS_MAX)?;
        self.element()
    }

    /// One more attribute of a span, record or resource, of which there were so many.
    #[inline]
    pub(super) fn attribute(&mut self, of_one: &mut usize) -> Result<(), DecodeError> {
        *of_one += 1;
        within("attributes of one span", *of_one, ATTRIBUTES_MAX)?;
        self.element()
    }

    /// One more resource, or attribute of one.
    pub(super) fn resource(&mut self) -> Result<(), DecodeError> {
        self.resources += 1;
        within("resources and their attributes", self.resources, RESOURCES_MAX)
    }

    /// One more message within another.
    #[inline]
    pub(super) fn element(&mut self) -> Result<(), DecodeError> {
        self.elements += 1;
        within("attributes and other parts", self.elements, ELEMENTS_MAX)
    }
}

/// What a body will be once it is decoded, found out before it is.
///
/// An empty span is two bytes of protobuf and hundreds of memory, and packs a thousandfold: so the spans of a large body
/// are counted first, without looking into them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Size {
    /// Spans or log records, at most. In JSON this counts whatever else lies as deep.
    spans: usize,
    bytes: usize,
    /// Objects and arrays of JSON, which are messages first and columns then.
    objects: usize,
}

/// A body of so many bytes is not looked through: room is made for as many spans as it could hold.
const COUNTED_BYTES_MIN: usize = 1 << 20;
/// Bytes of a span that says something, rather too few.
const USUAL_SPAN_BYTES: usize = 300;

/// Memory of a message of the protocol, or of the span that it becomes before it is in columns.
const OBJECT_BYTES: usize = 160;

impl Size {
    /// Memory that it takes, the body included, roughly and rather too much.
    pub(crate) const fn memory(self) -> usize {
        let besides = self.bytes * PER_BYTE;
        let besides = if besides < BESIDES_BYTES_MAX { besides } else { BESIDES_BYTES_MAX };
        2 * self.bytes + self.spans * SPAN_BYTES + besides + self.objects * OBJECT_BYTES
    }

    /// How many spans to begin with.
    pub(super) fn usual_spans(self) -> usize {
        self.spans.min(self.bytes / USUAL_SPAN_BYTES)
    }
}

/// Counts what a body holds.
///
/// # Errors
/// If it would be too much, or is malformed on the face of it.
pub(crate) fn measure(signal: Signal, encoding: Encoding, bytes: &[u8]) -> Result<Size, DecodeError> {
    let mut size = Size { bytes: bytes.len(), ..Size::default() };
    match (encoding, signal) {
        (Encoding::Protobuf, _) if bytes.len() < COUNTED_BYTES_MIN => size.spans = (bytes.len() / 2).min(SPANS_MAX),
        // Both signals have their spans or records at the same numbers: 1, 2, 2.
        (Encoding::Protobuf, Signal::Traces | Signal::Logs) => size.spans = spans(Reader::new(bytes), &[1, 2, 2])?,
        (Encoding::Json, _) => scan(bytes, &mut size)?,
    }
    Ok(size)
}

/// The messages at the end of a path of field numbers.
fn spans(mut message: Reader<'_>, path: &[u32]) -> Result<usize, DecodeError> {
    let [here, below @ ..] = path else { return Ok(1) };
    let mut count = 0;
    while let Some((field, wire)) = message.key()? {
        if field == *here && wire == Wire::Bytes {
            count += spans(message.message(wire)?, below)?;
            within("spans", count, SPANS_MAX)?;
        } else {
            message.skip(field, wire)?;
        }
    }
    Ok(count)
}

/// Spans lie in the seventh object or array from outside: `{"resourceSpans":[{"scopeSpans":[{"spans":[{`. So do the
/// values of a resource's attributes.
const JSON_SPAN_DEPTH: usize = 7;
/// And the values of a span's attributes in the tenth, one object to each; the attributes themselves in the ninth.
const JSON_ATTRIBUTE_DEPTH: usize = 9;

/// Counts objects and arrays. Whether it is JSON at all is for the decoder to say.
fn scan(bytes: &[u8], size: &mut Size) -> Result<(), DecodeError> {
    let (mut depth, mut attributes) = (0_usize, 0_usize);
    let mut rest = bytes.iter();
    while let Some(byte) = rest.next() {
        match byte {
            b'"' => loop {
                match rest.next() {
                    None | Some(b'"') => break,
                    Some(b'\\') => drop(rest.next()),
                    Some(_) => {}
                }
            },
            b'{' | b'[' => {
                depth += 1;
                size.objects += 1;
                if depth == JSON_SPAN_DEPTH {
                    size.spans += 1;
                    attributes = 0;
                }
                attributes += usize::from(depth == JSON_ATTRIBUTE_DEPTH);
                // Twice the bound: the attributes of resources are among them.
                within("spans", size.spans, 2 * SPANS_MAX)?;
                // Events and links have theirs as deep.
                within("attributes of one span", attributes, 2 * ATTRIBUTES_MAX)?;
                within("attributes and other parts", size.objects, ELEMENTS_MAX)?;
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

pub(super) const fn within(what: &'static str, count: usize, most: usize) -> Result<(), DecodeError> {
    if count > most { Err(DecodeError::TooMany { what, most }) } else { Ok(()) }
}
