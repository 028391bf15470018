//! What the sweep knows of an activity, and how long it counts as open.

use crate::{local_time::LocalTime, operators::SpanKey, parameters::Parameters};

/// Kinds of interaction, as far as the ledger tells them apart. In order of precedence, the highest first; everything
/// that takes no time is [`Kind::Instant`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A field typed into.
    Entry,
    /// A field chosen in.
    Choice,
    /// A search.
    Search,
    /// Authenticating.
    SignIn,
    /// Moving to another screen.
    Navigation,
    /// A button or link.
    Action,
    /// Blocked by the system.
    Wait,
    /// The page goes out of sight.
    Hidden,
    /// Leaving the system.
    SignOut,
    /// Anything else that stands at one instant: views, `shown`, unknown kinds, fields that the system filled.
    Instant,
}

impl Kind {
    /// The kind of a span: `filled` where a field was prefilled or autofilled, which takes nobody's time.
    #[must_use]
    pub fn of(word: &str, filled: bool) -> Self {
        match word {
            "entry" | "choice" if filled => Self::Instant,
            "entry" => Self::Entry,
            "choice" => Self::Choice,
            "search" => Self::Search,
            "sign_in" => Self::SignIn,
            "navigation" => Self::Navigation,
            "action" => Self::Action,
            "wait" => Self::Wait,
            "hidden" => Self::Hidden,
            "sign_out" => Self::SignOut,
            _ => Self::Instant,
        }
    }

    /// Whether such a span can have time at all.
    #[must_use]
    pub const fn has_duration(self) -> bool {
        !matches!(self, Self::Hidden | Self::SignOut | Self::Instant)
    }
}

/// What an entry or choice turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntryIs {
    /// A value not held yet, as far as is known.
    First,
    /// It agrees with a value held already; whether that is more than chance is for the views to weigh.
    Matched,
    /// The same field again.
    Rework,
}

/// An activity: a user's span with a kind, of no more than twelve hours.
#[derive(Debug, Clone)]
pub struct Activity {
    /// Start, microseconds, clock-corrected.
    pub start: i64,
    /// End as sent, never before the start.
    pub end: i64,
    /// Identity, the last resort of every order.
    pub key: SpanKey,
    /// Its kind.
    pub kind: Kind,
    /// Keys pressed, where counted.
    pub keystrokes: Option<i64>,
    /// The system, as a number of the caller's choice.
    pub system: u32,
    /// Whether the outcome was `failed`.
    pub failed: bool,
    /// For entries and choices.
    pub entry: EntryIs,
    /// The case, as a number of the caller's choice.
    pub case: Option<u32>,
    /// Whether its task instance is known by id, trace or rule.
    pub task_known: bool,
    /// Whether the task catalogue says that it completes a run.
    pub completes: bool,
}

impl Activity {
    /// The order that decides who has an instant: greater is stronger. Precedence, then the later start, then the
    /// greater span id.
    pub(super) fn strength(&self) -> (std::cmp::Reverse<u8>, i64, SpanKey) {
        let instant = self.end == self.start || !self.kind.has_duration();
        (std::cmp::Reverse(if instant { u8::MAX } else { self.kind as u8 }), self.start, self.key)
    }
}

/// The parameters of the ledger in microseconds.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// Gaps longer than this are `away`.
    pub idle: i64,
    /// The first part of a wait.
    pub tolerated: i64,
    /// The last part of a gap between systems.
    pub switch: i64,
    /// The longest that a wait is open.
    pub wait_max: i64,
    /// The longest that an interaction without keystrokes pressed is open …
    pub open_base: i64,
    /// … and for each keystroke.
    pub open_per_keystroke: i64,
    /// The longest where keystrokes are not counted.
    pub open_uncounted: i64,
    /// A wait that starts this soon joins the chain before it.
    pub wait_chain: i64,
    /// The pause that ends a run.
    pub run_pause: i64,
    /// Where local days begin.
    pub local: LocalTime,
}

impl Rules {
    /// The rules that parameters give.
    #[must_use]
    pub fn new(parameters: &Parameters, local: LocalTime) -> Self {
        let us = |seconds: f64| (seconds * 1e6).round() as i64;
        Self {
            idle: us(parameters.idle_threshold_s),
            tolerated: us(parameters.tolerated_wait_s),
            switch: us(parameters.switch_s),
            wait_max: us(parameters.wait_open_max_s),
            open_base: us(parameters.open_base_s),
            open_per_keystroke: us(parameters.open_per_keystroke_s),
            open_uncounted: us(parameters.open_uncounted_s),
            wait_chain: us(parameters.wait_chain_ms / 1e3),
            run_pause: us(parameters.run_pause_min * 60.0),
            local,
        }
    }
}

/// When each activity closes: instants where they stand, interactions at their end or their longest time, waits also
/// where the worker does something else. `activities` are in order of (start, key).
#[must_use]
pub fn closes(activities: &[Activity], rules: &Rules) -> Vec<i64> {
    let mut closes = vec![0; activities.len()];
    // The starts of the next activities that are not waits: `later` strictly after the row's start.
    let (mut here, mut later) = (i64::MAX, i64::MAX);
    for (index, activity) in activities.iter().enumerate().rev() {
        if activity.kind == Kind::Wait {
            let next = if here > activity.start { here } else { later };
            closes[index] = activity.end.min(next).min(activity.start.saturating_add(rules.wait_max));
            continue;
        }
        if activity.start < here {
            (later, here) = (here, activity.start);
        }
        let longest = activity.keystrokes.map_or(rules.open_uncounted, |keys| {
            rules.open_base.saturating_add(rules.open_per_keystroke.saturating_mul(keys.max(0)))
        });
        closes[index] = if activity.kind.has_duration() {
            activity.end.min(activity.start.saturating_add(longest))
        } else {
            activity.start
        };
    }
    closes
}
