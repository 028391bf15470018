//! What the headers of a request say about its body.

use axum::http::{HeaderMap, HeaderName, header};

use crate::{
    decode::Encoding,
    receive::{
        Compression,
        refusal::{Reason, Refusal},
    },
};

/// The encoding that a request names, once; `text/plain` is the JSON of a page's beacon, which may name no other type.
pub(super) fn encoding(headers: &HeaderMap) -> Option<Encoding> {
    let value = one(headers, &header::CONTENT_TYPE)?;
    match value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "application/x-protobuf" => Some(Encoding::Protobuf),
        "application/json" | "text/plain" => Some(Encoding::Json),
        _ => None,
    }
}

/// How the body is packed: once, or not at all.
pub(super) fn compression(headers: &HeaderMap) -> Result<Compression, Refusal> {
    if !headers.contains_key(header::CONTENT_ENCODING) {
        return Ok(Compression::None);
    }
    one(headers, &header::CONTENT_ENCODING)
        .and_then(|name| Compression::named(name.trim()))
        .ok_or_else(|| Refusal::new(Reason::Unsupported, "the content encoding must be one of identity, gzip and zstd"))
}

/// How long the body will be, if that is said.
pub(super) fn length(headers: &HeaderMap) -> Option<usize> {
    one(headers, &header::CONTENT_LENGTH)?.parse().ok()
}

/// The value of a header that is there once.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}
