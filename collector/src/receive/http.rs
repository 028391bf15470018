//! OTLP over HTTP: `POST /v1/traces`, `POST /v1/logs`; what pages of case systems load; and whether we are alive.
//!
//! 200 means that the spans are on the disk. A sender repeats what is answered with 503 and drops what is answered
//! otherwise, so a fault of ours is always 503, and what is refused in part is only what can never succeed.

mod agent;
mod answer;
mod cors;
mod head;
#[cfg(test)]
mod tests;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Path as Named, Request, State as Extract},
    http::{HeaderMap, Method, StatusCode, Uri, header, request::Parts},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use tokio::net::TcpListener;

use super::{
    connections::{self, Protocol},
    export::{self, Head, Outcome, Receiver, What},
    refusal::{Reason, Refusal},
    tls::Tls,
};
use crate::{
    agent::{AGENT, NOTICE},
    decode::{Encoding, Signal},
    telemetry,
};

/// What is read of a body that is refused already, so that its sender hears why.
const DRAIN_BYTES_MAX: usize = 256 << 20;
/// The same while there is too much to do already.
const DRAIN_BYTES_MAX_BUSY: usize = 4 << 20;
const DRAIN_TIME_MAX: Duration = Duration::from_millis(if cfg!(test) { 50 } else { 5_000 });

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
    connections::serve(listener, Protocol::Http, tls, router(receiver), shutdown).await
}

/// The routes.
fn router(receiver: Receiver) -> Router {
    let exports = |signal| {
        post(move |Extract(receiver): Extract<Receiver>, ConnectInfo(peer), request: Request| async move {
            handle(receiver, signal, peer, request).await
        })
        .options(|Extract(receiver): Extract<Receiver>, uri: Uri, headers: HeaderMap| async move {
            cors::preflight(&receiver, &headers, uri.query()).await
        })
        .fallback(wrong_method)
    };
    Router::new()
        .route("/v1/traces", exports(Signal::Traces))
        .route("/v1/logs", exports(Signal::Logs))
        .route("/agent.js", get(|headers: HeaderMap| async move { agent::script(&AGENT, &headers) }))
        .route("/notice.js", get(|headers: HeaderMap| async move { agent::script(&NOTICE, &headers) }))
        .route(
            "/agent/{file}",
            get(|Extract(receiver): Extract<Receiver>, Named(file): Named<String>, headers: HeaderMap| async move {
                agent::rules(&receiver, &file, &headers)
            }),
        )
        .route("/livez", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
        .route(
            "/metrics",
            get(|Extract(receiver): Extract<Receiver>| async move {
                ([(header::CONTENT_TYPE, telemetry::CONTENT_TYPE)], receiver.metrics())
            }),
        )
        .fallback(|headers: HeaderMap| async move {
            let refusal = Refusal::new(Reason::NotFound, "no such path: POST /v1/traces or /v1/logs");
            answer::refused(&refusal, head::encoding(&headers).unwrap_or(Encoding::Json))
        })
        .with_state(receiver)
}

async fn handle(receiver: Receiver, signal: Signal, peer: SocketAddr, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let responding = async {
        let response = respond(&receiver, signal, peer, &head, body).await;
        (response.status().as_u16(), response)
    };
    receiver.observe("http", Some(signal), &head.headers, responding).await
}

async fn respond(receiver: &Receiver, signal: Signal, peer: SocketAddr, head: &Parts, mut body: Body) -> Response {
    let encoding = head::encoding(&head.headers);
    let told = encoding.unwrap_or(Encoding::Json);
    let result = match encoding {
        Some(encoding) => export(receiver, signal, encoding, peer, head, &mut body).await,
        None => Err(Refusal::new(
            Reason::Unsupported,
            "the content type must be application/x-protobuf, application/json or text/plain (JSON)",
        )),
    };
    let mut response = match result {
        Ok(outcome) => answer::done(signal, told, &outcome),
        Err(refusal) => {
            let busy = refusal.reason.is_retryable();
            drain(&mut body, if busy { DRAIN_BYTES_MAX_BUSY } else { DRAIN_BYTES_MAX }).await;
            answer::refused(&refusal, told)
        }
    };
    cors::permit(receiver, &head.headers, head.uri.query(), &mut response);
    response
}

async fn export(
    receiver: &Receiver,
    signal: Signal,
    encoding: Encoding,
    peer: SocketAddr,
    head: &Parts,
    body: &mut Body,
) -> Result<Outcome, Refusal> {
    let grant = receiver.admit(&Head { headers: &head.headers, uri: &head.uri, peer }).await?;
    if !grant.is_of_page() && !cors::is_allowed(receiver, &head.headers) {
        return Err(Refusal::new(Reason::Forbidden, "pages of this origin may not send: see cors_origins"));
    }
    let compression = head::compression(&head.headers)?;
    let bytes_max = receiver.body_bytes_max();
    let length = head::length(&head.headers);
    if length.is_some_and(|length| length > bytes_max) {
        return Err(Refusal::too_large(bytes_max));
    }
    let packed = export::read(receiver, &grant, body, bytes_max, |_| Ok(length)).await?;
    receiver.export(grant, What { signal, encoding, compression }, packed).await
}

/// Lets go of what is left of a body, piece by piece. A connection that is closed on a sender that still writes is reset,
/// and then the sender has no answer and sends the same again, for ever.
async fn drain(body: &mut Body, mut left: usize) {
    let draining = async {
        while let Some(Ok(frame)) = body.frame().await {
            let Some(less) = left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) else { return };
            left = less;
        }
    };
    let _ = tokio::time::timeout(DRAIN_TIME_MAX, draining).await;
}

async fn ready(Extract(receiver): Extract<Receiver>) -> Response {
    match receiver.why_not_ready() {
        None => "ready\n".into_response(),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
    }
}

async fn wrong_method(method: Method, headers: HeaderMap) -> Response {
    let refusal = Refusal::new(Reason::WrongMethod, format!("{method} is not possible here: POST"));
    let mut response = answer::refused(&refusal, head::encoding(&headers).unwrap_or(Encoding::Json));
    response.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static("POST, OPTIONS"));
    response
}
