//! What was planted, at which size and when: what an estimate of it is held against.

use chrono::NaiveDate;

use super::Truth;
use crate::estate::effects::monday;

/// A change of a known size.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    /// `release` or `go_live`.
    pub kind: &'static str,
    /// The release or the interface.
    pub name: String,
    /// Where it went live; empty for a release, which comes to everybody.
    pub organisation: String,
    /// The system released, or that the interface brings values to.
    pub system: String,
    /// The first day.
    pub date: NaiveDate,
    /// How great it is, by how the simulation is made; never a measurement.
    pub size: f64,
    /// In which unit.
    pub unit: &'static str,
}

impl Truth {
    /// What was planted; nothing where nothing was. A release makes each task wait so much longer in its system, once. A
    /// go-live stops all keying of what the interface carries: its size is minus one, of what was keyed before.
    #[must_use]
    pub fn effects(&self) -> Vec<Effect> {
        if !self.options.has_effects() {
            return Vec::new();
        }
        let planted = &self.estate.effects;
        let releases = planted.releases.iter().map(|release| Effect {
            kind: "release",
            name: release.name.clone(),
            organisation: String::new(),
            system: self.estate.system(release.system).name.clone(),
            date: monday(&self.options, release.after),
            size: release.wait_s / 60.0,
            unit: "lost minutes per instance",
        });
        let go_lives = planted.interface.iter().flat_map(|interface| {
            interface.goes_live.iter().map(|(company, after)| Effect {
                kind: "go_live",
                name: interface.name.clone(),
                organisation: self.estate.organisation(*company),
                system: self.estate.system(self.estate.companies.case_system).name.clone(),
                date: monday(&self.options, *after),
                size: -1.0,
                unit: "share of avoidable re-entry",
            })
        });
        releases.chain(go_lives).collect()
    }
}
