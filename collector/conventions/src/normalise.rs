//! Normalisation (contract only so far; being written).
use crate::kind::ValueKind;

/// At most this many parts of a value are digested.
pub const PARTS_MAX: usize = 16;
/// Free text (`text`) of more characters than this is never digested.
pub const FREE_TEXT_CHARS_MAX: usize = 60;

/// Step 1: Unicode NFKC, full lower-casing, trimmed, runs of white space made one space. Also what worker and
/// case ids go through.
#[must_use]
pub fn step_1(value: &str) -> String {
    value.to_lowercase()
}

/// The canonical form of a value of a kind; the empty string when nothing is left of it.
#[must_use]
pub fn normalise(value: &str, _kind: ValueKind) -> String {
    step_1(value)
}

/// The canonical form if it may be digested: not empty, and no long free text.
#[must_use]
pub fn digestible(value: &str, kind: ValueKind) -> Option<String> {
    Some(normalise(value, kind)).filter(|canonical| !canonical.is_empty())
}

/// The raw tokens of the step-1 value, two characters or more each; empty when fewer than two, or for dates.
#[must_use]
pub fn parts(_value: &str, _kind: ValueKind) -> Vec<String> {
    Vec::new()
}
