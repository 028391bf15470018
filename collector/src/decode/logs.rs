//! Log records that are events of the conventions become spans of no duration.

use gilbreth_conventions::{attribute, kind::Kind};
use opentelemetry_proto::tonic::{collector::logs::v1::ExportLogsServiceRequest, logs::v1::LogRecord};
use prost::Message;
use sha2::{Digest, Sha256};

use super::{
    DecodeError,
    columns::{Head, Read},
    pass::Pass,
    plain::{Attribute, Batch, Plain, Span, attributes},
    shape::{Shape, check},
    slot::{Slot, Text},
    wire::Reader,
};

/// Events that are interactions.
const CLICKS: [&str; 2] = ["app.widget.click", "app.screen.click"];
/// Events that are kept as technical rows.
const TECHNICAL: [&str; 3] = ["browser.web_vital", "session.start", "session.end"];

/// Whether the event is kept, and as what: an interaction, or (inner `None`) a technical row.
fn kind(event: &str) -> Option<Option<Kind>> {
    if CLICKS.contains(&event) {
        Some(Some(Kind::Action))
    } else if TECHNICAL.contains(&event) {
        Some(None)
    } else {
        None
    }
}

/// A record's own ids, by the hash of its encoding, so that a repeat has the same. The span id that it carries is that of
/// the span it was written in, hence its parent: a row that took it for its own would pass for a repeat of that span.
struct Ids {
    span_id: [u8; 8],
    /// For a record that is of no trace.
    trace_id: [u8; 16],
}

impl Ids {
    fn of(encoding: &[u8]) -> Self {
        let hash = Sha256::digest(encoding);
        let (mut span_id, mut trace_id) = ([0; 8], [0; 16]);
        span_id.copy_from_slice(&hash[..8]);
        trace_id.copy_from_slice(&hash[8..24]);
        Self { span_id, trace_id }
    }
}

const fn at(time_ns: u64, observed_ns: u64) -> u64 {
    if time_ns == 0 { observed_ns } else { time_ns }
}

/// Reads a record into columns, if it is kept.
pub(super) fn record<'a>(pass: &mut Pass<'a>, mut message: Reader<'a>) -> Result<(), DecodeError> {
    pass.limits.span()?;
    // What it is stands behind all else.
    let Some(kind) = kind(event_name(message)?) else {
        pass.columns.other_logs += 1;
        return check(Shape::Record, message, &mut pass.limits);
    };
    pass.begin_span();
    let ids = Ids::of(message.rest());
    let mut head = Head { span_id: &ids.span_id, ..Head::default() };
    let (mut time_ns, mut observed_ns, mut attributes) = (0, 0, 0);
    while let Some((field, wire)) = message.key()? {
        match field {
            1 => time_ns = message.fixed64(wire)?,
            11 => observed_ns = message.fixed64(wire)?,
            2 | 7 => message.number(wire).map(drop)?,
            3 => message.text(wire).map(drop)?,
            5 => {
                pass.limits.element()?;
                check(Shape::Value, message.message(wire)?, &mut pass.limits)?;
            }
            6 => {
                pass.limits.attribute(&mut attributes)?;
                // The event says what it is.
                pass.attribute(message.message(wire)?, |slot| slot != Slot::Text(Text::Interaction))?;
            }
            8 => message.fixed32(wire)?,
            9 => head.trace_id = message.bytes(wire)?,
            10 => head.parent_span_id = message.bytes(wire)?,
            12 => head.name = message.bytes(wire)?,
            _ => message.skip(field, wire)?,
        }
    }
    if let Some(kind) = kind {
        pass.columns.attribute(Slot::Text(Text::Interaction), b"", Read::Text(kind.as_str().as_bytes()))?;
    }
    if head.trace_id.is_empty() {
        head.trace_id = &ids.trace_id;
    }
    head.started_at_ns = at(time_ns, observed_ns);
    head.ended_at_ns = head.started_at_ns;
    pass.columns.span(&head)
}

/// The last of a record's event names, as fields that come twice are read.
fn event_name(mut message: Reader<'_>) -> Result<&str, DecodeError> {
    let mut name = "";
    while let Some((field, wire)) = message.key()? {
        match field {
            12 => name = message.text(wire)?,
            _ => message.skip(field, wire)?,
        }
    }
    Ok(name)
}

/// A message of the protocol as rows.
#[must_use]
pub fn plain(request: ExportLogsServiceRequest) -> Plain {
    let mut read = Plain::default();
    for of_resource in request.resource_logs {
        let resource = attributes(of_resource.resource.map(|resource| resource.attributes).unwrap_or_default());
        let mut batch = Batch { resource, spans: Vec::new() };
        for record in of_resource.scope_logs.into_iter().flat_map(|scope| scope.log_records) {
            match kind(&record.event_name) {
                Some(kind) => batch.spans.push(span(record, kind)),
                None => read.other_logs += 1,
            }
        }
        read.batches.push(batch);
    }
    read
}

fn span(record: LogRecord, kind: Option<Kind>) -> Span {
    let ids = Ids::of(&record.encode_to_vec());
    let at_ns = at(record.time_unix_nano, record.observed_time_unix_nano);
    let mut attributes = attributes(record.attributes);
    attributes.retain(|attribute| attribute.name != attribute::INTERACTION);
    if let Some(kind) = kind {
        attributes.push(Attribute::text(attribute::INTERACTION, kind.as_str()));
    }
    Span {
        trace_id: if record.trace_id.is_empty() { ids.trace_id.to_vec() } else { record.trace_id },
        span_id: ids.span_id.to_vec(),
        parent_span_id: record.span_id,
        name: record.event_name,
        started_at_ns: at_ns,
        ended_at_ns: at_ns,
        failed: false,
        attributes,
    }
}
