// A case system's server that tells what its workers do, with the OpenTelemetry SDK for .NET.
//
// It handles one request: a caseworker has changed the surname of case X123456 on the screen "Personal details".
//
//     export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318
//     export OTEL_EXPORTER_OTLP_HEADERS='authorization=Bearer%20gilbreth_…'    # where a token is needed
//     dotnet run

using System.Diagnostics;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

// Once, when the server starts. The exporter reads the standard variables.
using var source = new ActivitySource("casework");
using var provider = Sdk.CreateTracerProviderBuilder()
    .ConfigureResource(resource => resource.AddService("dotnet-case-system", serviceVersion: "3.2"))
    .AddSource(source.Name)
    .AddOtlpExporter(options => options.Protocol = OtlpExportProtocol.HttpProtobuf)
    .Build();

await SaveAsync(new Change(
    Case: "X123456",
    Session: "session-of-this-worker",
    Worker: "a.worker",
    Field: "Surname",
    Value: "Somebody",
    Keystrokes: 10,
    Corrections: 1,
    BeganAgo: TimeSpan.FromSeconds(7),
    EndedAgo: TimeSpan.FromSeconds(2)));

// When the server stops, the provider is disposed of and sends what is left.

// Handles the request: tells what was done in the page, saves it, and tells how long the worker waited.
async Task SaveAsync(Change change)
{
    var received = DateTimeOffset.UtcNow;

    // What the page knows and the server does not: when the field was worked in, and with how many keys.
    var entered = Interaction(change, "entry");
    entered["app.widget.name"] = change.Field;
    entered["casework.input.keystrokes"] = change.Keystrokes;
    entered["casework.input.corrections"] = change.Corrections;
    entered["casework.value.kind"] = "name";
    // The collector digests the value and keeps nothing of the text.
    entered["casework.value.text"] = change.Value;
    var entry = Tell("entry", default, entered, received - change.BeganAgo, received - change.EndedAgo);

    // The first interaction began the trace of this task; the others belong to it.
    var pressed = Interaction(change, "action");
    pressed["app.widget.name"] = "Save";
    Tell("action", entry, pressed, received, received);

    // The worker is blocked from the request to the answer. Back-end work in between is no interaction: a technical span.
    using var wait = source.StartActivity("wait", ActivityKind.Internal, entry, Interaction(change, "wait"));
    await UpdatePersonAsync();
}

// An interaction that is past.
ActivityContext Tell(
    string name, ActivityContext parent, Dictionary<string, object?> attributes, DateTimeOffset began, DateTimeOffset ended)
{
    using var interaction = source.StartActivity(name, ActivityKind.Internal, parent, attributes, startTime: began);
    interaction?.SetEndTime(ended.UtcDateTime);
    return interaction?.Context ?? default;
}

// What every interaction on this screen says.
Dictionary<string, object?> Interaction(Change change, string kind) => new()
{
    ["casework.interaction"] = kind,
    ["casework.task.name"] = "Change personal details",
    ["app.screen.name"] = "Personal details",
    ["casework.case.id"] = change.Case,
    ["session.id"] = change.Session,
    ["enduser.pseudo.id"] = change.Worker,
};

async Task UpdatePersonAsync()
{
    using var update = source.StartActivity("UPDATE person", ActivityKind.Client);
    update?.SetTag("db.operation.name", "UPDATE");
    await Task.Delay(20);
}

// What was changed, and what the page tells of it.
record Change(
    string Case, string Session, string Worker, string Field, string Value,
    int Keystrokes, int Corrections, TimeSpan BeganAgo, TimeSpan EndedAgo);
