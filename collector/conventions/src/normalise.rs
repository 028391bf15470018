//! A value as typed → the canonical form that is digested, and its parts.
//!
//! Two systems show the same date as `11/03/1986` and `11 March 1986`, the same number as `£1,200.00` and `1200`. Since
//! values never travel, that they are the same must be decided before they are digested, by every sender alike. Hence
//! each rule here has cases in `vectors/normalise.json`, which other implementations run too.
//!
//! The words of the rules, exactly: *letter or digit* is Unicode's `Alphabetic` or general category `N`; *white space*
//! is `White_Space`; a *character* is a code point. In dates, numbers and telephone numbers a digit is `0` to `9`
//! (NFKC has made those of full-width forms).

mod date;
mod number;

use unicode_normalization::UnicodeNormalization;

use crate::kind::ValueKind;

/// At most this many parts of a value are digested.
pub const PARTS_MAX: usize = 16;
/// Free text (`text`) of more characters than this is never digested.
pub const FREE_TEXT_CHARS_MAX: usize = 60;
/// A shorter token is no part: initials and single digits agree with everything.
const PART_CHARS_MIN: usize = 2;

/// Step 1: Unicode NFKC, full lower-casing, trimmed, runs of white space made one space. Also what worker and
/// case ids go through.
///
/// Lower-casing can leave a pair that composes (`H` with a line below has no composed form, `h` has), so NFKC comes
/// once more after it: else the upper-case and lower-case spelling of one name would differ.
#[must_use]
pub fn step_1(value: &str) -> String {
    if value.is_ascii() {
        return joined(&value.to_ascii_lowercase(), char::is_whitespace);
    }
    let composed: String = value.nfkc().collect();
    let lower: String = composed.to_lowercase().nfkc().collect();
    joined(&lower, char::is_whitespace)
}

/// The canonical form of a value of a kind; the empty string when nothing is left of it.
///
/// A value that its kind cannot parse is normalised as `text`.
#[must_use]
pub fn normalise(value: &str, kind: ValueKind) -> String {
    canonical(&step_1(value), kind)
}

/// The canonical form if it may be digested: not empty, and no long free text (`text` whose step-1 form has more than
/// [`FREE_TEXT_CHARS_MAX`] characters).
#[must_use]
pub fn digestible(value: &str, kind: ValueKind) -> Option<String> {
    let plain = step_1(value);
    if kind == ValueKind::Text && plain.chars().count() > FREE_TEXT_CHARS_MAX {
        return None;
    }
    Some(canonical(&plain, kind)).filter(|canonical| !canonical.is_empty())
}

/// The raw tokens of the step-1 value, two characters or more each; empty when fewer than two, or for dates. The first
/// [`PARTS_MAX`] of them, in order; tokens that occur twice are there twice.
#[must_use]
pub fn parts(value: &str, kind: ValueKind) -> Vec<String> {
    if kind == ValueKind::Date {
        return Vec::new();
    }
    let plain = step_1(value);
    let tokens: Vec<String> = plain
        .split(|c: char| !c.is_alphanumeric())
        .filter(|token| token.chars().nth(PART_CHARS_MIN - 1).is_some())
        .take(PARTS_MAX)
        .map(str::to_owned)
        .collect();
    if tokens.len() < 2 { Vec::new() } else { tokens }
}

/// Step 2: by kind, from a step-1 value.
fn canonical(plain: &str, kind: ValueKind) -> String {
    let parsed = match kind {
        ValueKind::Date => date::canonical(plain),
        ValueKind::Number => number::canonical(plain),
        ValueKind::Phone => phone(plain),
        ValueKind::Identifier | ValueKind::Postcode => {
            Some(plain.chars().filter(|c| c.is_alphanumeric()).collect::<String>())
        }
        ValueKind::Email => Some(plain.to_owned()),
        ValueKind::Name | ValueKind::Text | ValueKind::Choice => None,
    };
    parsed.unwrap_or_else(|| joined(plain, |c| !c.is_alphanumeric()))
}

/// Digits, with the United Kingdom's country code made a leading zero; none if there are no digits.
fn phone(plain: &str) -> Option<String> {
    let digits: String = plain.chars().filter(char::is_ascii_digit).collect();
    if digits.is_empty() {
        return None;
    }
    let national = digits.strip_prefix("0044").or_else(|| digits.strip_prefix("44"));
    Some(national.map_or_else(|| digits.clone(), |rest| format!("0{rest}")))
}

/// What lies between separators, joined by single spaces.
fn joined(text: &str, separator: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for token in text.split(separator).filter(|token| !token.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(token);
    }
    out
}

#[cfg(test)]
mod tests;
