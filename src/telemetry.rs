//! The platform's own telemetry: `tracing` to standard error, and as OpenTelemetry spans where `[telemetry] endpoint` or
//! one of the standard variables (`OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`) names a collector.
//! It may be this one: `gilbreth_collector::telemetry` says how that comes to an end.

use gilbreth_collector::telemetry as own;
use opentelemetry::{Context, trace::TracerProvider as _};
use opentelemetry_otlp::{WithExportConfig as _, WithTonicConfig as _, tonic_types::metadata::MetadataMap};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{BatchSpanProcessor, Sampler, SdkTracerProvider, Span, SpanData, SpanProcessor},
};
use tracing_subscriber::{
    EnvFilter, Layer as _,
    filter::{FilterExt as _, dynamic_filter_fn},
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use crate::config::{self, Protocol};

mod http;

/// Which of our spans are sent.
const SENT: &str = "gilbreth=info,gilbreth_collector=info,gilbreth_analytics=info,gilbreth_dashboards=info";

/// Keeps the exporter alive; [`Telemetry::stop`] sends what is left.
#[derive(Debug)]
pub(crate) struct Telemetry(Option<SdkTracerProvider>);

/// Starts tracing. `RUST_LOG` chooses what is printed (default: warnings); an exporter that cannot be made is
/// reported and left out, since measuring ourselves must never stop the work.
pub(crate) fn start(config: &config::Telemetry) -> Telemetry {
    let provider = is_wanted(config).then(|| provider(config)).and_then(|made| {
        made.inspect_err(|error| eprintln!("gilbreth: no telemetry of our own is sent: {error:#}")).ok()
    });
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("warn,deltalake_core::writer::stats=error"));
    let printed = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_filter(filter);
    let exported = provider.as_ref().map(|provider| {
        let traced = dynamic_filter_fn(|_, _| !own::is_untraced());
        tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("gilbreth"))
            .with_filter(EnvFilter::new(SENT).and(traced))
    });
    tracing_subscriber::registry().with(printed).with(exported).init();
    Telemetry(provider)
}

fn is_wanted(config: &config::Telemetry) -> bool {
    let is_off = variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    !is_off && (is_named() || !config.endpoint.is_empty())
}

/// Whether a standard variable names a collector. It comes before what is configured, as its definition says.
fn is_named() -> bool {
    let named = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];
    named.into_iter().any(|name| variable(name).is_some())
}

fn provider(config: &config::Telemetry) -> anyhow::Result<SdkTracerProvider> {
    let protocol =
        match variable("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL").or_else(|| variable("OTEL_EXPORTER_OTLP_PROTOCOL")) {
            None => config.protocol,
            Some(name) if name == "grpc" => Protocol::Grpc,
            Some(name) if name == "http/protobuf" => Protocol::HttpProtobuf,
            Some(_) => anyhow::bail!("OTEL_EXPORTER_OTLP_PROTOCOL must be grpc or http/protobuf"),
        };
    let resource = Resource::builder().with_service_name(own::SERVICE).build();
    let sent = match protocol {
        Protocol::HttpProtobuf => BatchSpanProcessor::builder(http::Exporter::new(&config.endpoint)?).build(),
        Protocol::Grpc => {
            let mut mark = MetadataMap::new();
            mark.insert(own::HEADER, "1".parse()?);
            let exporter = opentelemetry_otlp::SpanExporter::builder().with_tonic().with_metadata(mark);
            let exporter = if is_named() || config.endpoint.is_empty() {
                exporter
            } else {
                exporter.with_endpoint(&config.endpoint)
            };
            BatchSpanProcessor::builder(exporter.build()?).build()
        }
    };
    let provider = SdkTracerProvider::builder().with_resource(resource).with_span_processor(NotOwn(sent));
    Ok(match variable("OTEL_TRACES_SAMPLER") {
        // The library reads it.
        Some(_) => provider,
        None => provider.with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(config.sample_ratio)))),
    }
    .build())
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Leaves out spans that say that they are about spans of our own, which is known only when they end.
#[derive(Debug)]
struct NotOwn<P>(P);

impl<P: SpanProcessor> SpanProcessor for NotOwn<P> {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.0.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if !span.attributes.iter().any(|attribute| attribute.key.as_str() == own::FIELD) {
            self.0.on_end(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: std::time::Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.set_resource(resource);
    }
}

impl Telemetry {
    /// Sends what is left and stops.
    pub(crate) fn stop(self) {
        if let Some(provider) = self.0 {
            let _ = provider.shutdown();
        }
    }
}
