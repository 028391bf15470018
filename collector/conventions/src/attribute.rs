//! Attribute names. OpenTelemetry's own where it names a thing, `casework.*` for what it lacks.

/// Resource: the case system, e.g. `ndelius`.
pub const SERVICE_NAME: &str = "service.name";
/// Resource: the release of the case system.
pub const SERVICE_VERSION: &str = "service.version";
/// Resource: where the system runs, e.g. `production`.
pub const ENVIRONMENT: &str = "deployment.environment.name";
/// The environment of what was simulated: reports say so.
pub const ENVIRONMENT_SIMULATION: &str = "simulation";
/// The environment of what was imported from a recording: reports say so.
pub const ENVIRONMENT_RECORDING: &str = "recording";
/// Resource: the sender's clock when it sent this export, in Unix nanoseconds.
pub const CLOCK_SENT: &str = "casework.clock.sent";
/// Resource: when a replayed export was first received, in Unix nanoseconds.
pub const CLOCK_RECEIVED: &str = "casework.clock.received";

/// The kind of interaction; see [`crate::kind::Kind`].
pub const INTERACTION: &str = "casework.interaction";
/// Who caused it; see [`crate::kind::Trigger`].
pub const TRIGGER: &str = "casework.trigger";
/// The session of the page or sign-in.
pub const SESSION_ID: &str = "session.id";
/// The worker's name in the system, in order of preference.
pub const WORKER: [&str; 4] = ["enduser.pseudo.id", "user.hash", "user.id", "enduser.id"];
/// The organisation that the worker belongs to.
pub const WORKER_ORGANISATION: &str = "casework.worker.organisation";
/// The worker's team.
pub const WORKER_TEAM: &str = "casework.worker.team";
/// The worker's role.
pub const WORKER_ROLE: &str = "casework.worker.role";
/// The screen, in order of preference.
pub const SCREEN: [&str; 2] = ["app.screen.name", "app.screen.id"];
/// The field, in order of preference.
pub const FIELD: [&str; 2] = ["app.widget.name", "app.widget.id"];
/// Every number by which the screen names the case; a string or an array of strings.
pub const CASE_ID: &str = "casework.case.id";
/// The record within the case.
pub const RECORD_ID: &str = "casework.record.id";
/// The task's name.
pub const TASK_NAME: &str = "casework.task.name";
/// The task instance.
pub const TASK_ID: &str = "casework.task.id";
/// What the screen is for.
pub const FUNCTION: &str = "casework.function";
/// How the value came into the field; see [`crate::kind::Origin`].
pub const INPUT_ORIGIN: &str = "casework.input.origin";
/// How many keys were pressed.
pub const INPUT_KEYSTROKES: &str = "casework.input.keystrokes";
/// How many of them were corrections.
pub const INPUT_CORRECTIONS: &str = "casework.input.corrections";
/// The span id (hex) of the interaction that this one continues after a pause.
pub const CONTINUES: &str = "casework.continues";
/// What kind of value it is; see [`crate::kind::ValueKind`].
pub const VALUE_KIND: &str = "casework.value.kind";
/// Client digest of the value, 16 lower-case hex digits.
pub const VALUE_DIGEST: &str = "casework.value.digest";
/// Client digests of the value's parts.
pub const VALUE_PARTS: &str = "casework.value.parts";
/// The value itself, from senders that cannot hash; the gate drops it before anything is written.
pub const VALUE_TEXT: &str = "casework.value.text";
/// How the interaction ended; see [`crate::kind::Outcome`].
pub const OUTCOME: &str = "casework.outcome";
