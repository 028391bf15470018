//! The SQL of the facts, and the mark of its content.

use sha2::{Digest, Sha256};

macro_rules! facts {
    ($($(#[$doc:meta])* $name:ident = $file:literal;)+) => {
        $($(#[$doc])* pub const $name: &str = include_str!(concat!("../../sql/facts/", $file));)+
        /// Every file with its text.
        pub const FILES: &[(&str, &str)] = &[$(($file, $name)),+];
    };
}

facts! {
    /// Case numbers that a span names together.
    CASE_REFS = "case_refs.sql";
    /// Shifts of sessions.
    CLOCK_SHIFTS = "clock_shifts.sql";
    /// Traces whose root names a task.
    TASK_ROOTS = "task_roots.sql";
    /// Names of task instances.
    TASK_NAMES = "task_names.sql";
    /// Spans with a kind, corrected and linked.
    CORRECTED_SPANS = "corrected_spans.sql";
    /// Entries by people.
    ENTRIES = "entries.sql";
    /// Interactions that went wrong.
    MISHAPS = "mishaps.sql";
    /// Values held.
    HOLDINGS = "holdings.sql";
    /// What the ledger is swept from.
    ACTIVITIES = "activities.sql";
    /// Task instances.
    TASK_INSTANCES = "task_instances.sql";
    /// The cube.
    WORKER_WEEKS = "worker_weeks.sql";
}

/// Revision of the operators: raised with every change that may change a fact.
const OPERATORS: &str = "operators 1";

/// The content hash of all that makes facts: a store whose facts were made by anything else makes them again.
#[must_use]
pub fn hash() -> String {
    let mut hash = Sha256::new();
    hash.update(OPERATORS);
    for (name, text) in FILES {
        for part in [name, text] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_file_is_listed_and_headed() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/sql/facts");
        let on_disk: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".sql"))
            .collect();
        let listed: BTreeSet<String> = FILES.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(listed, on_disk);
        for (name, text) in FILES {
            for part in ["-- grain: ", "-- inputs: ", "-- columns"] {
                assert!(text.contains(part), "{name} does not say {part}");
            }
        }
    }
}
