//! Which attribute goes to which column.

use gilbreth_conventions::attribute;

/// Attributes of a span that are text, each a column of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Text {
    Interaction,
    Trigger,
    Session,
    Worker0,
    Worker1,
    Worker2,
    Worker3,
    Organisation,
    Team,
    Role,
    Screen0,
    Screen1,
    Field0,
    Field1,
    Record,
    Task,
    TaskId,
    Function,
    Origin,
    Continues,
    ValueKind,
    ValueDigest,
    Value,
    Outcome,
}

impl Text {
    /// How many there are.
    pub(super) const COUNT: usize = Self::Outcome as usize + 1;
}

/// Attributes of a span that are whole numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Integer {
    Keystrokes,
    Corrections,
}

impl Integer {
    pub(super) const COUNT: usize = Self::Corrections as usize + 1;
}

/// Attributes of a span that are several texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum List {
    /// One text counts as a list of one.
    Cases,
    Parts,
}

impl List {
    pub(super) const COUNT: usize = Self::Parts as usize + 1;
}

/// Where an attribute of a span goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    Text(Text),
    Integer(Integer),
    List(List),
    /// No attribute of the conventions.
    None,
}

impl Slot {
    /// The column of an attribute by its name.
    pub(super) fn of(name: &str) -> Self {
        const WORKER: [Text; 4] = [Text::Worker0, Text::Worker1, Text::Worker2, Text::Worker3];
        const SCREEN: [Text; 2] = [Text::Screen0, Text::Screen1];
        const FIELD: [Text; 2] = [Text::Field0, Text::Field1];
        for (names, slots) in
            [(&attribute::WORKER[..], &WORKER[..]), (&attribute::SCREEN, &SCREEN), (&attribute::FIELD, &FIELD)]
        {
            if let Some(index) = names.iter().position(|known| *known == name) {
                return Self::Text(slots[index]);
            }
        }
        let text = match name {
            attribute::INPUT_KEYSTROKES => return Self::Integer(Integer::Keystrokes),
            attribute::INPUT_CORRECTIONS => return Self::Integer(Integer::Corrections),
            attribute::CASE_ID => return Self::List(List::Cases),
            attribute::VALUE_PARTS => return Self::List(List::Parts),
            attribute::INTERACTION => Text::Interaction,
            attribute::TRIGGER => Text::Trigger,
            attribute::SESSION_ID => Text::Session,
            attribute::WORKER_ORGANISATION => Text::Organisation,
            attribute::WORKER_TEAM => Text::Team,
            attribute::WORKER_ROLE => Text::Role,
            attribute::RECORD_ID => Text::Record,
            attribute::TASK_NAME => Text::Task,
            attribute::TASK_ID => Text::TaskId,
            attribute::FUNCTION => Text::Function,
            attribute::INPUT_ORIGIN => Text::Origin,
            attribute::CONTINUES => Text::Continues,
            attribute::VALUE_KIND => Text::ValueKind,
            attribute::VALUE_DIGEST => Text::ValueDigest,
            attribute::VALUE_TEXT => Text::Value,
            attribute::OUTCOME => Text::Outcome,
            _ => return Self::None,
        };
        Self::Text(text)
    }
}
