//! How much a body will be once it is decoded, found out before anything is.
//!
//! An empty span is two bytes of protobuf and hundreds of memory, and packs a thousandfold. So a body is walked once,
//! without keeping anything, and is decoded only if what it would make is bounded. The walk knows the protocol's messages
//! as far as they hold others: what it does not know, decoding skips too.

use super::{DecodeError, Encoding, Signal};

/// Spans (or log records) of one request; more should come in several.
pub const SPANS_MAX: usize = 65_536;
/// Attributes of one span, log record or resource. SDKs stop at 128 by default.
pub const ATTRIBUTES_MAX: usize = 1_024;
/// Messages within messages, or objects and arrays of JSON: spans, attributes, their values, and all else.
pub const ELEMENTS_MAX: usize = 2 << 20;
/// Values within values, as deep as decoding goes.
const DEPTH_MAX: usize = 100;
/// Memory of a decoded span, its attributes aside.
const SPAN_BYTES: usize = 512;
/// Memory of a decoded attribute, value, event …
const ELEMENT_BYTES: usize = 160;

/// What a body will be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Size {
    /// Spans or log records. In JSON this counts whatever else lies as deep.
    spans: usize,
    elements: usize,
    bytes: usize,
}

impl Size {
    /// Memory that it takes, roughly and rather too much.
    pub(crate) const fn memory(self) -> usize {
        2 * self.bytes + self.spans * SPAN_BYTES + self.elements * ELEMENT_BYTES
    }
}

/// Walks a body.
///
/// # Errors
/// If it would be too much, or is malformed on the face of it.
pub(crate) fn measure(signal: Signal, encoding: Encoding, bytes: &[u8]) -> Result<Size, DecodeError> {
    let mut size = Size { bytes: bytes.len(), ..Size::default() };
    match encoding {
        Encoding::Protobuf => {
            let root = match signal {
                Signal::Traces => Message::Traces,
                Signal::Logs => Message::Logs,
            };
            walk(root, bytes, 0, &mut size)?;
        }
        Encoding::Json => scan(bytes, &mut size)?,
    }
    Ok(size)
}

/// Messages that hold messages, or lists.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Message {
    Traces,
    ResourceSpans,
    ScopeSpans,
    Span,
    Logs,
    ResourceLogs,
    ScopeLogs,
    Record,
    Resource,
    Scope,
    Entity,
    Event,
    Link,
    Pair,
    Value,
    Array,
    Map,
    /// Holds nothing more, but may be there often.
    Leaf,
}

impl Message {
    /// What a field of it holds.
    const fn field(self, number: u64) -> Option<Self> {
        Some(match (self, number) {
            (Self::Traces, 1) => Self::ResourceSpans,
            (Self::ResourceSpans, 2) => Self::ScopeSpans,
            (Self::ScopeSpans, 2) => Self::Span,
            (Self::Logs, 1) => Self::ResourceLogs,
            (Self::ResourceLogs, 2) => Self::ScopeLogs,
            (Self::ScopeLogs, 2) => Self::Record,
            (Self::ResourceSpans | Self::ResourceLogs, 1) => Self::Resource,
            (Self::ScopeSpans | Self::ScopeLogs, 1) => Self::Scope,
            (Self::Resource, 3) => Self::Entity,
            (Self::Span, 11) => Self::Event,
            (Self::Span, 13) => Self::Link,
            (Self::Span, 9)
            | (Self::Resource | Self::Map, 1)
            | (Self::Scope | Self::Event, 3)
            | (Self::Link, 4)
            | (Self::Record, 6) => Self::Pair,
            (Self::Pair, 2) | (Self::Record, 5) | (Self::Array, 1) => Self::Value,
            (Self::Value, 5) => Self::Array,
            (Self::Value, 6) => Self::Map,
            (Self::Span, 15) | (Self::Entity, 3 | 4) => Self::Leaf,
            _ => return None,
        })
    }
}

