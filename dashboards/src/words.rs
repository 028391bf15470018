//! Names of the measurement in plain words, for pages and terminals alike. What is not known here is shown as it is named, with spaces: a new
//! category or measure must never vanish from a report.

use gilbreth_analytics::findings::Fix;

/// Causes of lost time, in the order in which charts stack them, each with its words and what it means.
const CAUSES: [(&str, &str, &str); 6] = [
    ("re_entry", "re-entry", "keying a value that a system held for the case already"),
    ("wait", "waiting", "waiting for a system, beyond the tolerated second"),
    ("rework", "rework", "entering the same field again, after lost work, a rejection or a change of mind"),
    ("unavailable", "system unavailable", "waits and sign-ins that failed"),
    ("switching", "switching systems", "going from one system to another"),
    ("repeat_sign_in", "signing in again", "further sign-ins of a day to the same system"),
];

/// Measures in words; their units stand beside them.
const MEASURES: [(&str, &str); 20] = [
    ("lost_hours_per_person_week", "Time lost"),
    ("lost_hours_per_person_week_lower_quartile", "Time lost, lower quartile of person-weeks"),
    ("lost_hours_per_person_week_median", "Time lost, median of person-weeks"),
    ("lost_hours_per_person_week_upper_quartile", "Time lost, upper quartile of person-weeks"),
    ("re_entry_hours_per_person_week", "Lost to re-entry"),
    ("rework_hours_per_person_week", "Lost to rework"),
    ("wait_hours_per_person_week", "Lost to waiting"),
    ("unavailable_hours_per_person_week", "Lost to systems that were unavailable"),
    ("switching_hours_per_person_week", "Lost to switching systems"),
    ("repeat_sign_in_hours_per_person_week", "Lost to signing in again"),
    ("active_hours_per_person_week", "Active in the systems"),
    ("share_lost", "Share of active time that is lost"),
    ("lost_hours_per_person_week_estimated", "Time lost, estimated for the workforce"),
    ("lost_hours_per_year_estimated", "Time lost a year, estimated for the workforce"),
    ("cost_of_lost_hours_per_year", "What these hours cost to employ (no saving in cash)"),
    ("lost_hours", "Time lost in all"),
    ("active_hours", "Active in the systems, in all"),
    ("re_entries", "Values keyed again"),
    ("people", "People measured"),
    ("person_weeks", "Person-weeks measured"),
];

/// Measures to show large, the most telling first.
pub(crate) const TELLING: [&str; 6] = [
    "lost_hours_per_person_week",
    "re_entry_hours_per_person_week",
    "share_lost",
    "re_entries",
    "lost_hours",
    "active_hours",
];

/// A cause in words.
pub fn cause(name: &str) -> String {
    CAUSES.iter().find(|(known, ..)| *known == name).map_or_else(|| spaced(name), |(_, words, _)| (*words).to_owned())
}

/// Where a cause stands among the others; unknown ones come last.
pub(crate) fn cause_order(name: &str) -> usize {
    CAUSES.iter().position(|(known, ..)| *known == name).unwrap_or(CAUSES.len())
}

/// Causes and their meanings.
pub(crate) fn causes() -> impl Iterator<Item = (&'static str, &'static str)> {
    CAUSES.iter().map(|(_, words, meaning)| (*words, *meaning))
}

/// A measure in words.
pub(crate) fn measure(name: &str) -> String {
    let known = MEASURES.iter().find(|(known, _)| *known == name);
    known.map_or_else(|| capital(&spaced(name)), |(_, words)| (*words).to_owned())
}

/// What a fix does, in words. One kind may answer two causes, and asks for something else in each.
pub fn fix(kind: &str, cause: &str) -> String {
    let words = match (kind, cause) {
        ("integrate", _) => "Pass the value on",
        ("speed_up", _) => "Make it faster",
        ("repair", "unavailable") => "Make it available",
        ("repair", "rework") => "Say what is accepted before it is rejected",
        ("single_sign_on", _) => "Sign in once",
        ("save_work", _) => "Keep unsaved work",
        ("simplify", "re_entry") => "Ask once, show it everywhere",
        ("simplify", "rework") => "Make it right the first time",
        (other, _) => return capital(&spaced(other)),
    };
    words.to_owned()
}

/// Where a fix belongs; for a value that is held already, from which field to which.
pub fn place(fix: &Fix) -> String {
    let part = |part: &Option<String>| part.clone().unwrap_or_default();
    let to = path([fix.system.as_str(), &part(&fix.screen), &part(&fix.field)]);
    match &fix.from_system {
        Some(from) => format!("{} → {to}", path([from.as_str(), &part(&fix.from_screen), &part(&fix.from_field)])),
        None => to,
    }
}

/// A name with spaces for underscores.
pub(crate) fn spaced(name: &str) -> String {
    name.replace('_', " ")
}

/// With a capital first letter.
pub(crate) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// System, screen and field as one path.
pub fn path<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(" › ")
}

/// "1 person", "2 people": a count with its noun.
pub fn counted(count: i64, one: &str, many: &str) -> String {
    format!("{} {}", crate::number::count(count), if count == 1 { one } else { many })
}
