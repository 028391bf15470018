//! Names: cut, masked, and of bounded variety, since a system that puts a person into a screen's name must not fill the
//! store with people.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    sync::{PoisonError, RwLock},
};

use crate::decode::EntryValue;

/// What names beyond the limits become.
pub(super) const OTHER: &str = "other";
/// Names and other short texts are cut here.
const NAME_CHARS_MAX: usize = 80;
/// A run of so many digits is more than a position or a version: it may be somebody's number.
const MASKED_DIGITS_MIN: usize = 3;
/// Screens of one system.
const SCREENS_MAX: usize = 2_000;
/// Fields of one system.
const FIELDS_MAX: usize = 20_000;
/// Systems whose names are remembered; in those beyond, every screen and field is `other`.
const SYSTEMS_MAX: usize = 1_000;

/// The screens and fields seen so far in each system, to bound their number; of systems whose names are listed, those
/// alone. Shared by all who receive: nearly every name was seen before, so looking takes a lock that many may hold.
#[derive(Debug, Default)]
pub struct Names {
    listed: HashMap<String, Seen>,
    systems: RwLock<HashMap<String, Seen>>,
}

/// Names of one system.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// Of its screens, as they are stored.
    pub screens: HashSet<String>,
    /// Of its fields.
    pub fields: HashSet<String>,
}

impl Names {
    /// None seen yet. Where a system's names are listed, every other is `other` from the first.
    #[must_use]
    pub fn listed(listed: HashMap<String, Seen>) -> Self {
        Self { listed, systems: RwLock::default() }
    }

    /// The screen's name, or `other` beyond the limit.
    pub(crate) fn screen(&self, system: Option<&str>, name: String) -> String {
        self.within(system, name, |seen| &seen.screens, |seen| &mut seen.screens, SCREENS_MAX)
    }

    /// The field's name, or `other` beyond the limit.
    pub(crate) fn field(&self, system: Option<&str>, name: String) -> String {
        self.within(system, name, |seen| &seen.fields, |seen| &mut seen.fields, FIELDS_MAX)
    }

    fn within(
        &self,
        system: Option<&str>,
        name: String,
        known: impl Fn(&Seen) -> &HashSet<String>,
        growing: impl Fn(&mut Seen) -> &mut HashSet<String>,
        most: usize,
    ) -> String {
        let system = system.unwrap_or_default();
        if let Some(listed) = self.listed.get(system) {
            return if known(listed).contains(&name) { name } else { OTHER.to_owned() };
        }
        {
            // A set of names is whole between any two operations on it, so a panic elsewhere does not spoil it.
            let systems = self.systems.read().unwrap_or_else(PoisonError::into_inner);
            if systems.get(system).is_some_and(|seen| known(seen).contains(&name)) {
                return name;
            }
        }
        let mut systems = self.systems.write().unwrap_or_else(PoisonError::into_inner);
        if !systems.contains_key(system) {
            if systems.len() == SYSTEMS_MAX {
                return OTHER.to_owned();
            }
            systems.insert(system.to_owned(), Seen::default());
        }
        let Some(seen) = systems.get_mut(system).map(growing) else { return OTHER.to_owned() };
        if seen.len() >= most && !seen.contains(&name) {
            return OTHER.to_owned();
        }
        seen.insert(name.clone());
        name
    }
}

/// The name cut at 80 characters, each run of three or more digits made `#`; `None` if it stays as it is.
pub(super) fn masked(name: &str) -> Option<String> {
    let long = name.len() > NAME_CHARS_MAX && name.chars().nth(NAME_CHARS_MAX).is_some();
    let mut digits = 0;
    let numbered = name.chars().any(|c| {
        digits = if c.is_numeric() { digits + 1 } else { 0 };
        digits == MASKED_DIGITS_MIN
    });
    (long || numbered).then(|| mask(name).chars().take(NAME_CHARS_MAX).collect())
}

/// The name of a screen, field or task as the gate stores it, for those who must name one in the same way.
#[must_use]
pub fn name_as_stored(name: &str) -> String {
    masked(name).unwrap_or_else(|| name.to_owned())
}

