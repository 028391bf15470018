//! OTLP bytes → columns. Pure: no clock, no store, nothing judged; what a span must be is the gate's business.
//!
//! ```text
//! protobuf ─────────────────── pass ─▶ columns
//! JSON ─▶ messages ─▶ plain spans ─────▶┘
//! ```
//!
//! Protocol types stop here. Protobuf is read in one forward pass without making a span of it ([`pass`]); JSON, as the
//! protocol's own rules have it ([`json`]), and whoever makes spans in the program ([`Plain`]) go through rows to the same
//! columns. What is not carried over (events, links, status messages, log bodies) is gone before anything else sees it,
//! though a fault in it is a fault of the request. The oracle of the tests is `prost`.

mod columns;
mod json;
mod limits;
mod logs;
mod pass;
mod plain;
mod shape;
mod slot;
#[cfg(test)]
mod tests;
mod wire;
mod words;

pub use self::{
    columns::Decoded,
    limits::{ATTRIBUTES_MAX, ELEMENTS_MAX, RESOURCES_MAX, SPANS_MAX},
    logs::plain as plain_logs,
    plain::{Attribute, Batch, Plain, Span, Value, traces as plain_traces},
};
pub(crate) use self::{
    columns::{Entry, Value as EntryValue, items_of},
    limits::{Size, measure},
    slot::{Integer, List, Text},
    words::Texts,
};

/// How an export is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Protocol buffers.
    Protobuf,
    /// JSON as OTLP defines it.
    Json,
}

/// What is exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Spans.
    Traces,
    /// Log records.
    Logs,
}

/// The bytes are no export of that encoding.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Not protocol buffers, or not of the protocol's messages.
    #[error("the body is not an OTLP protobuf message")]
    Malformed,
    /// More than one request may hold.
    #[error("more than {most} {what} in one request")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many are taken.
        most: usize,
    },
    /// Not JSON, or not of the protocol's form. Only the place is told: serde's message may quote the input.
    #[error("the body is not OTLP JSON: {fault} at line {line}, column {column}")]
    Json {
        /// What kind of fault.
        fault: &'static str,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
}

/// Decodes an export.
///
/// # Errors
/// `Malformed` or `Json` if it is not what it claims to be, by as much as a byte; an id that is not hex makes JSON
/// malformed. `TooMany` if it holds more than [`SPANS_MAX`], [`ATTRIBUTES_MAX`], [`RESOURCES_MAX`] or [`ELEMENTS_MAX`].
pub fn decode(signal: Signal, encoding: Encoding, body: &[u8]) -> Result<Decoded, DecodeError> {
    let size = measure(signal, encoding, body)?;
    decode_measured(signal, encoding, body, size)
}

/// The same for a body that was measured before, to make room for it.
pub(crate) fn decode_measured(
    signal: Signal,
    encoding: Encoding,
    body: &[u8],
    size: Size,
) -> Result<Decoded, DecodeError> {
    match (encoding, signal) {
        (Encoding::Protobuf, _) => pass::decode(signal, body, size.usual_spans()),
        (Encoding::Json, Signal::Traces) => plain::traces(json::traces(body)?).to_columns(),
        (Encoding::Json, Signal::Logs) => logs::plain(json::logs(body)?).to_columns(),
    }
}
