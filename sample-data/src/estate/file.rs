//! The estate as its TOML file says it, word for word; [`super::check`] turns it into an [`super::Estate`].

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EstateFile {
    pub(super) name: String,
    pub(super) time_zone: String,
    /// Systems that `case-system/…` in a step may stand for.
    #[serde(default)]
    pub(super) case_systems: Vec<String>,
    pub(super) facts: BTreeMap<String, String>,
    pub(super) systems: Vec<SystemFile>,
    pub(super) tasks: Vec<TaskFile>,
    pub(super) service: ServiceFile,
    pub(super) companies: CompaniesFile,
    /// Days on which nobody works, with their names.
    #[serde(default)]
    pub(super) holidays: BTreeMap<NaiveDate, String>,
    /// By role.
    #[serde(default)]
    pub(super) hourly_cost: BTreeMap<String, f64>,
    pub(super) effects: Option<EffectsFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EffectsFile {
    #[serde(default)]
    pub(super) releases: Vec<ReleaseFile>,
    pub(super) interface: Option<InterfaceFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReleaseFile {
    pub(super) system: String,
    pub(super) release: String,
    pub(super) after: f64,
    pub(super) wait_s: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InterfaceFile {
    pub(super) name: String,
    pub(super) from_system: String,
    pub(super) due_on: NaiveDate,
    pub(super) had_since: NaiveDate,
    pub(super) goes_live: BTreeMap<String, f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SystemFile {
    pub(super) name: String,
    pub(super) release: String,
    pub(super) screens_of: Option<String>,
    pub(super) values: ValuesSent,
    pub(super) case_number: CaseNumber,
    pub(super) sign_in_s: f64,
    pub(super) sign_in_again_after_min: f64,
    pub(super) wait: WaitFile,
    pub(super) outages_per_day: f64,
    pub(super) lost_work: f64,
    pub(super) rejected: f64,
    pub(super) auto_save: bool,
    #[serde(default)]
    pub(super) screens: Vec<ScreenFile>,
}

/// How a system sends what a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ValuesSent {
    /// As digests made in the page.
    Digest,
    /// As text, by a server that cannot hash; the gate does it.
    Text,
}

/// By which numbers a system names a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CaseNumber {
    /// By the national number.
    Crn,
    /// By the national number and one of its own.
    CrnAndOwn,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WaitFile {
    pub(super) median_s: f64,
    pub(super) sigma: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScreenFile {
    pub(super) name: String,
    pub(super) function: String,
    pub(super) reading_s: f64,
    pub(super) slower: Option<f64>,
    pub(super) find_by: Option<String>,
    #[serde(default)]
    pub(super) refreshes: bool,
    pub(super) fields: Vec<FieldFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FieldFile {
    pub(super) name: String,
    pub(super) fact: Option<String>,
    pub(super) value: Option<String>,
    pub(super) how: How,
    #[serde(default)]
    pub(super) pasted: f64,
}

/// What a worker does with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// Sees it with its value.
    Seen,
    /// Types into it.
    Typed,
    /// Picks from a list.
    Chosen,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TaskFile {
    pub(super) name: String,
    pub(super) cases: Cases,
    #[serde(default)]
    pub(super) renews: Vec<String>,
    pub(super) rows: Option<u32>,
    pub(super) per_day: BTreeMap<String, f64>,
    pub(super) steps: Vec<String>,
}

/// Which cases a task is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cases {
    /// The worker's own.
    Own,
    /// One that nobody knew yet.
    New,
    /// One that waits to be allocated.
    Waiting,
    /// Any of the service or of the companies with that case system.
    Any,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServiceFile {
    pub(super) name: String,
    pub(super) share: f64,
    pub(super) teams: Vec<String>,
    pub(super) roles: BTreeMap<String, f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CompaniesFile {
    pub(super) names: Vec<String>,
    pub(super) with_interface: usize,
    pub(super) case_system: String,
    pub(super) case_system_with_interface: String,
    pub(super) roles: BTreeMap<String, f64>,
}