fn walk(message: Message, mut rest: &[u8], depth: usize, size: &mut Size) -> Result<(), DecodeError> {
    if depth > DEPTH_MAX {
        return Err(DecodeError::Malformed);
    }
    let (mut groups, mut attributes) = (0_usize, 0_usize);
    while !rest.is_empty() {
        let key = varint(&mut rest)?;
        match key & 7 {
            0 => {
                varint(&mut rest)?;
            }
            1 => take(&mut rest, 8).map(drop)?,
            2 => {
                let length = usize::try_from(varint(&mut rest)?).map_err(|_| DecodeError::Malformed)?;
                let body = take(&mut rest, length)?;
                // Groups are of no field known here, and what is in them is skipped.
                let Some(inner) = message.field(key >> 3).filter(|_| groups == 0) else { continue };
                size.elements += 1;
                size.spans += usize::from(matches!(inner, Message::Span | Message::Record));
                attributes += usize::from(inner == Message::Pair);
                within("spans", size.spans, SPANS_MAX)?;
                within("attributes of one span", attributes, ATTRIBUTES_MAX)?;
                within("attributes and other parts", size.elements, ELEMENTS_MAX)?;
                walk(inner, body, depth + 1, size)?;
            }
            3 => groups += 1,
            4 => groups = groups.checked_sub(1).ok_or(DecodeError::Malformed)?,
            5 => take(&mut rest, 4).map(drop)?,
            _ => return Err(DecodeError::Malformed),
        }
    }
    Ok(())
}

