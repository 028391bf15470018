//! `GET /agent.js`, `GET /notice.js` and `GET /agent/{system}.json`: what pages of case systems load, whatever their origin.
//! None is a secret: whoever opens such a page has them.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::{agent::Script, receive::export::Receiver};

/// A page asks again after so long: a new release of the collector or of the rules reaches pages within it.
const CACHED: HeaderValue = HeaderValue::from_static("public, max-age=300");

/// A script.
pub(super) fn script(script: &Script, headers: &HeaderMap) -> Response {
    let is_gzip = accepts_gzip(headers);
    let body = if is_gzip { script.gzip } else { script.plain };
    let mut response = cached(headers, tag(body), body.into());
    let told = response.headers_mut();
    told.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/javascript; charset=utf-8"));
    told.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if is_gzip {
        told.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

/// The rules of a system, by the file's name; none where it has none.
pub(super) fn rules(receiver: &Receiver, file: &str, headers: &HeaderMap) -> Response {
    let Some(system) = file.strip_suffix(".json") else { return StatusCode::NOT_FOUND.into_response() };
    let rules = receiver.rules().of(system);
    let mut response = cached(headers, tag(&rules), rules);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A body that every page may read and keep for a while, or that it has already.
fn cached(headers: &HeaderMap, tag: HeaderValue, body: Bytes) -> Response {
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|tags| tags.to_str().ok());
    let is_known = known
        .flat_map(|tags| tags.split(','))
        .any(|known| known.trim().trim_start_matches("W/").as_bytes() == tag.as_bytes());
    let mut response = match is_known {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => Body::from(body).into_response(),
    };
    let told = response.headers_mut();
    told.insert(header::ETAG, tag);
    told.insert(header::CACHE_CONTROL, CACHED);
    told.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    told.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("cross-origin"));
    told.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn tag(body: impl AsRef<[u8]>) -> HeaderValue {
    let digest = Sha256::digest(body);
    let first = u64::from_be_bytes(digest[..8].try_into().expect("a digest of SHA-256 has 32 bytes"));
    HeaderValue::from_str(&format!("\"{first:016x}\"")).expect("hex digits in quotes are a header's value")
}

/// Whether the browser takes gzip; `q=0` refuses it.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let said = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|said| said.to_str().ok());
    said.flat_map(|said| said.split(',')).any(|one| {
        let (name, quality) = one.split_once(';').unwrap_or((one, "q=1"));
        let refused = quality.trim().trim_start_matches("q=").parse() == Ok(0.0);
        name.trim().eq_ignore_ascii_case("gzip") && !refused
    })
}
