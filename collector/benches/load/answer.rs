//! What an answer means to a sender, as OTLP has it.

use std::time::Duration;

use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use hyper::{HeaderMap, StatusCode, header::RETRY_AFTER};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;

/// What came of a request.
#[derive(Debug)]
pub(crate) enum Answer {
    /// Taken, but for so many spans.
    Taken { status: String, refused: u64 },
    /// To be sent again, no sooner than asked.
    Again { status: String, after: Option<Duration> },
    /// Never to be sent again.
    Refused { status: String },
}

impl Answer {
    /// Of OTLP over HTTP.
    pub(crate) fn of_http(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> anyhow::Result<Self> {
        let said = status.as_u16().to_string();
        Ok(match status.as_u16() {
            200 => Self::Taken { status: said, refused: refused(body)? },
            429 | 502 | 503 | 504 => Self::Again { status: said, after: retry_after(headers) },
            _ => Self::Refused { status: said },
        })
    }

    /// Of gRPC: its status stands in the trailers, or in the head if there is nothing else.
    pub(crate) fn of_grpc(status: StatusCode, trailers: &HeaderMap, body: &[u8]) -> anyhow::Result<Self> {
        if status != StatusCode::OK {
            return Ok(Self::Refused { status: status.as_u16().to_string() });
        }
        let code: i32 = text(trailers, "grpc-status").context("an answer without grpc-status")?.parse()?;
        let (said, after) = (format!("grpc {code}"), retry_info(trailers));
        Ok(match code {
            0 => Self::Taken { status: said, refused: refused(body.get(5..).unwrap_or_default())? },
            // cancelled, deadline exceeded, aborted, out of range, unavailable, data loss; exhausted only if told when
            1 | 4 | 10 | 11 | 14 | 15 => Self::Again { status: said, after },
            8 if after.is_some() => Self::Again { status: said, after },
            _ => Self::Refused { status: said },
        })
    }
}

fn refused(response: &[u8]) -> anyhow::Result<u64> {
    let response =
        ExportTraceServiceResponse::decode(response).context("an answer that is no ExportTraceServiceResponse")?;
    Ok(response.partial_success.map_or(0, |partial| partial.rejected_spans.max(0).cast_unsigned()))
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The delay of a `google.rpc.RetryInfo` among the details of a status.
fn retry_info(trailers: &HeaderMap) -> Option<Duration> {
    let details = text(trailers, "grpc-status-details-bin")?.trim_end_matches('=');
    let status = Status::decode(STANDARD_NO_PAD.decode(details).ok()?.as_slice()).ok()?;
    let info = status.details.iter().find(|detail| detail.type_url.ends_with("google.rpc.RetryInfo"))?;
    let delay = RetryInfo::decode(info.value.as_slice()).ok()?.retry_delay.unwrap_or_default();
    Some(Duration::new(u64::try_from(delay.seconds).ok()?, u32::try_from(delay.nanos).ok()?))
}

#[derive(Clone, PartialEq, prost::Message)]
struct Status {
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<Delay>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Delay {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}
