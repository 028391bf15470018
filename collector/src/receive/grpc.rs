//! OTLP over gRPC: unary `Export` of `TraceService` and `LogsService`.
//!
//! The message goes to our own decoder as it came, so there is no generated service: what gRPC adds to HTTP/2 is a path, a
//! prefix of five bytes ([`frame`]), a deadline and trailers ([`answer`]).
//!
//! `OK` means that the spans are on the disk. A sender repeats `UNAVAILABLE` (and `RESOURCE_EXHAUSTED` only with a
//! `RetryInfo`, which it never has here: it is what one request may not hold).

mod answer;
mod frame;
mod head;
#[cfg(test)]
mod tests;

use std::{io, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request, State as Extract},
    http::{Method, StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use tokio::net::TcpListener;

use super::{
    connections::{self, Protocol},
    export::{self, Head, Outcome, Receiver, What},
    refusal::{Reason, Refusal},
    tls::Tls,
};
use crate::decode::{Encoding, Signal};

/// Answers requests until `shutdown` resolves and those under way are answered, or have had 20 seconds.
///
/// # Errors
/// None now; a listener that cannot accept is tried again.
pub async fn serve(
    listener: TcpListener,
    receiver: Receiver,
    tls: Option<Arc<Tls>>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    connections::serve(listener, Protocol::Http2, tls, router(receiver), shutdown).await
}

fn router(receiver: Receiver) -> Router {
    Router::new().fallback(handle).with_state(receiver)
}

async fn handle(
    Extract(receiver): Extract<Receiver>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let signal = signal_of(head.uri.path());
    // What is no gRPC at all is answered as HTTP.
    if head.method != Method::POST {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    if !head::is_grpc(&head.headers) {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    let responding = async {
        let exporting = export(&receiver, signal, peer, &head, body);
        let result = match head::deadline(&head.headers) {
            Ok(Some(deadline)) => tokio::time::timeout(deadline, exporting)
                .await
                .unwrap_or_else(|_| Err(Refusal::new(Reason::DeadlinePassed, "the deadline has passed"))),
            Ok(None) => exporting.await,
            Err(refusal) => Err(refusal),
        };
        let code = result.as_ref().map_or_else(|refusal| refusal.reason.grpc(), |_| tonic::Code::Ok);
        let response = match result {
            Ok(outcome) => answer::done(&outcome),
            Err(refusal) => answer::refused(refusal),
        };
        (code as u16, response)
    };
    receiver.observe("grpc", signal, &head.headers, responding).await
}

fn signal_of(path: &str) -> Option<Signal> {
    match path {
        "/opentelemetry.proto.collector.trace.v1.TraceService/Export" => Some(Signal::Traces),
        "/opentelemetry.proto.collector.logs.v1.LogsService/Export" => Some(Signal::Logs),
        _ => None,
    }
}

async fn export(
    receiver: &Receiver,
    signal: Option<Signal>,
    peer: SocketAddr,
    head: &Parts,
    mut body: Body,
) -> Result<Outcome, Refusal> {
    let Some(signal) = signal else {
        return Err(Refusal::new(Reason::NotFound, "no such method: Export of TraceService or LogsService"));
    };
    let grant = receiver.admit(&Head { headers: &head.headers, uri: &head.uri, peer }).await?;
    let named = head::compression(&head.headers)?;
    let bytes_max = receiver.body_bytes_max();
    let expected = |so_far: &[u8]| frame::length(so_far, bytes_max);
    let mut packed = export::read(receiver, &grant, &mut body, bytes_max + frame::PREFIX_BYTES, expected).await?;
    let compression = frame::packing(&packed.bytes, named)?;
    packed.begins = frame::PREFIX_BYTES;
    receiver.export(grant, What { signal, encoding: Encoding::Protobuf, compression }, packed).await
}
