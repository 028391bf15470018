import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdk;
import java.time.Instant;
import java.util.Map;

/**
 * A case system's server that tells what its workers do, with the OpenTelemetry SDK for Java.
 *
 * <p>It handles one request: a caseworker has changed the surname of case X123456 on the screen "Personal details".
 *
 * <pre>
 * export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318
 * export OTEL_EXPORTER_OTLP_HEADERS='authorization=Bearer%20gilbreth_…'    # where a token is needed
 * mvn compile exec:java
 * </pre>
 */
public final class Sender {
    /** What was changed, and what the page tells of it. */
    record Change(
            String caseId, String session, String worker, String field, String value,
            long keystrokes, long corrections, long beganMsAgo, long endedMsAgo) {}

    private final Tracer tracer;

    private Sender(Tracer tracer) {
        this.tracer = tracer;
    }

    public static void main(String[] arguments) throws InterruptedException {
        // Once, when the server starts. The exporter reads the standard variables, which come before what is said here.
        OpenTelemetrySdk sdk = AutoConfiguredOpenTelemetrySdk.builder()
                .addPropertiesSupplier(() -> Map.of(
                        "otel.service.name", "java-case-system",
                        "otel.resource.attributes", "service.version=3.2",
                        "otel.exporter.otlp.protocol", "http/protobuf",
                        "otel.metrics.exporter", "none",
                        "otel.logs.exporter", "none"))
                .disableShutdownHook()
                .build()
                .getOpenTelemetrySdk();
        // When the server stops, what is left is sent.
        try (sdk) {
            new Sender(sdk.getTracer("casework")).save(new Change(
                    "X123456", "session-of-this-worker", "a.worker", "Surname", "Somebody", 10, 1, 7_000, 2_000));
        }
    }

    /** Handles the request: tells what was done in the page, saves it, and tells how long the worker waited. */
    private void save(Change change) throws InterruptedException {
        Instant received = Instant.now();

        // What the page knows and the server does not: when the field was worked in, and with how many keys.
        Span entry = tracer.spanBuilder("entry")
                .setNoParent()
                .setStartTimestamp(received.minusMillis(change.beganMsAgo()))
                .setAllAttributes(interaction(change, "entry"))
                .setAttribute("app.widget.name", change.field())
                .setAttribute("casework.input.keystrokes", change.keystrokes())
                .setAttribute("casework.input.corrections", change.corrections())
                .setAttribute("casework.value.kind", "name")
                // The collector digests the value and keeps nothing of the text.
                .setAttribute("casework.value.text", change.value())
                .startSpan();
        entry.end(received.minusMillis(change.endedMsAgo()));

        // The first interaction began the trace of this task; the others belong to it.
        Context task = Context.root().with(entry);
        tracer.spanBuilder("action")
                .setParent(task)
                .setStartTimestamp(received)
                .setAllAttributes(interaction(change, "action"))
                .setAttribute("app.widget.name", "Save")
                .startSpan()
                .end(received);

        // The worker is blocked from the request to the answer. Back-end work in between is no interaction: a technical span.
        Span wait = tracer.spanBuilder("wait")
                .setParent(task)
                .setAllAttributes(interaction(change, "wait"))
                .startSpan();
        try (Scope scope = wait.makeCurrent()) {
            updatePerson();
        } finally {
            wait.end();
        }
    }

    /** What every interaction on this screen says. */
    private static Attributes interaction(Change change, String kind) {
        return Attributes.builder()
                .put("casework.interaction", kind)
                .put("casework.task.name", "Change personal details")
                .put("app.screen.name", "Personal details")
                .put("casework.case.id", change.caseId())
                .put("session.id", change.session())
                .put("enduser.pseudo.id", change.worker())
                .build();
    }

    private void updatePerson() throws InterruptedException {
        Span span = tracer.spanBuilder("UPDATE person")
                .setSpanKind(SpanKind.CLIENT)
                .setAttribute("db.operation.name", "UPDATE")
                .startSpan();
        try {
            Thread.sleep(20);
        } finally {
            span.end();
        }
    }
}
