"""A case system instrumented with the Python SDK of OpenTelemetry: sends 25 interactions, and fails if the exporter does."""

import sys
import time

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult


class Exporter(OTLPSpanExporter):
    """Notes whether what it sent was taken: its processor drops what was not, and says nothing."""

    taken = True

    def export(self, spans):
        result = super().export(spans)
        self.taken = self.taken and result is SpanExportResult.SUCCESS
        return result


provider = TracerProvider(
    resource=Resource.create({"service.name": "python-case-system", "service.version": "3.2"})
)
exporter = Exporter(timeout=5, endpoint=sys.argv[1] + "/v1/traces", compression=Compression.Gzip)
provider.add_span_processor(BatchSpanProcessor(exporter))
tracer = provider.get_tracer("journey")

now = time.time_ns()
for number in range(25):
    start = now - (60 - number) * 1_000_000_000
    span = tracer.start_span(
        "entry",
        start_time=start,
        attributes={
            "casework.interaction": "entry",
            "app.screen.name": "Person details",
            "app.widget.name": f"field {'abcdefghijklmnopqrstuvwxyz'[number]}",
            "enduser.pseudo.id": "a.worker",
            "session.id": "one-session",
            "casework.case.id": ["X123456"],
            "casework.input.keystrokes": number,
            "casework.value.kind": "name",
            "casework.value.text": "Somebody Else",
        },
    )
    span.end(end_time=start + 700_000_000)

if not provider.force_flush(20_000):
    sys.exit("the exporter did not flush")
provider.shutdown()
if not exporter.taken:
    sys.exit("what was exported was not taken")
