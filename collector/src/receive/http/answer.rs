//! Answers, in the encoding of the request: the export's response, or a `google.rpc.Status`.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use prost::Message;
use serde_json::json;
use tonic_types::pb::Status;

use crate::{
    decode::{Encoding, Signal},
    receive::{
        export::Outcome,
        refusal::{Reason, Refusal},
    },
};

/// Why a request is not done.
pub(super) fn refused(refusal: &Refusal, encoding: Encoding) -> Response {
    let (code, message) = (refusal.reason.code() as i32, &refusal.message);
    let body = match encoding {
        Encoding::Protobuf => Status { code, message: message.clone(), details: Vec::new() }.encode_to_vec(),
        Encoding::Json => json!({ "code": code, "message": message }).to_string().into_bytes(),
    };
    let mut response = encoded(refusal.reason.http(), encoding, body);
    if refusal.reason.is_retryable() {
        response.headers_mut().insert(header::RETRY_AFTER, refusal.retry_after_s.into());
    }
    if refusal.reason == Reason::Unauthenticated {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

/// What an export is answered with: nothing, or how many were refused and why.
pub(super) fn done(signal: Signal, encoding: Encoding, outcome: &Outcome) -> Response {
    let body = match (&outcome.message, encoding) {
        (_, Encoding::Protobuf) => outcome.to_protobuf(),
        (None, Encoding::Json) => b"{}".to_vec(),
        (Some(message), Encoding::Json) => {
            let rejected = match signal {
                Signal::Traces => "rejectedSpans",
                Signal::Logs => "rejectedLogRecords",
            };
            let refused = outcome.refused.to_string();
            json!({ "partialSuccess": { rejected: refused, "errorMessage": message } }).to_string().into_bytes()
        }
    };
    encoded(StatusCode::OK, encoding, body)
}

fn encoded(status: StatusCode, encoding: Encoding, body: Vec<u8>) -> Response {
    let content_type = match encoding {
        Encoding::Protobuf => "application/x-protobuf",
        Encoding::Json => "application/json",
    };
    (status, [(header::CONTENT_TYPE, content_type)], body).into_response()
}
