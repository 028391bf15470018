//! What happened, before it is put into anybody's format: the record that both the telemetry and the truth are made of.

use gilbreth_conventions::kind::{Kind, Origin, Outcome, Trigger};

use crate::estate::{FieldId, ScreenId, SystemId, TaskId};
use crate::world::cases::{CaseId, Edition};

/// The id of a span, in the order that bytes have.
pub type SpanId = u64;

/// One interaction, or one technical span.
#[derive(Debug, Clone)]
pub struct Interaction {
    /// Its trace.
    pub trace: u128,
    /// Its id.
    pub span: SpanId,
    /// The span above it.
    pub parent: Option<SpanId>,
    /// Who did it, by place in the list of workers.
    pub worker: usize,
    /// In which session of the system.
    pub session: u64,
    /// In which system.
    pub system: SystemId,
    /// On which screen.
    pub screen: Option<ScreenId>,
    /// In which field.
    pub field: Option<FieldId>,
    /// What it is; none for a technical span.
    pub kind: Option<Kind>,
    /// Who caused it.
    pub trigger: Trigger,
    /// Unix microseconds.
    pub started_at: i64,
    /// Unix microseconds.
    pub ended_at: i64,
    /// On which case.
    pub case: Option<CaseId>,
    /// On which record of the case.
    pub record: Option<u64>,
    /// As part of what.
    pub task: Option<TaskRef>,
    /// How the value came there.
    pub origin: Option<Origin>,
    /// How many keys.
    pub keystrokes: Option<u32>,
    /// How many of them to correct.
    pub corrections: Option<u32>,
    /// The interaction that it continues.
    pub continues: Option<SpanId>,
    /// The value.
    pub value: Option<Value>,
    /// How it ended.
    pub outcome: Outcome,
}

/// A task being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskRef {
    /// Which task.
    pub task: TaskId,
    /// Which time.
    pub instance: u64,
    /// Whether the systems know which time it is, and say so on each span.
    pub known: bool,
    /// Whether the root of the trace names the task.
    pub named: bool,
}

/// What was in a field.
#[derive(Debug, Clone)]
pub struct Value {
    /// As it was typed or shown.
    pub text: String,
    /// The fact of the case that it is; none for what was made for this field alone.
    pub edition: Option<Edition>,
}

impl Interaction {
    /// Whether it is an entry or a choice by hand: typed, pasted or selected.
    #[must_use]
    pub fn is_keyed(&self) -> bool {
        matches!(self.kind, Some(Kind::Entry | Kind::Choice))
            && self.trigger == Trigger::User
            && !matches!(self.origin, Some(Origin::Prefilled | Origin::Autofilled))
    }
}
