//! How people work, as far as a scenario changes it.

use crate::options::Scenario;

/// Shares, 0 to 1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Habits {
    /// Of tasks that the systems know by an id.
    pub(super) task_known: f64,
    /// Of the others, those that the root of their trace names.
    pub(super) task_named: f64,
    /// Of values keyed again, those put in another form: another way to write a date, capitals, no blanks.
    pub(super) other_form: f64,
    /// Of values keyed again, those mistyped.
    pub(super) mistyped: f64,
    /// Of values keyed again, those looked up in another window while the field is open.
    pub(super) looked_up: f64,
    /// Of saves before going to another system, those that nobody waits for.
    pub(super) left_waiting: f64,
    /// Of lunches, those begun with a field open.
    pub(super) lunch_in_a_field: f64,
    /// Of screens read without an interruption, those that go out of sight all the same.
    pub(super) hidden: f64,
}

impl Habits {
    pub(super) const fn of(scenario: Scenario) -> Self {
        match scenario {
            Scenario::Clean | Scenario::NoReEntry => Self {
                task_known: 0.85,
                task_named: 1.0,
                other_form: 0.0,
                mistyped: 0.0,
                looked_up: 0.0,
                left_waiting: 0.0,
                lunch_in_a_field: 0.0,
                hidden: 0.0,
            },
            Scenario::Hard => Self {
                task_known: 0.8,
                task_named: 0.5,
                other_form: 0.3,
                mistyped: 0.05,
                looked_up: 0.1,
                left_waiting: 0.3,
                lunch_in_a_field: 0.3,
                hidden: 0.06,
            },
        }
    }
}
