//! What a token is for, and how much of it.

use std::{collections::BTreeSet, num::NonZeroU32};

use serde::{Deserialize, Serialize};

use crate::{
    Error, ErrorKind,
    gate::{self, Systems},
};

/// A token for more systems than this is one for all of them.
const SYSTEMS_MAX: usize = 64;

/// What a token is for: one thing, so that one that leaks opens no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Rights {
    /// To send spans from a server.
    Send {
        /// Of these systems.
        systems: Systems,
        /// Whether they may be of any time, and say when they were first received.
        replay: bool,
    },
    /// To send spans from the pages of one origin. It is in the page, so that everybody has it.
    Page {
        /// Where the page comes from, such as `https://cases.example`.
        origin: String,
        /// The system that it is a page of.
        systems: Systems,
    },
    /// To read, as far as a role goes.
    Read {
        /// The role.
        role: Role,
    },
}

/// What a reader may see: the most first, so that a role that comes earlier may all that a later one may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Every table and view, SQL of one's own.
    Auditor,
    /// The views of a whole estate, no row of one worker.
    ServiceOwner,
    /// What a system costs by screen and field, with single examples.
    Developer,
}

impl Rights {
    /// The right to send spans of these systems; of all where `systems` is `None`.
    ///
    /// # Errors
    /// `Invalid` if there is no system, an empty one, or more than 64.
    pub fn send(systems: Option<&[String]>, replay: bool) -> Result<Self, Error> {
        let systems = systems.map_or(Ok(Systems::All), named)?;
        Ok(Self::Send { systems, replay })
    }

    /// The right of a page of this origin to send spans of one system.
    ///
    /// # Errors
    /// `Invalid` if the origin is none, or the system is empty.
    pub fn page(origin: &str, system: &str) -> Result<Self, Error> {
        let systems = named(&[system.to_owned()])?;
        Ok(Self::Page { origin: origin_of(origin)?, systems })
    }

    /// The right to read in a role.
    #[must_use]
    pub const fn read(role: Role) -> Self {
        Self::Read { role }
    }

    pub(super) const fn systems(&self) -> Option<&Systems> {
        match self {
            Self::Send { systems, .. } | Self::Page { systems, .. } => Some(systems),
            Self::Read { .. } => None,
        }
    }
}

/// Systems as the gate names them, which is what is compared.
fn named(systems: &[String]) -> Result<Systems, Error> {
    let wrong = |message: &str| Err(Error::new(ErrorKind::Invalid, message));
    if systems.is_empty() || systems.iter().any(|name| name.trim().is_empty()) {
        return wrong("a system must have a name");
    }
    let names: BTreeSet<String> = systems.iter().map(|name| gate::name_as_stored(name)).collect();
    if names.len() > SYSTEMS_MAX {
        return wrong("a token is bound to at most 64 systems: make one for all of them");
    }
    Ok(Systems::These(names))
}

/// An origin as browsers write it.
fn origin_of(text: &str) -> Result<String, Error> {
    let written = url::Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let written = written.map(|url| url.origin().ascii_serialization());
    written.filter(|origin| origin == text.trim_end_matches('/')).ok_or_else(|| {
        Error::new(
            ErrorKind::Invalid,
            "an origin is written as browsers send it: scheme, host in lower case, and the port unless it is the \
             scheme's own, such as https://cases.example or http://10.0.0.7:8080",
        )
    })
}

/// How much a token may do. Whoever goes beyond is told to come again, and keeps its data meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Spans a second, over time; ten seconds' worth at once. `None`: as many as come.
    pub spans_per_s: Option<NonZeroU32>,
    /// Requests in work at once.
    pub requests_at_once_max: NonZeroU32,
}

impl Limits {
    /// Half of what the collector works on at once by default, so that one sender leaves room for another.
    const REQUESTS_AT_ONCE_MAX: NonZeroU32 = NonZeroU32::new(32).expect("it is not zero");
    /// What tens of thousands of people at work make, and far from what fills a disk in an hour.
    const PAGE_SPANS_PER_S: NonZeroU32 = NonZeroU32::new(10_000).expect("it is not zero");

    /// What holds for a token of these rights unless something else is said.
    #[must_use]
    pub const fn default_for(rights: &Rights) -> Self {
        let spans_per_s = match rights {
            // Anybody may have the token of a page.
            Rights::Page { .. } => Some(Self::PAGE_SPANS_PER_S),
            Rights::Send { .. } | Rights::Read { .. } => None,
        };
        Self { spans_per_s, requests_at_once_max: Self::REQUESTS_AT_ONCE_MAX }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systems_are_named_as_the_gate_stores_them() {
        let rights = Rights::send(Some(&["ndelius".to_owned(), "crc-1234".to_owned()]), false).unwrap();
        let systems = rights.systems().unwrap();
        assert!(systems.include(Some("crc-#")) && systems.include(Some("ndelius")));
        assert!(!systems.include(Some("crc-1234")) && !systems.include(None));
        assert!(Rights::send(None, true).unwrap().systems().unwrap().include(None));
        for wrong in [&[][..], &[" ".to_owned()], &(0..65).map(|at| format!("s{}", "x".repeat(at))).collect::<Vec<_>>()]
        {
            assert_eq!(Rights::send(Some(wrong), false).unwrap_err().kind(), ErrorKind::Invalid);
        }
    }

    #[test]
    fn an_origin_is_one_as_browsers_send_it() {
        for (text, expected) in [
            ("https://cases.example", Some("https://cases.example")),
            ("https://cases.example/", Some("https://cases.example")),
            ("http://10.0.0.7:8080", Some("http://10.0.0.7:8080")),
            ("http://[::1]:8080", Some("http://[::1]:8080")),
            ("https://cases.example:443", None),
            ("https://Cases.example", None),
            ("https://cases.example/start", None),
            ("cases.example", None),
            ("null", None),
            ("file:///x", None),
            ("*", None),
        ] {
            let made = Rights::page(text, "ndelius").ok();
            let expected = expected.map(|origin| Rights::Page {
                origin: origin.to_owned(),
                systems: named(&["ndelius".to_owned()]).unwrap(),
            });
            assert_eq!(made, expected, "{text}");
        }
    }

    #[test]
    fn an_auditor_may_what_others_may() {
        assert!(Role::Auditor < Role::ServiceOwner && Role::Auditor < Role::Developer);
    }
}