fn varint(rest: &mut &[u8]) -> Result<u64, DecodeError> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, after) = rest.split_first().ok_or(DecodeError::Malformed)?;
        *rest = after;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(DecodeError::Malformed)
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], DecodeError> {
    let (taken, after) = rest.split_at_checked(length).ok_or(DecodeError::Malformed)?;
    *rest = after;
    Ok(taken)
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
                size.elements += 1;
                if depth == JSON_SPAN_DEPTH {
                    size.spans += 1;
                    attributes = 0;
                }
                attributes += usize::from(depth == JSON_ATTRIBUTE_DEPTH);
                // Twice the bound: the attributes of resources are among them.
                within("spans", size.spans, 2 * SPANS_MAX)?;
                // Events and links have theirs as deep.
                within("attributes of one span", attributes, 2 * ATTRIBUTES_MAX)?;
                within("attributes and other parts", size.elements, ELEMENTS_MAX)?;
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

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::{
        collector::{logs::v1::ExportLogsServiceRequest, trace::v1::ExportTraceServiceRequest},
        common::v1::{AnyValue, ArrayValue, KeyValue, any_value},
        logs::v1::{LogRecord, ResourceLogs, ScopeLogs},
        resource::v1::Resource,
        trace::v1::{ResourceSpans, ScopeSpans, Span},
    };
    use prost::Message as _;

    use super::*;

    fn pair(value: Option<any_value::Value>) -> KeyValue {
        KeyValue { key: "k".to_owned(), value: Some(AnyValue { value }), ..KeyValue::default() }
    }

    fn request(spans: usize, attributes: usize) -> ExportTraceServiceRequest {
        let text = || Some(any_value::Value::StringValue("v".to_owned()));
        let span = Span { attributes: (0..attributes).map(|_| pair(text())).collect(), ..Span::default() };
        let scope_spans = vec![ScopeSpans { spans: vec![span; spans], ..ScopeSpans::default() }];
        let resource = Some(Resource { attributes: vec![pair(text())], ..Resource::default() });
        let resource_spans = vec![ResourceSpans { resource, scope_spans, ..ResourceSpans::default() }];
        ExportTraceServiceRequest { resource_spans }
    }

    fn of(signal: Signal, encoding: Encoding, bytes: &[u8]) -> Result<(usize, usize), String> {
        measure(signal, encoding, bytes).map(|size| (size.spans, size.elements)).map_err(|error| error.to_string())
    }

    #[test]
    fn spans_and_parts_are_counted_in_both_encodings() {
        let sent = request(3, 2);
        // One of each: resource spans, resource, its attribute and value, scope spans; then 3 × (1 + 2 × 2).
        assert_eq!(of(Signal::Traces, Encoding::Protobuf, &sent.encode_to_vec()), Ok((3, 20)));
        let json =
            br#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"a{[\"{"},{"attributes":[{"value":{}}]}]}]}]}"#;
        // Seven down to the first span, the second, its attributes, one of them, its value.
        assert_eq!(of(Signal::Traces, Encoding::Json, json), Ok((2, 11)));
        let scope_logs = vec![ScopeLogs { log_records: vec![LogRecord::default(); 4], ..ScopeLogs::default() }];
        let logs =
            ExportLogsServiceRequest { resource_logs: vec![ResourceLogs { scope_logs, ..ResourceLogs::default() }] };
        assert_eq!(of(Signal::Logs, Encoding::Protobuf, &logs.encode_to_vec()), Ok((4, 6)));
    }

    #[test]
    fn too_much_is_refused_before_it_is_decoded() {
        let protobuf = |spans, attributes| {
            of(Signal::Traces, Encoding::Protobuf, &request(spans, attributes).encode_to_vec()).map(drop)
        };
        assert_eq!(protobuf(SPANS_MAX, 0), Ok(()));
        assert_eq!(protobuf(SPANS_MAX + 1, 0), Err("more than 65536 spans in one request".to_owned()));
        assert_eq!(protobuf(1, ATTRIBUTES_MAX), Ok(()));
        let attributes = "more than 1024 attributes of one span in one request".to_owned();
        assert_eq!(protobuf(1, ATTRIBUTES_MAX + 1), Err(attributes));
        // Two bytes each: the emptiest of values, in one array.
        let values = vec![AnyValue::default(); ELEMENTS_MAX];
        let array = pair(Some(any_value::Value::ArrayValue(ArrayValue { values })));
        let mut sent = request(1, 0);
        sent.resource_spans[0].scope_spans[0].spans[0].attributes.push(array);
        let parts = Err("more than 2097152 attributes and other parts in one request".to_owned());
        assert_eq!(of(Signal::Traces, Encoding::Protobuf, &sent.encode_to_vec()).map(drop), parts);

        let json = |spans: &str| format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{spans}]}}]}}]}}"#);
        for empty in ["{},", "[],"] {
            let many = json(empty.repeat(2 * SPANS_MAX + 1).trim_end_matches(','));
            assert!(of(Signal::Traces, Encoding::Json, many.as_bytes()).unwrap_err().contains("spans"));
        }
        let many = json(&format!(r#"{{"attributes":[{}]}}"#, vec!["{}"; 2 * ATTRIBUTES_MAX + 1].join(",")));
        assert!(of(Signal::Traces, Encoding::Json, many.as_bytes()).unwrap_err().contains("attributes of one span"));
    }

    #[test]
    fn what_is_cut_short_or_nested_without_end_is_malformed() {
        let whole = request(2, 2).encode_to_vec();
        let malformed = Err(DecodeError::Malformed.to_string());
        for length in [1, whole.len() / 2, whole.len() - 1] {
            assert_eq!(of(Signal::Traces, Encoding::Protobuf, &whole[..length]), malformed, "{length}");
        }
        let mut value = AnyValue::default();
        for _ in 0..DEPTH_MAX {
            value = AnyValue { value: Some(any_value::Value::ArrayValue(ArrayValue { values: vec![value] })) };
        }
        let mut sent = request(1, 0);
        sent.resource_spans[0].scope_spans[0].spans[0].attributes.push(pair(value.value));
        assert_eq!(of(Signal::Traces, Encoding::Protobuf, &sent.encode_to_vec()), malformed);
    }
}
