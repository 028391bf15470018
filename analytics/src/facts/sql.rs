//! The SQL of the facts, and the mark of its content.

use chrono_tz::Tz;
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
    /// Lists of sources, and which of them each target has.
    LISTED_MATCHES = "listed_matches.sql";
    /// The lists.
    MATCH_LISTS = "match_lists.sql";
    /// Counts of pairs over all days.
    PAIR_TOTALS = "pair_totals.sql";
    /// Time of targets.
    MATCHED_TIMES = "matched_times.sql";
    /// The cube.
    WEEKLY_TIMES = "weekly_times.sql";
    /// Time with other values of parameters.
    TRIED_VALUES = "tried_values.sql";
    /// Weeks of workers.
    WORKER_WEEKS = "worker_weeks.sql";
}

macro_rules! sources {
    ($($file:literal),+ $(,)?) => {
        /// The source of all that makes facts beside SQL: whoever changes it makes facts anew.
        const SOURCES: &[(&str, &str)] = &[$(($file, include_str!(concat!("../", $file)))),+];
    };
}

sources! {
    "facts.rs",
    "facts/agreeing.rs",
    "facts/assemble.rs",
    "facts/cores.rs",
    "facts/correction.rs",
    "facts/cutting.rs",
    "facts/day.rs",
    "facts/days.rs",
    "facts/estate.rs",
    "facts/field_spans.rs",
    "facts/gather.rs",
    "facts/judgement.rs",
    "facts/kept.rs",
    "facts/matched_times.rs",
    "facts/matching.rs",
    "facts/resume.rs",
    "facts/sink.rs",
    "facts/sql.rs",
    "facts/touched.rs",
    "facts/trials.rs",
    "facts/writing.rs",
    "local_time.rs",
    "operators/cases.rs",
    "operators/columns.rs",
    "operators/encoding.rs",
    "operators/hashing.rs",
    "facts/known.rs",
    "operators/instances.rs",
    "operators/ledger/activity.rs",
    "operators/ledger/agreeing.rs",
    "operators/ledger/cube.rs",
    "operators/ledger/mod.rs",
    "operators/ledger/parts.rs",
    "operators/ledger/rows.rs",
    "operators/ledger/runs.rs",
    "operators/ledger/sweep.rs",
    "operators/ledger/tried.rs",
    "operators/ledger/waits.rs",
    "operators/matcher/agree.rs",
    "operators/matcher/case.rs",
    "operators/matcher/chance.rs",
    "operators/matcher/hits.rs",
    "operators/matcher/index.rs",
    "operators/matcher/lists.rs",
    "operators/matcher/mod.rs",
    "operators/matcher/output.rs",
    "operators/mod.rs",
    "operators/rework.rs",
    "operators/task_rules.rs",
    "operators/weekly_times.rs",
    "operators/worker_weeks.rs",
    "parameters.rs",
    "tables.rs",
}

/// The content hash of all that makes facts of spans and parameters: SQL, operators, and the time zone of the store. A
/// store whose facts were made by anything else makes them again.
#[must_use]
pub fn hash(zone: Tz) -> String {
    let mut hash = Sha256::new();
    for (name, text) in
        FILES.iter().chain(SOURCES).chain(&[("time zone", zone.name()), ("program", env!("CARGO_PKG_VERSION"))])
    {
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
    fn every_source_of_an_operator_is_part_of_the_hash() {
        let sources = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
        let mut folders = vec![format!("{sources}/operators"), format!("{sources}/facts")];
        let mut found = 0;
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.to_str().unwrap().trim_start_matches(sources).trim_start_matches('/').to_owned();
                if path.is_dir() && !name.ends_with("/tests") {
                    folders.push(path.to_str().unwrap().to_owned());
                } else if path.is_file() && !name.ends_with("/tests.rs") {
                    assert!(SOURCES.iter().any(|(listed, _)| *listed == name), "{name} is not part of the hash");
                    found += 1;
                }
            }
        }
        assert!(found > 10);
    }

    #[test]
    fn another_time_zone_makes_other_facts() {
        assert_eq!(hash(chrono_tz::Europe::London), hash(chrono_tz::Europe::London));
        assert_ne!(hash(chrono_tz::Europe::London), hash(chrono_tz::Europe::Paris));
    }

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
