//! OTLP over HTTP: `POST /v1/traces`, `POST /v1/logs`, and whether we are alive.
//!
//! 200 means that the spans are on the disk. A sender repeats what is answered with 429 or 503 and drops what is
//! answered otherwise, so a fault of ours is always 503, and what is refused in part is only what can never succeed.

mod answer;
mod cors;
mod export;
mod metrics;
mod room;
mod serve;
#[cfg(test)]
mod tests;

use std::{pin::Pin, sync::Arc};

use axum::{
    Extension, Router,
    extract::State as Extract,
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use tokio::sync::Semaphore;

pub use self::serve::serve;
use self::{answer::Failure, metrics::Metrics, room::Room};
use crate::{
    Error,
    access::{Access, Peer},
    config::Config,
    decode::{Encoding, Signal},
    gate::{Admitted, IntakeCounts, Names, Policy},
    pipeline::Pipeline,
};

type Submitted = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;
type Submit = dyn Fn(Admitted, IntakeCounts) -> Submitted + Send + Sync;
type TakesWork = dyn Fn() -> bool + Send + Sync;

/// What the handlers share. Cheap to clone.
#[derive(Clone)]
pub struct State(Arc<Inner>);

struct Inner {
    policy: Policy,
    access: Arc<Access>,
    names: Names,
    submit: Box<Submit>,
    takes_work: Box<TakesWork>,
    cors_origins: Vec<String>,
    body_bytes_max: usize,
    at_once: Semaphore,
    room: Room,
    now_us: fn() -> i64,
    metrics: Metrics,
}

impl std::fmt::Debug for State {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("State").field("policy", &self.0.policy).finish_non_exhaustive()
    }
}

impl State {
    /// Handlers that ask `access` who may send, and hand what the gate admits to that pipeline.
    #[must_use]
    pub fn new(policy: Policy, access: Access, pipeline: Pipeline, config: &Config) -> Self {
        let asked = pipeline.clone();
        let submit = move |admitted, counts| -> Submitted {
            let pipeline = pipeline.clone();
            Box::pin(async move { pipeline.submit(admitted, counts).await })
        };
        let ready = Box::new(move || asked.is_ready());
        Self::with_submit(policy, access, Box::new(submit), ready, config, || chrono::Utc::now().timestamp_micros())
    }

    /// Whether exports are taken: the log is sound, and the last one could be stored.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        (self.0.takes_work)() && self.0.metrics.is_ready()
    }

    /// What was received since the start, as Prometheus text.
    #[must_use]
    pub fn metrics(&self) -> String {
        self.0.metrics.text()
    }

    fn with_submit(
        policy: Policy,
        access: Access,
        submit: Box<Submit>,
        takes_work: Box<TakesWork>,
        config: &Config,
        now_us: fn() -> i64,
    ) -> Self {
        Self(Arc::new(Inner {
            policy,
            access: Arc::new(access),
            names: Names::default(),
            submit,
            takes_work,
            cors_origins: config.cors_origins.clone(),
            body_bytes_max: config.body_bytes_max,
            at_once: Semaphore::new(config.requests_at_once_max),
            room: Room::new(),
            now_us,
            metrics: Metrics::default(),
        }))
    }
}

/// The routes.
pub fn router(state: State) -> Router {
    let export = |signal| {
        post(
            move |Extract(state): Extract<State>, peer: Option<Extension<Peer>>, uri: Uri, headers: HeaderMap, body| async move {
                export::handle(state, signal, headers, uri.query(), peer.map(|Extension(peer)| peer), body).await
            },
        )
        .options(|Extract(state): Extract<State>, uri: Uri, headers: HeaderMap| async move {
            cors::preflight(&state, &headers, uri.query())
        })
        .fallback(wrong_method)
    };
    Router::new()
        .route("/v1/traces", export(Signal::Traces))
        .route("/v1/logs", export(Signal::Logs))
        .route("/livez", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(|Extract(state): Extract<State>| async move { state.metrics() }))
        .fallback(|headers: HeaderMap| async move {
            let failure = Failure::new(StatusCode::NOT_FOUND, "no such path: POST /v1/traces or /v1/logs");
            failure.into_response(answer::encoding_of(&headers).unwrap_or(Encoding::Json))
        })
        .with_state(state)
}

async fn ready(Extract(state): Extract<State>) -> Response {
    if state.is_ready() {
        "ready\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the last export could not be stored\n").into_response()
    }
}

async fn wrong_method(method: Method, headers: HeaderMap) -> Response {
    let failure = Failure::new(StatusCode::METHOD_NOT_ALLOWED, format!("{method} is not possible here: POST"));
    let mut response = failure.into_response(answer::encoding_of(&headers).unwrap_or(Encoding::Json));
    response.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static("POST, OPTIONS"));
    response
}
