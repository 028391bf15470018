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
    pipeline::{Pipeline, Standing},
    telemetry::{self, Page, Telemetry},
};

type Submitted = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;
type Submit = dyn Fn(Admitted, IntakeCounts) -> Submitted + Send + Sync;
type WhyNotReady = dyn Fn() -> Option<&'static str> + Send + Sync;
type Stands = dyn Fn() -> Standing + Send + Sync;

/// What the handlers share. Cheap to clone.
#[derive(Clone)]
pub struct State(Arc<Inner>);

struct Inner {
    policy: Policy,
    access: Arc<Access>,
    names: Names,
    behind: Behind,
    cors_origins: Vec<String>,
    body_bytes_max: usize,
    at_once: Semaphore,
    room: Room,
    now_us: fn() -> i64,
    metrics: Metrics,
}

/// What the handlers hand on to, and ask.
struct Behind {
    submit: Box<Submit>,
    why_not_ready: Box<WhyNotReady>,
    stands: Box<Stands>,
    telemetry: Arc<Telemetry>,
}

impl Behind {
    fn of(pipeline: Pipeline) -> Self {
        let (asked, standing, telemetry) = (pipeline.clone(), pipeline.clone(), Arc::clone(pipeline.telemetry()));
        let submit = move |admitted, counts| -> Submitted {
            let pipeline = pipeline.clone();
            Box::pin(async move { pipeline.submit(admitted, counts).await })
        };
        Self {
            submit: Box::new(submit),
            why_not_ready: Box::new(move || asked.why_not_ready()),
            stands: Box::new(move || standing.standing()),
            telemetry,
        }
    }
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
        Self::before(Behind::of(pipeline), policy, access, config, || chrono::Utc::now().timestamp_micros())
    }

    /// Why exports are not taken, in words; `None` if they are: the log can be written and has room, somebody commits it,
    /// the tokens can be read, and the last export could be stored.
    #[must_use]
    pub fn why_not_ready(&self) -> Option<&'static str> {
        (self.0.behind.why_not_ready)()
            .or_else(|| (!self.0.access.is_readable()).then_some("the access tokens cannot be read"))
            .or_else(|| (!self.0.metrics.is_ready()).then_some("the last export could not be stored"))
    }

    /// What was measured since the start, as Prometheus text.
    #[must_use]
    pub fn metrics(&self) -> String {
        let mut page = Page::default();
        self.0.metrics.write(&mut page);
        self.0.access.write(&mut page);
        self.0.behind.telemetry.write(&(self.0.behind.stands)(), &mut page);
        page.into_text()
    }

    fn before(behind: Behind, policy: Policy, access: Access, config: &Config, now_us: fn() -> i64) -> Self {
        Self(Arc::new(Inner {
            policy,
            access: Arc::new(access),
            names: Names::default(),
            behind,
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
            cors::preflight(&state, &headers, uri.query()).await
        })
        .fallback(wrong_method)
    };
    Router::new()
        .route("/v1/traces", export(Signal::Traces))
        .route("/v1/logs", export(Signal::Logs))
        .route("/livez", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
        .route(
            "/metrics",
            get(|Extract(state): Extract<State>| async move {
                ([(header::CONTENT_TYPE, telemetry::CONTENT_TYPE)], state.metrics())
            }),
        )
        .fallback(|headers: HeaderMap| async move {
            let failure = Failure::new(StatusCode::NOT_FOUND, "no such path: POST /v1/traces or /v1/logs");
            failure.into_response(answer::encoding_of(&headers).unwrap_or(Encoding::Json))
        })
        .with_state(state)
}

async fn ready(Extract(state): Extract<State>) -> Response {
    match state.why_not_ready() {
        None => "ready\n".into_response(),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
    }
}

async fn wrong_method(method: Method, headers: HeaderMap) -> Response {
    let failure = Failure::new(StatusCode::METHOD_NOT_ALLOWED, format!("{method} is not possible here: POST"));
    let mut response = failure.into_response(answer::encoding_of(&headers).unwrap_or(Encoding::Json));
    response.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static("POST, OPTIONS"));
    response
}
