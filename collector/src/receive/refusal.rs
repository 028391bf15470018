//! Why an export is not taken, before any transport has put it into its own words.

use axum::http::StatusCode;
use tonic::Code;

use crate::{Error, ErrorKind, access::Denied, decode::DecodeError};

/// Seconds until a sender should come again, unless something else is known.
pub(super) const RETRY_AFTER_S: u64 = 2;

/// What the sender should make of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// It is not what it claims to be, and never will be.
    Malformed,
    /// It breaks the rules of the transport itself.
    Protocol,
    /// A content type or an encoding that is not taken.
    Unsupported,
    /// There is nothing of that name.
    NotFound,
    /// There is, but not for this method.
    WrongMethod,
    /// A token is needed that is known.
    Unauthenticated,
    /// This page may not send, or this token.
    Forbidden,
    /// More than one request may hold.
    TooLarge,
    /// Too much at once: again later.
    Busy,
    /// A fault of ours that can be mended: again later.
    Unavailable,
    /// The sender waits for the answer no longer.
    DeadlinePassed,
}

impl Reason {
    /// The status over HTTP. A sender repeats 503 and drops what is answered otherwise: so a fault of ours is 503, and
    /// what can never succeed is not.
    pub(super) const fn http(self) -> StatusCode {
        match self {
            Self::Malformed | Self::Protocol => StatusCode::BAD_REQUEST,
            Self::Unsupported => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Busy | Self::Unavailable | Self::DeadlinePassed => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The code in the `google.rpc.Status` of an answer over HTTP.
    pub(super) const fn code(self) -> Code {
        match self {
            Self::Malformed | Self::Protocol | Self::Unsupported => Code::InvalidArgument,
            Self::NotFound => Code::NotFound,
            Self::WrongMethod => Code::Unimplemented,
            Self::Unauthenticated => Code::Unauthenticated,
            Self::Forbidden => Code::PermissionDenied,
            Self::TooLarge => Code::ResourceExhausted,
            Self::Busy | Self::Unavailable => Code::Unavailable,
            Self::DeadlinePassed => Code::DeadlineExceeded,
        }
    }

    /// The code over gRPC, which has words of its own for what it does not know and for what breaks its framing.
    pub(super) const fn grpc(self) -> Code {
        match self {
            Self::Unsupported | Self::NotFound => Code::Unimplemented,
            Self::Protocol => Code::Internal,
            other => other.code(),
        }
    }

    /// Whether the sender should send it again, and is told when.
    pub(super) const fn is_retryable(self) -> bool {
        matches!(self, Self::Busy | Self::Unavailable)
    }
}

/// A request that is not done.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) reason: Reason,
    pub(super) message: String,
    /// When to send it again, if it is to be.
    pub(super) retry_after_s: u64,
}

impl Refusal {
    pub(super) fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), retry_after_s: RETRY_AFTER_S }
    }

    /// More bytes than one request may have.
    pub(super) fn too_large(bytes_max: usize) -> Self {
        Self::new(Reason::TooLarge, format!("at most {bytes_max} bytes are taken, after decompression"))
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let reason = match error.kind() {
            ErrorKind::Invalid => Reason::Malformed,
            ErrorKind::Overloaded => Reason::Busy,
            // A sender drops what is answered with 500; these can be mended, and then its data are still there.
            ErrorKind::Unavailable | ErrorKind::Corrupt | ErrorKind::Internal => Reason::Unavailable,
        };
        Self::new(reason, error.to_string())
    }
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        let reason = match denied {
            Denied::Limited { .. } => Reason::Busy,
            denied if denied.wants_token() => Reason::Unauthenticated,
            _ => Reason::Forbidden,
        };
        let refusal = Self::new(reason, denied.to_string());
        match denied {
            // A whole second more, so that whoever comes then is let in.
            Denied::Limited { retry_after, .. } => Self { retry_after_s: retry_after.as_secs() + 1, ..refusal },
            _ => refusal,
        }
    }
}

impl From<DecodeError> for Refusal {
    fn from(error: DecodeError) -> Self {
        let reason = match error {
            DecodeError::TooMany { .. } => Reason::TooLarge,
            DecodeError::Malformed | DecodeError::Json { .. } => Reason::Malformed,
        };
        Self::new(reason, error.to_string())
    }
}
