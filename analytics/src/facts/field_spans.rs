//! Entries, choices and views: spans about a field, as compact rows. Re-entry and rework are judged from them, for the
//! whole estate at once, so that they are kept small (80 bytes) and name what they share by numbers.

use std::{ops::Range, sync::Arc};

pub use crate::operators::matcher::lists::Place;
use crate::operators::{SpanKey, hashing::FastMap, matcher::agree::Value, rework::Mishaps};

/// The number of what is not there.
pub const NONE: u32 = u32::MAX;

/// A span about a field. Numbers are places in the lists of [`FieldSpans`]; [`NONE`] where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FieldSpan {
    /// Identity.
    pub key: SpanKey,
    /// Start, microseconds, clock-corrected.
    pub start: i64,
    /// End, microseconds, clock-corrected.
    pub end: i64,
    /// The person.
    pub worker: u32,
    /// The case.
    pub case: u32,
    /// The task instance known by id, trace or rule.
    pub task: u32,
    /// The record within the case.
    pub record: u32,
    /// System, screen and field.
    pub place: u32,
    /// The value.
    pub value: u32,
    /// What else it is.
    pub is: Is,
}

/// What a span about a field is: a set of properties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Is(u8);

impl Is {
    /// An activity that is an entry or choice, typed, pasted or selected.
    pub const ENTERED: Self = Self(1);
    /// Shown, or filled by the system: it holds its value from its start.
    pub const SHOWN: Self = Self(2);
    /// Its value is a date.
    pub const DATE: Self = Self(4);
    /// Its value is a name or text.
    pub const WORDS: Self = Self(8);
    /// Pasted.
    pub const PASTED: Self = Self(16);
    /// Selected.
    pub const SELECTED: Self = Self(32);

    /// Adds a property where it holds.
    #[must_use]
    pub const fn and(self, other: Self, holds: bool) -> Self {
        if holds { Self(self.0 | other.0) } else { self }
    }

    /// As a number.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// From [`Self::bits`].
    #[must_use]
    pub const fn of_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// Whether it has a property.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl FieldSpan {
    /// From when on its value counts as held.
    #[must_use]
    pub const fn held_from(&self) -> i64 {
        if self.is.has(Is::SHOWN) { self.start } else { self.end }
    }

    /// How the value came in, for what was entered.
    #[must_use]
    pub const fn origin(&self) -> &'static str {
        match (self.is.has(Is::PASTED), self.is.has(Is::SELECTED)) {
            (true, _) => "pasted",
            (_, true) => "selected",
            _ => "typed",
        }
    }
}

/// All of them.
#[derive(Debug, Default)]
pub struct FieldSpans {
    /// The spans, those of a UTC day (as sent) together; each once. After them may come some that are no more.
    pub rows: Vec<FieldSpan>,
    /// Which there were before, where that is known.
    pub then: Option<Then>,
    /// Where those of each day lie.
    pub days: FastMap<i32, Range<usize>>,
    /// The hashes of workers.
    pub workers: Vec<u64>,
    /// The hashes of cases.
    pub cases: Vec<u64>,
    /// Where entries go and views look.
    pub places: Vec<Place>,
    /// The values.
    pub values: Arc<Vec<Value>>,
    /// Span ids that rows continue.
    pub continues: FastMap<u32, u64>,
    /// Interactions that went wrong; workers by number, systems by [`FieldSpans::systems`].
    pub mishaps: Mishaps,
    /// The number of the system of each place.
    pub systems: Vec<u32>,
}

/// Which rows there are, and were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Then {
    /// So many rows stayed what they were.
    pub stayed: usize,
    /// After so many rows come those that are no more.
    pub now: usize,
}

impl FieldSpans {
    /// The rows that there are.
    #[must_use]
    pub fn now(&self) -> &[FieldSpan] {
        self.then.map_or(&self.rows, |then| &self.rows[..then.now])
    }

    /// The places of the rows that there were, where that is known.
    pub fn were(&self) -> Option<impl Iterator<Item = u32> + use<>> {
        let rows = self.rows.len() as u32;
        self.then.map(|then| (0..then.stayed as u32).chain(then.now as u32..rows))
    }

    /// Whether a span holds a value of a case, in a field that is known by system and screen.
    #[must_use]
    pub fn holds(&self, row: &FieldSpan) -> bool {
        row.value != NONE
            && row.case != NONE
            && row.place != NONE
            && self.places[row.place as usize].iter().all(Option::is_some)
    }
}
