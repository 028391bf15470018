"""A case system's server that tells what its workers do, with the OpenTelemetry SDK for Python.

It handles one request: a caseworker has changed the surname of case X123456 on the screen "Personal details".

    pip install -r requirements.txt
    export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318
    export OTEL_EXPORTER_OTLP_HEADERS='authorization=Bearer%20gilbreth_…'    # where a token is needed
    python sender.py
"""

import time

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

# Once, when the server starts. The exporter reads the standard variables.
provider = TracerProvider(resource=Resource.create({"service.name": "python-case-system", "service.version": "3.2"}))
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
tracer = provider.get_tracer("casework")


def save(change):
    """Handles the request: tells what was done in the page, saves it, and tells how long the worker waited."""
    received = time.time_ns()

    # What the page knows and the server does not: when the field was worked in, and with how many keys.
    entry = tracer.start_span(
        "entry",
        start_time=received - change["began_ms_ago"] * 1_000_000,
        attributes=interaction(change, "entry")
        | {
            "app.widget.name": change["field"],
            "casework.input.keystrokes": change["keystrokes"],
            "casework.input.corrections": change["corrections"],
            "casework.value.kind": "name",
            # The collector digests the value and keeps nothing of the text.
            "casework.value.text": change["value"],
        },
    )
    entry.end(received - change["ended_ms_ago"] * 1_000_000)

    # The first interaction began the trace of this task; the others belong to it.
    task = trace.set_span_in_context(entry)
    pressed = interaction(change, "action") | {"app.widget.name": "Save"}
    tracer.start_span("action", context=task, start_time=received, attributes=pressed).end(received)

    # The worker is blocked from the request to the answer. Back-end work in between is no interaction: a technical span.
    with tracer.start_as_current_span("wait", context=task, attributes=interaction(change, "wait")):
        update_person()


def interaction(change, kind):
    """What every interaction on this screen says."""
    return {
        "casework.interaction": kind,
        "casework.task.name": "Change personal details",
        "app.screen.name": "Personal details",
        "casework.case.id": change["case"],
        "session.id": change["session"],
        "enduser.pseudo.id": change["worker"],
    }


def update_person():
    attributes = {"db.operation.name": "UPDATE"}
    with tracer.start_as_current_span("UPDATE person", kind=trace.SpanKind.CLIENT, attributes=attributes):
        time.sleep(0.02)


save(
    {
        "case": "X123456",
        "session": "session-of-this-worker",
        "worker": "a.worker",
        "field": "Surname",
        "value": "Somebody",
        "keystrokes": 10,
        "corrections": 1,
        "began_ms_ago": 7_000,
        "ended_ms_ago": 2_000,
    }
)

# When the server stops: sends what is left.
provider.shutdown()
