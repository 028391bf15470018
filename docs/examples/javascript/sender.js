// A case system's server that tells what its workers do, with the OpenTelemetry SDK for JavaScript.
//
// It handles one request: a caseworker has changed the surname of case X123456 on the screen "Personal details".
//
//     npm install
//     export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318
//     export OTEL_EXPORTER_OTLP_HEADERS='authorization=Bearer%20gilbreth_…'    # where a token is needed
//     node sender.js

import { setTimeout } from "node:timers/promises";

import { context, SpanKind, trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { defaultResource, resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

// Once, when the server starts. The exporter reads the standard variables.
const provider = new NodeTracerProvider({
  resource: defaultResource().merge(
    resourceFromAttributes({ "service.name": "javascript-case-system", "service.version": "3.2" }),
  ),
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
});
provider.register();
const tracer = trace.getTracer("casework");

/** Handles the request: tells what was done in the page, saves it, and tells how long the worker waited. */
async function save(change) {
  const received = Date.now();

  // What the page knows and the server does not: when the field was worked in, and with how many keys.
  const entry = tracer.startSpan("entry", {
    startTime: received - change.beganMsAgo,
    attributes: {
      ...interaction(change, "entry"),
      "app.widget.name": change.field,
      "casework.input.keystrokes": change.keystrokes,
      "casework.input.corrections": change.corrections,
      "casework.value.kind": "name",
      // The collector digests the value and keeps nothing of the text.
      "casework.value.text": change.value,
    },
  });
  entry.end(received - change.endedMsAgo);

  // The first interaction began the trace of this task; the others belong to it.
  const task = trace.setSpan(context.active(), entry);
  const pressed = { ...interaction(change, "action"), "app.widget.name": "Save" };
  tracer.startSpan("action", { startTime: received, attributes: pressed }, task).end(received);

  // The worker is blocked from the request to the answer. Back-end work in between is no interaction: a technical span.
  await tracer.startActiveSpan("wait", { attributes: interaction(change, "wait") }, task, async (wait) => {
    try {
      await updatePerson();
    } finally {
      wait.end();
    }
  });
}

/** What every interaction on this screen says. */
const interaction = (change, kind) => ({
  "casework.interaction": kind,
  "casework.task.name": "Change personal details",
  "app.screen.name": "Personal details",
  "casework.case.id": change.case,
  "session.id": change.session,
  "enduser.pseudo.id": change.worker,
});

async function updatePerson() {
  const attributes = { "db.operation.name": "UPDATE" };
  const span = tracer.startSpan("UPDATE person", { kind: SpanKind.CLIENT, attributes });
  await setTimeout(20);
  span.end();
}

await save({
  case: "X123456",
  session: "session-of-this-worker",
  worker: "a.worker",
  field: "Surname",
  value: "Somebody",
  keystrokes: 10,
  corrections: 1,
  beganMsAgo: 7_000,
  endedMsAgo: 2_000,
});

// When the server stops: sends what is left.
await provider.shutdown();
