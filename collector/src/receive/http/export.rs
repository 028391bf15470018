//! One export: body → spans → gate → pipeline → answer.

use std::time::Duration;

use axum::{
    body::Body,
    http::{HeaderMap, StatusCode, header},
    response::Response,
};
use futures::StreamExt;

use super::{
    State,
    answer::{self, Failure, Outcome},
    cors,
};
use crate::{
    Error, ErrorKind,
    decode::{Encoding, Signal, decode},
    gate::{self, Admission, Source},
    receive::compression::{Compression, UnpackError},
};

/// Spans (or log records) of one request; more should come in several.
const SPANS_MAX: usize = 65_536;
/// A body that takes longer holds its place for nothing.
const BODY_TIME_MAX: Duration = Duration::from_secs(60);

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
    let Ok(_place) = state.0.at_once.try_acquire() else {
        return Err(Failure::new(StatusCode::TOO_MANY_REQUESTS, "too many requests at once"));
    };
    let packed = read(body, state.0.body_bytes_max).await?;
    let received_at_us = (state.0.now_us)();
    let judging = state.clone();
    // Seconds of work for the largest bodies, which must not hold up other connections.
    let admission =
        tokio::task::spawn_blocking(move || judge(&judging, signal, encoding, compression, packed, received_at_us))
            .await
            .map_err(|_| Error::new(ErrorKind::Internal, "the export could not be worked on"))??;
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

fn judge(
    state: &State,
    signal: Signal,
    encoding: Encoding,
    compression: Compression,
    packed: Vec<u8>,
    received_at_us: i64,
) -> Result<Admission, Failure> {
    let bytes = compression.unpack(packed, state.0.body_bytes_max).map_err(|error| match error {
        UnpackError::TooLarge => too_large(state.0.body_bytes_max),
        UnpackError::Malformed => Failure::new(StatusCode::BAD_REQUEST, "the body is not in its content encoding"),
    })?;
    let decoded =
        decode(signal, encoding, &bytes).map_err(|error| Failure::new(StatusCode::BAD_REQUEST, error.to_string()))?;
    drop(bytes);
    if decoded.spans() > SPANS_MAX {
        return Err(Failure::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("{} spans in one request, at most {SPANS_MAX} are taken", decoded.spans()),
        ));
    }
    gate::admit(decoded, &state.0.policy, Source::Network, received_at_us, &state.0.names).map_err(|error| {
        Error::new(ErrorKind::Internal, "the gate made rows of another schema").caused_by(error).into()
    })
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

/// The body as it came, if it is no more than allowed.
async fn read(body: Body, bytes_max: usize) -> Result<Vec<u8>, Failure> {
    let reading = async {
        let mut bytes = Vec::new();
        let mut chunks = body.into_data_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|_| Failure::new(StatusCode::BAD_REQUEST, "the body ends early"))?;
            if bytes.len() + chunk.len() > bytes_max {
                return Err(too_large(bytes_max));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    };
    tokio::time::timeout(BODY_TIME_MAX, reading)
        .await
        .unwrap_or_else(|_| Err(Failure::new(StatusCode::REQUEST_TIMEOUT, "the body took too long")))
}

fn too_large(bytes_max: usize) -> Failure {
    Failure::new(StatusCode::PAYLOAD_TOO_LARGE, format!("at most {bytes_max} bytes are taken, after decompression"))
}
