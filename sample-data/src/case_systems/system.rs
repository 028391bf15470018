//! The four systems, by name and by how they are built.

use super::forms::{ALLOCATION, APPOINTMENT, CONTACT, EVENT, Form, IDENTIFICATION, PERSONAL, REFERRAL, RISK, WORKLOAD};

/// A case system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum System {
    /// The national case system: pages made by the server, laid out by tables, with generated ids.
    Ndelius,
    /// The tool for assessing: an application of a single page.
    Oasys,
    /// The tool for allocating: web components.
    Cas,
    /// A rehabilitation company's own system: a frameset, and windows that pop up.
    Crc,
}

impl System {
    /// All of them, in the order in which a case goes through them.
    pub const ALL: [Self; 4] = [Self::Ndelius, Self::Oasys, Self::Cas, Self::Crc];

    /// As it is called in spans: `service.name`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ndelius => "ndelius",
            Self::Oasys => "oasys",
            Self::Cas => "cas",
            Self::Crc => "crc-a",
        }
    }

    /// As its pages call it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Ndelius => "nDelius",
            Self::Oasys => "OASys",
            Self::Cas => "Case Allocation",
            Self::Crc => "Northmoor Rehabilitation: Case Manager",
        }
    }

    /// How it is built, in words.
    #[must_use]
    pub const fn technology(self) -> &'static str {
        match self {
            Self::Ndelius => "pages made by the server, laid out by tables, with generated ids",
            Self::Oasys => "an application of a single page",
            Self::Cas => "web components with shadow roots",
            Self::Crc => "a frameset, and windows that pop up",
        }
    }

    /// Its version: `service.version`.
    #[must_use]
    pub const fn release(self) -> &'static str {
        match self {
            Self::Ndelius => "4.3.1",
            Self::Oasys => "4.9",
            Self::Cas => "2.0.2",
            Self::Crc => "1.16",
        }
    }

    /// The rules by which the agent names what it sees in pages that say nothing themselves, as the collector reads them;
    /// none for pages that do.
    #[must_use]
    pub const fn rules(self) -> Option<&'static str> {
        match self {
            Self::Ndelius => Some(include_str!("../../case-systems/rules/ndelius.json")),
            Self::Crc => Some(include_str!("../../case-systems/rules/crc-a.json")),
            Self::Oasys | Self::Cas => None,
        }
    }

    /// Its number for a case: each system has one of its own, beside the one that all of them know.
    pub(super) fn number(self, case: u32) -> String {
        match self {
            Self::Ndelius => crn(case),
            Self::Oasys => format!("OA{}", 730_200 + case),
            Self::Cas => format!("A-{}", 51_000 + case),
            Self::Crc => format!("NM{}", 8_100 + case),
        }
    }

    pub(super) const fn forms(self) -> &'static [Form] {
        match self {
            Self::Ndelius => &[PERSONAL, EVENT, CONTACT],
            Self::Oasys => &[IDENTIFICATION, RISK],
            Self::Cas => &[ALLOCATION, WORKLOAD],
            Self::Crc => &[REFERRAL, APPOINTMENT],
        }
    }

    /// The form of that id.
    pub(super) fn form(self, id: &str) -> Option<&'static Form> {
        self.forms().iter().find(|form| form.id == id)
    }
}

/// The number by which all systems know a case.
pub(super) fn crn(case: u32) -> String {
    format!("X{}", 340_100 + case)
}
