//! Spans from files of exports, each with what was said around it.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, bail, ensure};

use crate::wire::{fields, varint};

/// `ResourceSpans.scope_spans`.
const SCOPE_SPANS: u64 = 2;
/// `ScopeSpans.spans`.
const SPANS: u64 = 2;
/// `Span.span_id`.
const SPAN_ID: u64 = 2;

/// A span as the bytes that were sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span<'a> {
    /// Every field of its `ResourceSpans` but the spans, and of its `ScopeSpans` likewise: numbers and bytes.
    pub(crate) around: &'a Around<'a>,
    pub(crate) bytes: &'a [u8],
    /// Where in `bytes` its id stands.
    pub(crate) id_at: usize,
}

/// What is said once about several spans.
#[derive(Debug, PartialEq, Eq, Default)]
pub(crate) struct Around<'a> {
    pub(crate) resource: Vec<(u64, &'a [u8])>,
    pub(crate) scope: Vec<(u64, &'a [u8])>,
}

/// Gives every span of the files to `take`, in order, until it wants no more; says whether it wants more.
pub(crate) fn each_span(files: &[PathBuf], mut take: impl FnMut(Span<'_>) -> bool) -> anyhow::Result<bool> {
    for file in files {
        let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        let more = of_file(&bytes, &mut take).with_context(|| format!("{} is malformed", file.display()))?;
        if !more {
            return Ok(false);
        }
    }
    Ok(true)
}

fn of_file(mut bytes: &[u8], take: &mut impl FnMut(Span<'_>) -> bool) -> anyhow::Result<bool> {
    while !bytes.is_empty() {
        let length = usize::try_from(varint(&mut bytes)?)?;
        let (request, rest) = bytes.split_at_checked(length).context("an export that ends too soon")?;
        bytes = rest;
        for resource_spans in fields(request) {
            if !of_resource(resource_spans?.bytes, take)? {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

fn of_resource<'a>(message: &'a [u8], take: &mut impl FnMut(Span<'_>) -> bool) -> anyhow::Result<bool> {
    let all = fields(message).collect::<anyhow::Result<Vec<_>>>()?;
    let other: Vec<(u64, &'a [u8])> =
        all.iter().filter(|field| field.number != SCOPE_SPANS).map(|field| (field.number, field.bytes)).collect();
    for scope_spans in all.iter().filter(|field| field.number == SCOPE_SPANS) {
        let mut around = Around { resource: other.clone(), scope: Vec::new() };
        let mut spans = Vec::new();
        for field in fields(scope_spans.bytes) {
            let field = field?;
            if field.number == SPANS {
                spans.push(field.bytes);
            } else {
                around.scope.push((field.number, field.bytes));
            }
        }
        for bytes in spans {
            let span = Span { around: &around, bytes, id_at: id_at(bytes)? };
            if !take(span) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

fn id_at(span: &[u8]) -> anyhow::Result<usize> {
    for field in fields(span) {
        let field = field?;
        if field.number == SPAN_ID {
            ensure!(field.bytes.len() == 8, "a span id of {} bytes", field.bytes.len());
            return Ok(field.bytes.as_ptr() as usize - span.as_ptr() as usize);
        }
    }
    bail!("a span without an id")
}