fn mask(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(start) = rest.find(char::is_numeric) {
        out.push_str(&rest[..start]);
        let run = &rest[start..];
        let end = run.find(|c: char| !c.is_numeric()).unwrap_or(run.len());
        if run[..end].chars().count() >= MASKED_DIGITS_MIN {
            out.push('#');
        } else {
            out.push_str(&run[..end]);
        }
        rest = &run[end..];
    }
    out.push_str(rest);
    out
}

/// A short text that is no name (the system): cut and masked as names are; `None` if empty.
pub(super) fn label<'a>(text: &'a str, masked_count: &mut u64) -> Option<Cow<'a, str>> {
    if text.trim_start().is_empty() {
        return None;
    }
    Some(masked(text).map_or(Cow::Borrowed(text), |masked| {
        *masked_count += 1;
        Cow::Owned(masked)
    }))
}

/// A release: cut, not masked, since it is numbers; `None` if empty.
pub(super) fn release(text: &str) -> Option<&str> {
    let end = text.char_indices().nth(NAME_CHARS_MAX).map_or(text.len(), |(end, _)| end);
    (!text.trim_start().is_empty()).then(|| &text[..end])
}

/// The text of an attribute that is kept. It is masked and cut as names are: what an error or a path is called is told by
/// its words, and its numbers are somebody's. `None` for what is dropped.
pub(super) fn kept(value: EntryValue<'_>) -> Option<String> {
    match value {
        EntryValue::Text(text) if is_http_status(text) => Some(text.to_owned()),
        EntryValue::Text(text) => Some(name_as_stored(text)),
        EntryValue::Integer(number) if number.unsigned_abs() < 1_000 => Some(number.to_string()),
        EntryValue::Integer(number) => Some(mask(&number.to_string())),
        EntryValue::Double(number) => Some(mask(&number.to_string())),
        EntryValue::Boolean(truth) => Some(truth.to_string()),
        EntryValue::Other => None,
    }
}

/// `error.type` is the status where a request failed by it.
fn is_http_status(text: &str) -> bool {
    text.len() == 3 && text.parse::<u16>().is_ok_and(|status| (100..600).contains(&status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_three_digits_are_masked_and_long_names_cut() {
        for (name, expected) in [
            ("Contact list", None),
            ("Step 12", None),
            ("Case 123", Some("Case #".to_owned())),
            ("X123456/7/890", Some("X#/7/#".to_owned())),
            ("١٢٣", Some("#".to_owned())),
            (&"é".repeat(81), Some("é".repeat(80))),
            (&"é".repeat(80), None),
        ] {
            assert_eq!(masked(name), expected, "{name}");
        }
    }

    #[test]
    fn what_is_kept_tells_no_number_of_more_than_a_status() {
        for (value, expected) in [
            (EntryValue::Text("no case X123456"), Some("no case X#")),
            (EntryValue::Text("500"), Some("500")),
            (EntryValue::Text("731"), Some("#")),
            (EntryValue::Integer(503), Some("503")),
            (EntryValue::Integer(-123_456), Some("-#")),
            (EntryValue::Double(123_456.5), Some("#.5")),
            (EntryValue::Other, None),
        ] {
            assert_eq!(kept(value).as_deref(), expected, "{value:?}");
        }
        assert_eq!(release("2026.1204"), Some("2026.1204"));
    }

    #[test]
    fn a_system_has_so_many_screens_and_no_more() {
        let names = Names::default();
        for index in 0..SCREENS_MAX {
            assert_eq!(names.screen(Some("a"), format!("s{index}")), format!("s{index}"));
        }
        assert_eq!(names.screen(Some("a"), "one more".to_owned()), OTHER);
        assert_eq!(names.screen(Some("a"), "s7".to_owned()), "s7");
        assert_eq!(names.screen(Some("b"), "one more".to_owned()), "one more");
        assert_eq!(names.field(Some("a"), "one more".to_owned()), "one more");
    }
}
