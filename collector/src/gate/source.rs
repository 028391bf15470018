//! Where an export comes from, which decides what is believed of it and whose spans it may hold.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// Where an export comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source<'a> {
    /// A sender, now.
    Network {
        /// The replay right: spans of any time, and `casework.clock.received` is believed. Without it: times near the
        /// receipt, and `casework.clock.received` ignored.
        any_time: bool,
        /// The systems whose spans are taken; those of others are refused.
        systems: &'a Systems,
    },
    /// A file: any system, any time, and the time of first receipt is believed; a span without one is not late.
    File,
}

impl Source<'_> {
    /// A sender that no token narrows.
    pub const ANY_SENDER: Source<'static> = Source::Network { any_time: false, systems: &Systems::All };

    pub(super) const fn believes_any_time(self) -> bool {
        match self {
            Self::Network { any_time, .. } => any_time,
            Self::File => true,
        }
    }

    pub(super) fn may_write(self, system: Option<&str>) -> bool {
        match self {
            Self::Network { systems, .. } => systems.include(system),
            Self::File => true,
        }
    }
}

/// Case systems by the names under which `spans` has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Systems {
    /// Every system, and spans that name none.
    All,
    /// These alone.
    These(BTreeSet<String>),
}

impl Systems {
    /// Whether the system of an export is one of them. An export that names no system is of none in particular.
    #[must_use]
    pub fn include(&self, system: Option<&str>) -> bool {
        match self {
            Self::All => true,
            Self::These(names) => system.is_some_and(|system| names.contains(system)),
        }
    }
}
