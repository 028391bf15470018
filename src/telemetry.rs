//! The platform's own telemetry: `tracing` to standard error, and as OpenTelemetry spans where
//! `OTEL_EXPORTER_OTLP_ENDPOINT` names a collector (over gRPC, as the variable's definition says).

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tracing_subscriber::{EnvFilter, Layer as _, layer::SubscriberExt as _, util::SubscriberInitExt as _};

/// Keeps the exporter alive; [`Telemetry::stop`] sends what is left.
#[derive(Debug)]
pub(crate) struct Telemetry(Option<SdkTracerProvider>);

/// Starts tracing. `RUST_LOG` chooses what is printed (default: warnings); an exporter that cannot be made is
/// reported and left out, since measuring ourselves must never stop the work.
pub(crate) fn start() -> Telemetry {
    let provider =
        std::env::var_os("OTEL_EXPORTER_OTLP_ENDPOINT").and_then(|_| match opentelemetry_otlp::SpanExporter::builder()
            .with_tonic()
            .build()
        {
            Ok(exporter) => Some(
                SdkTracerProvider::builder()
                    .with_batch_exporter(exporter)
                    .with_resource(Resource::builder().with_service_name("gilbreth").build())
                    .build(),
            ),
            Err(error) => {
                eprintln!("gilbreth: no telemetry of our own is sent: {error}");
                None
            }
        });
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("warn,deltalake_core::writer::stats=error"));
    let printed = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_filter(filter);
    let exported = provider.as_ref().map(|provider| {
        tracing_opentelemetry::layer().with_tracer(provider.tracer("gilbreth")).with_filter(EnvFilter::new(
            "gilbreth=info,gilbreth_collector=info,gilbreth_analytics=info,gilbreth_dashboards=info",
        ))
    });
    tracing_subscriber::registry().with(printed).with(exported).init();
    Telemetry(provider)
}

impl Telemetry {
    /// Sends what is left and stops.
    pub(crate) fn stop(self) {
        if let Some(provider) = self.0 {
            let _ = provider.shutdown();
        }
    }
}
