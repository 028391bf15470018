//! One export: body → spans → gate → pipeline → answer.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{HeaderMap, StatusCode, header},
    response::Response,
};
use bytes::Bytes;
use futures::StreamExt;
use tokio::sync::OwnedSemaphorePermit;

use super::{
    State,
    answer::{self, Failure, Outcome},
    cors,
};
use crate::{
    Error, ErrorKind,
    decode::{DecodeError, Encoding, Signal, Size, decode_measured, measure},
    gate::{self, Admission, Source},
    receive::compression::{Compression, UnpackError},
};

/// A packed body is at first expected to become no more than so many times its size.
const UNPACKS_TIMES: usize = 16;
/// A body that takes longer holds its room for nothing.
const BODY_TIME_MAX: Duration = Duration::from_millis(if cfg!(test) { 500 } else { 60_000 });

#[tracing::instrument(name = "export", skip_all, fields(signal = ?signal))]
pub(super) async fn handle(state: State, signal: Signal, headers: HeaderMap, body: Body) -> Response {
    let encoding = answer::encoding_of(&headers);
    let told = encoding.unwrap_or(Encoding::Json);
    let result = match encoding {
        Some(encoding) => export(&state, signal, encoding, &headers, body).await,
        None => Err(Failure::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the content type must be application/x-protobuf, application/json or text/plain (JSON)",
        )),
    };
    let mut response = match result {
        Ok(outcome) => {
            state.0.metrics.request(StatusCode::OK);
            answer::done(signal, told, &outcome)
        }
        Err(failure) => {
            state.0.metrics.request(failure.status());
            failure.into_response(told)
        }
    };
    cors::permit(&state, &headers, &mut response);
    response
}

async fn export(
    state: &State,
    signal: Signal,
    encoding: Encoding,
    headers: &HeaderMap,
    body: Body,
) -> Result<Outcome, Failure> {
    if !cors::is_allowed(state, headers) {
        return Err(Failure::new(StatusCode::FORBIDDEN, "pages of this origin may not send: see cors_origins"));
    }
    let compression = compression_of(headers)?;
    let packed = read(body, state).await?;
    let received_at_us = (state.0.now_us)();
    let Ok(_place) = state.0.at_once.try_acquire() else {
        return Err(Failure::new(StatusCode::TOO_MANY_REQUESTS, "too many requests at once"));
    };
    let unpacked = unpack(state, compression, packed).await?;
    let measured = unpacked.0.clone();
    let size = beside(move || measure(signal, encoding, &measured)).await?.map_err(refused)?;
    let _decoded = state.0.room.decoded(size.memory()).await?;
    let judging = state.clone();
    let admission = beside(move || judge(&judging, signal, encoding, unpacked, size, received_at_us)).await??;
    state.0.metrics.intake(&admission);
    let outcome = Outcome::of(&admission);
    match (state.0.submit)(admission.admitted, admission.counts).await {
        Ok(()) => {
            state.0.metrics.set_ready(true);
            Ok(outcome)
        }
        Err(error) => {
            state.0.metrics.set_ready(error.kind() == ErrorKind::Overloaded);
            tracing::warn!(error = %error, "export not stored, sender told to come again");
            Err(error.into())
        }
    }
}

/// An unpacked body.
type Unpacked = (Bytes, Option<OwnedSemaphorePermit>);

/// Unpacks a body within the room that there is. How large it will be is not known: few become sixteen times their size,
/// and those that do unpack a second time, with room for the largest.
async fn unpack(state: &State, compression: Compression, packed: Packed) -> Result<Unpacked, Failure> {
    if compression == Compression::None {
        return Ok((packed.bytes.into(), packed.room));
    }
    let bytes_max = state.0.body_bytes_max;
    let mut limit = packed.bytes.len().saturating_mul(UNPACKS_TIMES).min(bytes_max);
    let packed = Arc::new(packed);
    loop {
        let room = state.0.room.unpacked(limit).await?;
        let source = Arc::clone(&packed);
        match beside(move || compression.unpack(&source.bytes, limit)).await? {
            Ok(bytes) => return Ok((bytes.into(), Some(room))),
            Err(UnpackError::TooLarge) if limit < bytes_max => limit = bytes_max,
            Err(UnpackError::TooLarge) => return Err(too_large(bytes_max)),
            Err(UnpackError::Malformed) => {
                return Err(Failure::new(StatusCode::BAD_REQUEST, "the body is not in its content encoding"));
            }
        }
    }
}

fn judge(
    state: &State,
    signal: Signal,
    encoding: Encoding,
    (body, _room): Unpacked,
    size: Size,
    received_at_us: i64,
) -> Result<Admission, Failure> {
    let decoded = decode_measured(signal, encoding, &body, size).map_err(refused)?;
    gate::admit(&decoded, &state.0.policy, Source::Network, received_at_us, &state.0.names).map_err(|error| {
        Error::new(ErrorKind::Internal, "the gate made rows of another schema").caused_by(error).into()
    })
}

/// Work that may take seconds, for the largest bodies, and must not hold up other connections.
async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| Error::new(ErrorKind::Internal, "the export could not be worked on").into())
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn refused(error: DecodeError) -> Failure {
    let status = match error {
        DecodeError::TooMany { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        DecodeError::Malformed | DecodeError::Json { .. } => StatusCode::BAD_REQUEST,
    };
    Failure::new(status, error.to_string())
}

fn compression_of(headers: &HeaderMap) -> Result<Compression, Failure> {
    let named = headers.get(header::CONTENT_ENCODING).map_or(Ok(""), |value| value.to_str());
    match named.map(|name| name.trim().to_ascii_lowercase()).as_deref() {
        Ok("" | "identity") => Ok(Compression::None),
        Ok("gzip") => Ok(Compression::Gzip),
        Ok("zstd") => Ok(Compression::Zstd),
        _ => {
            Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the content encoding must be identity, gzip or zstd"))
        }
    }
}

/// A body as it came, and the room that it takes.
struct Packed {
    bytes: Vec<u8>,
    room: Option<OwnedSemaphorePermit>,
}

/// The body as it came, if it is no more than allowed.
async fn read(body: Body, state: &State) -> Result<Packed, Failure> {
    let bytes_max = state.0.body_bytes_max;
    let reading = async {
        let (mut bytes, mut room) = (Vec::new(), None);
        let mut chunks = body.into_data_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|_| Failure::new(StatusCode::BAD_REQUEST, "the body ends early"))?;
            if bytes.len() + chunk.len() > bytes_max {
                return Err(too_large(bytes_max));
            }
            state.0.room.read(&mut room, bytes.len() + chunk.len())?;
            bytes.extend_from_slice(&chunk);
        }
        Ok(Packed { bytes, room })
    };
    // Not 408: a sender drops what is answered with that.
    tokio::time::timeout(BODY_TIME_MAX, reading).await.unwrap_or_else(|_| {
        Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, "the body took more than a minute: send it again"))
    })
}

fn too_large(bytes_max: usize) -> Failure {
    Failure::new(StatusCode::PAYLOAD_TOO_LARGE, format!("at most {bytes_max} bytes are taken, after decompression"))
}
