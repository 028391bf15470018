//! Answers: a message and trailers, or trailers alone.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use tonic::Status;
use tonic_types::{ErrorDetails, StatusExt as _};

use super::frame::PREFIX_BYTES;
use crate::receive::{export::Outcome, refusal::Refusal};

/// What messages may be packed with.
const ACCEPTED: HeaderValue = HeaderValue::from_static("identity,gzip,zstd");
const ACCEPT_ENCODING: &str = "grpc-accept-encoding";

/// An export that is stored.
pub(super) fn done(outcome: &Outcome) -> Response {
    let message = outcome.to_protobuf();
    let mut framed = Vec::with_capacity(PREFIX_BYTES + message.len());
    framed.push(0);
    framed.extend(u32::try_from(message.len()).expect("a message says at most six reasons").to_be_bytes());
    framed.extend(message);
    let trailers = HeaderMap::from_iter([(Status::GRPC_STATUS, HeaderValue::from_static("0"))]);
    let body = Full::new(Bytes::from(framed)).with_trailers(async { Some(Ok(trailers)) });
    let mut response = Response::new(Body::new(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response.headers_mut().insert(ACCEPT_ENCODING, ACCEPTED);
    response
}

/// An export that is not.
pub(super) fn refused(refusal: Refusal) -> Response {
    let code = refusal.reason.grpc();
    let status = if refusal.reason.is_retryable() {
        let after = std::time::Duration::from_secs(refusal.retry_after_s);
        Status::with_error_details(code, refusal.message, ErrorDetails::with_retry_info(Some(after)))
    } else {
        Status::new(code, refusal.message)
    };
    let mut response = status.into_http::<Body>();
    response.headers_mut().insert(ACCEPT_ENCODING, ACCEPTED);
    response
}
