//! A case system's server that tells what its workers do, with `tracing` and `tracing-opentelemetry`: OTLP over gRPC.
//!
//! It handles one request: a caseworker has changed the surname of case X123456 on the screen "Personal details".
//!
//! ```sh
//! export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4317
//! export OTEL_EXPORTER_OTLP_HEADERS='authorization=Bearer%20gilbreth_…'    # where a token is needed
//! cargo run --release --example sender
//! ```

use std::time::{Duration, SystemTime};

use opentelemetry::{
    Context, KeyValue,
    trace::{Span as _, SpanBuilder, TraceContextExt as _, TracerProvider as _},
};
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::{
    Resource,
    trace::{SdkTracer, SdkTracerProvider},
};
use tracing::{Instrument as _, Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::{
    Layer as _,
    filter::{LevelFilter, Targets},
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

const SCREEN: &str = "Personal details";
const TASK: &str = "Change personal details";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // Once, when the server starts. The exporter reads the standard variables.
    let provider = SdkTracerProvider::builder()
        .with_resource(
            Resource::builder()
                .with_service_name("rust-case-system")
                .with_attribute(KeyValue::new("service.version", "3.2"))
                .build(),
        )
        .with_batch_exporter(SpanExporter::builder().with_tonic().build()?)
        .build();
    let tracer = provider.tracer("casework");
    // Only the server's own spans: those of libraries, the exporter's among them, are not asked for.
    let own = Targets::new().with_target(env!("CARGO_CRATE_NAME"), LevelFilter::INFO);
    let layer = tracing_opentelemetry::layer().with_tracer(tracer.clone()).with_filter(own);
    tracing_subscriber::registry().with(layer).init();

    let change = Change {
        case: "X123456",
        session: "session-of-this-worker",
        worker: "a.worker",
        field: "Surname",
        value: "Somebody",
        keystrokes: 10,
        corrections: 1,
        began_ago: Duration::from_secs(7),
        ended_ago: Duration::from_secs(2),
    };
    save(&tracer, &change).await;

    // When the server stops: sends what is left, and fails if that was not taken.
    provider.shutdown()?;
    Ok(())
}

/// A request: what was changed, and what the page tells of it.
struct Change {
    case: &'static str,
    session: &'static str,
    worker: &'static str,
    field: &'static str,
    value: &'static str,
    keystrokes: i64,
    corrections: i64,
    began_ago: Duration,
    ended_ago: Duration,
}

/// Handles the request: tells what was done in the page, saves it, and tells how long the worker waited.
async fn save(tracer: &SdkTracer, change: &Change) {
    let task = entry(tracer, change);
    // An instant: it ends as it begins.
    drop(interaction("action", Some("Save"), change, &task));
    // The worker is blocked from the request to the answer. Back-end work in between is no interaction: a technical span.
    let wait = interaction("wait", None, change, &task);
    update_person().instrument(wait).await;
}

/// What the page knows and the server does not: when the field was worked in, and with how many keys. A `tracing` span
/// begins when it is made; one that is past is told to the tracer itself.
///
/// It begins the trace of this task, to which the others belong.
fn entry(tracer: &SdkTracer, change: &Change) -> Context {
    let received = SystemTime::now();
    let mut entry = SpanBuilder::from_name("entry")
        .with_start_time(received - change.began_ago)
        .with_attributes([
            KeyValue::new("casework.interaction", "entry"),
            KeyValue::new("casework.task.name", TASK),
            KeyValue::new("app.screen.name", SCREEN),
            KeyValue::new("app.widget.name", change.field),
            KeyValue::new("casework.case.id", change.case),
            KeyValue::new("session.id", change.session),
            KeyValue::new("enduser.pseudo.id", change.worker),
            KeyValue::new("casework.input.keystrokes", change.keystrokes),
            KeyValue::new("casework.input.corrections", change.corrections),
            KeyValue::new("casework.value.kind", "name"),
            // The collector digests the value and keeps nothing of the text.
            KeyValue::new("casework.value.text", change.value),
        ])
        .start(tracer);
    entry.end_with_timestamp(received - change.ended_ago);
    Context::new().with_span(entry)
}

/// An interaction that begins now.
fn interaction(kind: &str, field: Option<&str>, change: &Change, task: &Context) -> Span {
    let span = info_span!(
        "interaction",
        otel.name = kind,
        casework.interaction = kind,
        casework.task.name = TASK,
        app.screen.name = SCREEN,
        app.widget.name = field,
        casework.case.id = change.case,
        session.id = change.session,
        enduser.pseudo.id = change.worker,
    );
    // It fails only where spans go nowhere.
    let _ = span.set_parent(task.clone());
    span
}

#[tracing::instrument(fields(otel.name = "UPDATE person", otel.kind = "client", db.operation.name = "UPDATE"))]
async fn update_person() {
    tokio::time::sleep(Duration::from_millis(20)).await;
}
