//! What must hold of any bytes that are sent as an export. A fault is a panic.

use arrow::array::{Array, AsArray, new_null_array};
use opentelemetry_proto::tonic::collector::{logs::v1::ExportLogsServiceRequest, trace::v1::ExportTraceServiceRequest};
use prost::Message;
use serde_json::Value;

use crate::decode::{ATTRIBUTES_MAX, DecodeError, Decoded, Encoding, Plain, Signal, decode, plain_logs, plain_traces};

/// As protobuf: both signals are read as `prost` reads them, or refused by both.
pub fn protobuf(bytes: &[u8]) {
    for signal in [Signal::Traces, Signal::Logs] {
        as_prost_reads_it(signal, bytes);
    }
}

/// As JSON: both signals are read as the serialisation of the protocol's types reads them, where that can.
pub fn json(bytes: &[u8]) {
    for signal in [Signal::Traces, Signal::Logs] {
        as_serde_reads_it(signal, bytes);
    }
}

/// What both make of a body; `None` if they refuse it.
///
/// # Panics
/// If they differ.
pub fn as_prost_reads_it(signal: Signal, bytes: &[u8]) -> Option<Decoded> {
    let read = decode(signal, Encoding::Protobuf, bytes);
    if is_too_much(&read, bytes) {
        return None;
    }
    let Some((expected, canonical)) = of_prost(signal, bytes) else {
        assert!(matches!(read, Err(DecodeError::Malformed)), "prost refuses what is read as {read:?}");
        return None;
    };
    let expected = expected.to_columns().expect("what is within bounds for one is so for both");
    let read = read.expect("prost reads it");
    if signal == Signal::Logs && canonical != bytes {
        // The ids of a record are by its bytes, and these would not be written so by prost.
        assert_eq!(without_ids(read.clone()), without_ids(expected));
    } else {
        assert_eq!(read, expected);
    }
    Some(read)
}

fn as_serde_reads_it(signal: Signal, bytes: &[u8]) {
    let read = decode(signal, Encoding::Json, bytes);
    if is_too_much(&read, bytes) {
        return;
    }
    let Some(encoding) = of_serde(signal, bytes) else { return };
    let expected = decode(signal, Encoding::Protobuf, &encoding);
    let (Ok(read), Ok(expected)) = (read, expected) else { return };
    // Nobody says what an object is that has several values; here it is the first that the protocol lists.
    if !serde_json::from_slice(bytes).is_ok_and(|value| has_one_value(&value)) {
        return;
    }
    match signal {
        Signal::Traces => assert_eq!(read, expected),
        // The ids of a record are by what is read of it.
        Signal::Logs => assert_eq!(without_ids(read), without_ids(expected)),
    }
}

/// Whether it is more than one request may hold; that takes at least two bytes for each of the fewest.
fn is_too_much(read: &Result<Decoded, DecodeError>, bytes: &[u8]) -> bool {
    let is_it = matches!(read, Err(DecodeError::TooMany { .. }));
    assert!(!is_it || bytes.len() > 2 * ATTRIBUTES_MAX, "{} bytes are said to be too much", bytes.len());
    is_it
}

/// What prost reads, and how it writes that.
fn of_prost(signal: Signal, bytes: &[u8]) -> Option<(Plain, Vec<u8>)> {
    match signal {
        Signal::Traces => {
            let message = ExportTraceServiceRequest::decode(bytes).ok()?;
            let canonical = message.encode_to_vec();
            Some((plain_traces(message), canonical))
        }
        Signal::Logs => {
            let message = ExportLogsServiceRequest::decode(bytes).ok()?;
            let canonical = message.encode_to_vec();
            Some((plain_logs(message), canonical))
        }
    }
}

/// What serde reads, as protobuf.
fn of_serde(signal: Signal, bytes: &[u8]) -> Option<Vec<u8>> {
    match signal {
        Signal::Traces => Some(serde_json::from_slice::<ExportTraceServiceRequest>(bytes).ok()?.encode_to_vec()),
        Signal::Logs => Some(serde_json::from_slice::<ExportLogsServiceRequest>(bytes).ok()?.encode_to_vec()),
    }
}

fn has_one_value(of: &Value) -> bool {
    const VALUES: [&str; 7] =
        ["stringValue", "boolValue", "intValue", "doubleValue", "arrayValue", "kvlistValue", "bytesValue"];
    match of {
        Value::Array(items) => items.iter().all(has_one_value),
        Value::Object(fields) => {
            VALUES.iter().filter(|name| fields.contains_key(**name)).count() < 2 && fields.values().all(has_one_value)
        }
        _ => true,
    }
}

fn without_ids(mut decoded: Decoded) -> Decoded {
    decoded.span_id = decoded.parent_span_id.clone();
    let none = new_null_array(decoded.trace_id.data_type(), decoded.spans());
    decoded.trace_id = none.as_fixed_size_binary().clone();
    decoded
}
