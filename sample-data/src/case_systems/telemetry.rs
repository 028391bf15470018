//! What a system's server says it does: `tracing` spans, as OTLP, below the interaction that asked for them.
//!
//! The four run in one process, and each is a service of its own: so each has a subscriber of its own, which its requests
//! are handled under, beside that of the process.

use std::{io, time::Duration};

use axum::{
    Router,
    extract::{MatchedPath, Request},
    http::HeaderMap,
    middleware::{self, Next},
    response::Response,
};
use opentelemetry::{
    propagation::{Extractor, TextMapPropagator as _},
    trace::TracerProvider as _,
};
use opentelemetry_otlp::{WithExportConfig as _, WithTonicConfig as _, tonic_types::metadata::MetadataMap};
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider},
};
use tracing::{Dispatch, Instrument as _, field::Empty, instrument::WithSubscriber as _};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::{Registry, filter::LevelFilter, layer::SubscriberExt as _};

use super::{Options, system::System};

/// What a visitor did is to be seen soon.
const SEND_AFTER: Duration = Duration::from_secs(1);

/// What sends the spans of one system.
#[derive(Debug)]
pub(super) struct Telemetry {
    provider: SdkTracerProvider,
    dispatch: Dispatch,
}

impl Telemetry {
    /// Begins to send to a collector: OTLP over gRPC.
    pub(super) fn start(system: System, options: &Options) -> io::Result<Self> {
        let mut access = MetadataMap::new();
        if let Some(token) = &options.server_token {
            access.insert("authorization", format!("Bearer {token}").parse().map_err(io::Error::other)?);
        }
        let exporter = opentelemetry_otlp::SpanExporter::builder().with_tonic().with_metadata(access);
        let exporter = exporter.with_endpoint(&options.traces).build();
        let batches = BatchConfigBuilder::default().with_scheduled_delay(SEND_AFTER).build();
        let processor =
            BatchSpanProcessor::builder(exporter.map_err(io::Error::other)?).with_batch_config(batches).build();
        let resource = Resource::builder()
            .with_service_name(system.name())
            .with_attribute(opentelemetry::KeyValue::new("service.version", system.release()))
            .build();
        let provider = SdkTracerProvider::builder().with_resource(resource).with_span_processor(processor).build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer(system.name()));
        // What libraries say below is theirs, not the system's.
        let dispatch = Dispatch::new(Registry::default().with(LevelFilter::INFO).with(layer));
        Ok(Self { provider, dispatch })
    }

    /// Each request becomes a span, below that of the page if the page says which: `traceparent`.
    pub(super) fn traced(&self, router: Router) -> Router {
        let dispatch = self.dispatch.clone();
        router.layer(middleware::from_fn(move |request: Request, next: Next| {
            handle(request, next).with_subscriber(dispatch.clone())
        }))
    }

    /// Sends what is left.
    pub(super) fn stop(self) {
        // A collector that is gone takes nothing any more, and nobody waits for it.
        let _ = self.provider.shutdown();
    }
}

async fn handle(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let span = tracing::info_span!(
        "request",
        otel.name = format!("{} {route}", request.method()),
        otel.kind = "server",
        http.route = route,
        http.response.status_code = Empty,
        otel.status_code = Empty,
    );
    let parent = TraceContextPropagator::new().extract(&Carried(request.headers()));
    // It fails only where spans go nowhere.
    let _ = span.set_parent(parent);
    let answer = next.run(request).instrument(span.clone()).await;
    span.record("http.response.status_code", answer.status().as_u16());
    if answer.status().is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    answer
}

struct Carried<'a>(&'a HeaderMap);

impl Extractor for Carried<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(axum::http::HeaderName::as_str).collect()
    }
}
