//! What a session can be pinned at: the store's version records, each beside the one before it.

use std::{collections::BTreeMap, fmt};

use chrono::{DateTime, SecondsFormat, Utc};
use gilbreth_collector::{
    schema::SPANS,
    store::{Store, VersionRecord},
};
use serde::Serialize;
use serde_json::Value;

use crate::Error;

/// A version that can be named by `--as-of` and `SET gilbreth.as_of`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Version {
    /// Its number.
    pub version: u64,
    /// When its record was written, UTC, to the second.
    pub written_at: String,
    /// The Delta version of each table.
    pub tables: BTreeMap<String, u64>,
    /// What of it has expired, so that it can no longer be pinned; null for a version that is whole.
    pub expired: Option<String>,
    /// Whether other SQL or operators made its facts than those of the version before; false for the first.
    pub method_changed: bool,
    /// Parameters that differ from the version before: what they were and what they are, null where there was none.
    pub parameters_changed: BTreeMap<String, [Value; 2]>,
    /// The parameters of the measurement.
    pub parameters: Value,
    /// Content hash of the SQL, with the operators' revision, that made its facts.
    pub facts_hash: String,
}

/// Every version of a store, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Versions(pub Vec<Version>);

/// What can be pinned in a store.
pub fn list(store: &Store) -> Result<Versions, Error> {
    let records = store.versions()?;
    let mut gone = Vec::with_capacity(records.len());
    for record in &records {
        gone.push(store.gone_of(record)?.map(|(table, gone)| format!("{table} before {}", gone.before)));
    }
    let mut versions = beside_each_other(records);
    for (version, expired) in versions.0.iter_mut().zip(gone) {
        version.expired = expired;
    }
    Ok(versions)
}

fn beside_each_other(records: Vec<VersionRecord>) -> Versions {
    let mut before: Option<VersionRecord> = None;
    let mut versions = Vec::with_capacity(records.len());
    for record in records {
        let written_at = DateTime::<Utc>::from_timestamp_micros(record.written_at_us).unwrap_or_default();
        versions.push(Version {
            version: record.number,
            written_at: written_at.to_rfc3339_opts(SecondsFormat::Secs, true),
            tables: record.tables.clone(),
            expired: None,
            method_changed: before.as_ref().is_some_and(|before| before.facts_hash != record.facts_hash),
            parameters_changed: before.as_ref().map(|before| changed(before, &record)).unwrap_or_default(),
            parameters: record.parameters.clone(),
            facts_hash: record.facts_hash.clone(),
        });
        before = Some(record);
    }
    Versions(versions)
}

fn changed(before: &VersionRecord, after: &VersionRecord) -> BTreeMap<String, [Value; 2]> {
    let of = |record: &VersionRecord, name: &str| record.parameters.get(name).cloned().unwrap_or(Value::Null);
    let names = [before, after].into_iter().filter_map(|record| record.parameters.as_object()).flatten();
    names
        .map(|(name, _)| (name.clone(), [of(before, name), of(after, name)]))
        .filter(|(_, [before, after])| before != after)
        .collect()
}

impl fmt::Display for Versions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return writeln!(formatter, "no version yet: `gilbreth refresh` makes the first");
        }
        writeln!(formatter, "version  written (UTC)         spans  changed since the version before")?;
        for version in &self.0 {
            let spans = version.tables.get(SPANS.name).map_or_else(|| "-".to_owned(), u64::to_string);
            let mut changes: Vec<String> = version
                .parameters_changed
                .iter()
                .map(|(name, [before, after])| format!("{name} {before} -> {after}"))
                .collect();
            if version.method_changed {
                changes.insert(0, "the method".to_owned());
            }
            changes.extend(version.expired.as_ref().map(|expired| format!("no longer whole: {expired} expired")));
            let line = format!("{:>7}  {}  {spans:>5}  {}", version.version, version.written_at, changes.join(", "));
            writeln!(formatter, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(number: u64, spans: u64, switch_s: f64, facts_hash: &str) -> VersionRecord {
        VersionRecord {
            number,
            written_at_us: 1_764_000_000_000_000 + number as i64 * 60_000_000,
            tables: BTreeMap::from([(SPANS.name.to_owned(), spans)]),
            log_watermark: 0,
            parameters: serde_json::json!({"idle_threshold_s": 60.0, "switch_s": switch_s}),
            facts_hash: facts_hash.to_owned(),
        }
    }

    #[test]
    fn each_version_says_what_differs_from_the_one_before() {
        let versions = beside_each_other(vec![record(1, 0, 5.0, "a"), record(2, 7, 5.0, "a"), record(3, 7, 2.0, "b")]);
        assert_eq!(
            versions.to_string(),
            "version  written (UTC)         spans  changed since the version before\n      \
             1  2025-11-24T16:01:00Z      0\n      2  2025-11-24T16:02:00Z      7\n      \
             3  2025-11-24T16:03:00Z      7  the method, switch_s 5.0 -> 2.0\n"
        );
        let json = serde_json::to_value(&versions).unwrap();
        assert_eq!(json[2]["parameters_changed"]["switch_s"], serde_json::json!([5.0, 2.0]));
        assert_eq!((&json[2]["version"], &json[1]["method_changed"]), (&3.into(), &false.into()));
    }

    #[test]
    fn a_store_never_refreshed_says_what_makes_the_first() {
        assert!(beside_each_other(Vec::new()).to_string().contains("`gilbreth refresh` makes the first"));
    }
}
