//! Answers, in the encoding of the request: the export's response, or a `google.rpc.Status`.

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use prost::Message;
use serde_json::json;

use crate::{
    Error, ErrorKind,
    access::Denied,
    decode::{Encoding, Signal},
    gate::Admission,
};

/// Seconds until a sender should come again, unless something else is known.
const RETRY_AFTER_S: u64 = 2;

/// The encoding that a request names; `text/plain` is the JSON of a page's beacon, which may name no other type.
pub(super) fn encoding_of(headers: &HeaderMap) -> Option<Encoding> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    match value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "application/x-protobuf" => Some(Encoding::Protobuf),
        "application/json" | "text/plain" => Some(Encoding::Json),
        _ => None,
    }
}

/// Why a request is not done, and what the sender should make of it.
#[derive(Debug)]
pub(super) struct Failure {
    status: StatusCode,
    message: String,
    retry_after_s: u64,
}

impl Failure {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), retry_after_s: RETRY_AFTER_S }
    }

    #[cfg(test)]
    pub(super) const fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) fn into_response(self, encoding: Encoding) -> Response {
        let code = self.grpc_code();
        let body = match encoding {
            Encoding::Protobuf => Status { code, message: self.message }.encode_to_vec(),
            Encoding::Json => json!({ "code": code, "message": self.message }).to_string().into_bytes(),
        };
        let mut response = encoded(self.status, encoding, body);
        if matches!(self.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            response.headers_mut().insert(header::RETRY_AFTER, self.retry_after_s.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }

    /// The codes of `google.rpc.Code`.
    fn grpc_code(&self) -> i32 {
        match self.status {
            StatusCode::BAD_REQUEST | StatusCode::UNSUPPORTED_MEDIA_TYPE => 3,
            StatusCode::NOT_FOUND => 5,
            StatusCode::FORBIDDEN => 7,
            StatusCode::PAYLOAD_TOO_LARGE | StatusCode::TOO_MANY_REQUESTS => 8,
            StatusCode::METHOD_NOT_ALLOWED => 12,
            StatusCode::SERVICE_UNAVAILABLE => 14,
            StatusCode::UNAUTHORIZED => 16,
            _ => 13,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let status = match error.kind() {
            ErrorKind::Invalid => StatusCode::BAD_REQUEST,
            ErrorKind::Overloaded => StatusCode::TOO_MANY_REQUESTS,
            // A sender drops what is answered with 500; these can be mended, and then its data are still there.
            ErrorKind::Unavailable | ErrorKind::Corrupt | ErrorKind::Internal => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, error.to_string())
    }
}

impl From<Denied> for Failure {
    fn from(denied: Denied) -> Self {
        let (status, retry_after_s) = match denied {
            // A whole second more, so that whoever comes then is let in.
            Denied::Limited { retry_after, .. } => (StatusCode::TOO_MANY_REQUESTS, retry_after.as_secs() + 1),
            denied if denied.wants_token() => (StatusCode::UNAUTHORIZED, RETRY_AFTER_S),
            _ => (StatusCode::FORBIDDEN, RETRY_AFTER_S),
        };
        Self { retry_after_s, ..Self::new(status, denied.to_string()) }
    }
}

/// `google.rpc.Status` without details.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Status {
    #[prost(int32, tag = "1")]
    pub(super) code: i32,
    #[prost(string, tag = "2")]
    pub(super) message: String,
}

/// What an export is answered with: nothing, or how many were refused and why. The messages of both signals have the
/// same numbers, so one does for both.
pub(super) fn done(signal: Signal, encoding: Encoding, admission: &Outcome) -> Response {
    let body = match (&admission.message, encoding) {
        (None, Encoding::Protobuf) => Vec::new(),
        (None, Encoding::Json) => b"{}".to_vec(),
        (Some(message), Encoding::Protobuf) => ExportResponse {
            partial_success: Some(PartialSuccess { rejected: admission.refused, error_message: message.clone() }),
        }
        .encode_to_vec(),
        (Some(message), Encoding::Json) => {
            let rejected = match signal {
                Signal::Traces => "rejectedSpans",
                Signal::Logs => "rejectedLogRecords",
            };
            let refused = admission.refused.to_string();
            json!({ "partialSuccess": { rejected: refused, "errorMessage": message } }).to_string().into_bytes()
        }
    };
    encoded(StatusCode::OK, encoding, body)
}

/// What the sender is told about an admission.
pub(super) struct Outcome {
    refused: i64,
    message: Option<String>,
}

impl Outcome {
    pub(super) fn of(admission: &Admission) -> Self {
        Self {
            refused: i64::try_from(admission.counts.refused).unwrap_or(i64::MAX),
            message: admission.refusal_message(),
        }
    }
}

#[derive(Clone, PartialEq, prost::Message)]
struct ExportResponse {
    #[prost(message, optional, tag = "1")]
    partial_success: Option<PartialSuccess>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct PartialSuccess {
    #[prost(int64, tag = "1")]
    rejected: i64,
    #[prost(string, tag = "2")]
    error_message: String,
}

fn encoded(status: StatusCode, encoding: Encoding, body: Vec<u8>) -> Response {
    let content_type = match encoding {
        Encoding::Protobuf => "application/x-protobuf",
        Encoding::Json => "application/json",
    };
    (status, [(header::CONTENT_TYPE, content_type)], body).into_response()
}
