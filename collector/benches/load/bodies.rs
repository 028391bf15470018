//! Requests as they go over the wire, made before the clock starts.

use std::{fmt, io::Write as _};

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;

use crate::{
    input::{Around, Span, each_span},
    options::{Options, Protocol},
    wire::{put, put_head, size},
};

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Body {
    pub(crate) bytes: Bytes,
    pub(crate) spans: u32,
}

/// All of them, in the order in which they are sent.
#[derive(Debug)]
pub(crate) struct Bodies {
    pub(crate) all: Vec<Body>,
    /// Bytes before packing.
    bytes: u64,
    resources: u64,
}

impl Bodies {
    /// As many requests as it takes for the spans asked for.
    pub(crate) fn prepare(options: &Options) -> anyhow::Result<Self> {
        let mut making = Making::new(options);
        for pass in options.first_pass.. {
            let had = making.spans;
            let more = each_span(&options.files, |span| making.add(span, pass))?;
            ensure!(making.spans > had, "there is no span in the files");
            if !more {
                break;
            }
        }
        making.finish()
    }

    fn spans(&self) -> u64 {
        self.all.iter().map(|body| u64::from(body.spans)).sum()
    }
}

impl fmt::Display for Bodies {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (spans, requests) = (self.spans(), self.all.len() as u64);
        let packed: u64 = self.all.iter().map(|body| body.bytes.len() as u64).sum();
        write!(
            formatter,
            "{spans} spans in {requests} requests, {} bytes a span, {} on the wire, {} resources a request",
            self.bytes / spans.max(1),
            packed / spans.max(1),
            self.resources / requests.max(1)
        )
    }
}

/// Spans come one by one and go out in requests. Those that follow each other and have the same resource and scope
/// share them, as in what was read: a gateway that gathers the exports of many senders makes just such requests.
struct Making {
    bodies: Bodies,
    spans: u64,
    spans_max: u64,
    batch: u32,
    protocol: Protocol,
    gzip: bool,
    request: Vec<u8>,
    in_request: u32,
    /// The spans of the last resource and scope, encoded as fields, and what stands around them.
    group: Vec<u8>,
    around: Option<(Vec<u8>, Vec<u8>)>,
    failed: Option<anyhow::Error>,
}

impl Making {
    fn new(options: &Options) -> Self {
        Self {
            bodies: Bodies { all: Vec::new(), bytes: 0, resources: 0 },
            spans: 0,
            spans_max: options.spans,
            batch: options.batch,
            protocol: options.protocol,
            gzip: options.gzip,
            request: Vec::new(),
            in_request: 0,
            group: Vec::new(),
            around: None,
            failed: None,
        }
    }

    /// Takes a span; says whether more are wanted.
    fn add(&mut self, span: Span<'_>, pass: u64) -> bool {
        let around = encoded(span.around);
        if self.around.as_ref() != Some(&around) {
            self.end_group();
            self.around = Some(around);
        }
        put_head(2, span.bytes.len(), &mut self.group);
        let at = self.group.len() + span.id_at;
        self.group.extend_from_slice(span.bytes);
        if pass > 0 {
            renew(&mut self.group[at..at + 8], pass);
        }
        self.spans += 1;
        self.in_request += 1;
        if self.in_request == self.batch
            && let Err(error) = self.end_request()
        {
            self.failed = Some(error);
            return false;
        }
        self.spans < self.spans_max
    }

    fn end_group(&mut self) {
        let Some((resource, scope)) = self.around.take() else { return };
        let scope_spans = scope.len() + self.group.len();
        put_head(1, resource.len() + size(2, scope_spans), &mut self.request);
        self.request.extend_from_slice(&resource);
        put_head(2, scope_spans, &mut self.request);
        self.request.extend_from_slice(&scope);
        self.request.append(&mut self.group);
        self.bodies.resources += 1;
    }

    fn end_request(&mut self) -> anyhow::Result<()> {
        self.end_group();
        let request = std::mem::take(&mut self.request);
        if self.bodies.all.is_empty() {
            check(&request, self.in_request)?;
        }
        self.bodies.bytes += request.len() as u64;
        let packed = if self.gzip { gzip(&request)? } else { request };
        let bytes = match self.protocol {
            Protocol::Http => packed,
            Protocol::Grpc => framed(&packed, self.gzip)?,
        };
        self.bodies.all.push(Body { bytes: bytes.into(), spans: self.in_request });
        self.in_request = 0;
        Ok(())
    }

    fn finish(mut self) -> anyhow::Result<Bodies> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        if self.in_request > 0 {
            self.end_request()?;
        }
        Ok(self.bodies)
    }
}

/// What stands around spans in `ResourceSpans` and in `ScopeSpans`.
fn encoded(around: &Around<'_>) -> (Vec<u8>, Vec<u8>) {
    let encoded = |fields: &[(u64, &[u8])]| {
        let mut bytes = Vec::new();
        fields.iter().for_each(|(number, value)| put(*number, value, &mut bytes));
        bytes
    };
    (encoded(&around.resource), encoded(&around.scope))
}

/// Another id for another pass: one to one within a pass, and spread so that passes do not meet.
fn renew(id: &mut [u8], pass: u64) {
    let mut mixed = id.iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
    mixed = mixed.wrapping_add(pass.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    id.copy_from_slice(&mixed.max(1).to_be_bytes());
}

/// That the request is what another reader takes for one: else all that follows would measure refusals.
fn check(request: &[u8], spans: u32) -> anyhow::Result<()> {
    let read = ExportTraceServiceRequest::decode(request).context("a request was put together wrongly")?;
    let found: usize =
        read.resource_spans.iter().flat_map(|resource| &resource.scope_spans).map(|scope| scope.spans.len()).sum();
    ensure!(found == spans as usize, "a request of {spans} spans holds {found}");
    Ok(())
}

fn gzip(bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 8), Compression::default());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

/// A message as gRPC sends it: whether it is packed, its length, itself.
fn framed(message: &[u8], is_packed: bool) -> anyhow::Result<Vec<u8>> {
    let mut framed = Vec::with_capacity(message.len() + 5);
    framed.push(u8::from(is_packed));
    framed.extend_from_slice(&u32::try_from(message.len())?.to_be_bytes());
    framed.extend_from_slice(message);
    Ok(framed)
}
