//! Log records that are events of the conventions become spans of no duration.

use gilbreth_conventions::{attribute, kind::Kind};
use opentelemetry_proto::tonic::{collector::logs::v1::ExportLogsServiceRequest, logs::v1::LogRecord};
use prost::Message;
use sha2::{Digest, Sha256};

use super::{Attribute, Batch, Decoded, Span, attributes};

/// Events that are interactions.
const CLICKS: [&str; 2] = ["app.widget.click", "app.screen.click"];
/// Events that are kept as technical rows.
const TECHNICAL: [&str; 3] = ["browser.web_vital", "session.start", "session.end"];

pub(super) fn spans(request: ExportLogsServiceRequest) -> Decoded {
    let mut decoded = Decoded::default();
    for of_resource in request.resource_logs {
        let mut batch = Batch {
            resource: attributes(of_resource.resource.map(|resource| resource.attributes).unwrap_or_default()),
            spans: Vec::new(),
        };
        for record in of_resource.scope_logs.into_iter().flat_map(|scope| scope.log_records) {
            match kind(&record.event_name) {
                Some(kind) => batch.spans.push(span(record, kind)),
                None => decoded.other_logs += 1,
            }
        }
        decoded.batches.push(batch);
    }
    decoded
}

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

/// A record's own id is the hash of its encoding, so that a repeat has the same. The span id that it carries is that of
/// the span it was written in, hence its parent: a row that took it for its own would pass for a repeat of that span.
fn span(record: LogRecord, kind: Option<Kind>) -> Span {
    let hash = Sha256::digest(record.encode_to_vec());
    let at_ns = if record.time_unix_nano == 0 { record.observed_time_unix_nano } else { record.time_unix_nano };
    let mut attributes = attributes(record.attributes);
    attributes.retain(|attribute| attribute.name != attribute::INTERACTION);
    if let Some(kind) = kind {
        attributes.push(Attribute::text(attribute::INTERACTION, kind.as_str()));
    }
    Span {
        trace_id: if record.trace_id.is_empty() { hash[8..24].to_vec() } else { record.trace_id },
        span_id: hash[..8].to_vec(),
        parent_span_id: record.span_id,
        name: record.event_name,
        started_at_ns: at_ns,
        ended_at_ns: at_ns,
        failed: false,
        attributes,
    }
}
