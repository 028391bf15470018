//! What a request presents, and what comes of it.

use std::{net::IpAddr, sync::Arc, time::Duration};

use axum::http::{HeaderMap, HeaderValue, header};
use tokio::sync::OwnedSemaphorePermit;

use super::{
    book::Entry,
    meter::{Limit, Meter},
    rights::Rights,
    token::Id,
};
use crate::gate::{Source, Systems};

/// The address that a connection came from, as an extension of its requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

impl Peer {
    pub(super) fn is_loopback(self) -> bool {
        self.0.to_canonical().is_loopback()
    }
}

/// What a request says about who sends it. The headers of gRPC's metadata and of HTTP are the same.
#[derive(Clone, Copy)]
pub struct Presented<'a> {
    bearer: Bearer<'a>,
    pub(super) origin: Option<&'a HeaderValue>,
    pub(super) peer: Option<Peer>,
}

/// A token, and the way it came.
#[derive(Clone, Copy)]
pub(super) enum Bearer<'a> {
    None,
    /// In the header `authorization`, but not as a bearer token.
    Unreadable,
    Header(&'a str),
    Query(&'a str),
}

impl std::fmt::Debug for Presented<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Presented").field("peer", &self.peer).finish_non_exhaustive()
    }
}

impl<'a> Presented<'a> {
    /// What the headers, the query of the path, and the connection say. A token in the header comes before one in the
    /// query.
    #[must_use]
    pub fn of(headers: &'a HeaderMap, query: Option<&'a str>, peer: Option<Peer>) -> Self {
        let bearer = match headers.get(header::AUTHORIZATION) {
            Some(value) => bearer(value).map_or(Bearer::Unreadable, Bearer::Header),
            None => query.and_then(in_query).map_or(Bearer::None, Bearer::Query),
        };
        Self { bearer, origin: headers.get(header::ORIGIN), peer }
    }

    pub(super) const fn bearer(&self) -> Bearer<'a> {
        self.bearer
    }
}

fn bearer(value: &HeaderValue) -> Option<&str> {
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Tokens hold nothing that a query would write otherwise.
pub(super) fn in_query(query: &str) -> Option<&str> {
    query.split('&').find_map(|pair| pair.strip_prefix("token="))
}

/// What a sender may do, for the time of one request. Dropping it gives its place to the next.
#[derive(Debug)]
pub struct Grant {
    pub(super) holder: Holder,
}

#[derive(Debug)]
pub(super) enum Holder {
    /// No token is needed.
    Anybody {
        replay: bool,
    },
    Token {
        known: Arc<Known>,
        _place: OwnedSemaphorePermit,
    },
}

/// A token that is in force.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) entry: Entry,
    pub(super) meter: Arc<Meter>,
}

impl Grant {
    /// What the gate is to go by.
    #[must_use]
    pub fn source(&self) -> Source<'_> {
        match &self.holder {
            Holder::Anybody { replay } => Source::Network { any_time: *replay, systems: &Systems::All },
            Holder::Token { known, .. } => match &known.entry.rights {
                Rights::Send { systems, replay } => Source::Network { any_time: *replay, systems },
                Rights::Page { systems, .. } => Source::Network { any_time: false, systems },
                Rights::Read { .. } => unreachable!("a reader's token is granted no sending"),
            },
        }
    }

    /// The token's id, where there is one.
    #[must_use]
    pub fn token(&self) -> Option<&Id> {
        match &self.holder {
            Holder::Anybody { .. } => None,
            Holder::Token { known, .. } => Some(&known.entry.id),
        }
    }

    /// Whether it is that of a page, whose origin has been looked at.
    #[must_use]
    pub fn is_of_page(&self) -> bool {
        matches!(&self.holder, Holder::Token { known, .. } if matches!(known.entry.rights, Rights::Page { .. }))
    }

    pub(super) fn meter(&self) -> Option<&Meter> {
        match &self.holder {
            Holder::Anybody { .. } => None,
            Holder::Token { known, .. } => Some(&known.meter),
        }
    }
}

/// Why a request gets no grant. The messages show nothing of what was presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// A token is needed.
    #[error("a token is needed: authorization: Bearer …, made with gilbreth token add")]
    NoToken,
    /// There are no tokens yet, and then only this machine may send.
    #[error("without tokens only this machine may send: make one with gilbreth token add")]
    NotLoopback,
    /// It is not known, or revoked.
    #[error("the token is not known, or revoked")]
    Unknown,
    /// A token of a server was put where everybody reads it.
    #[error("only the token of a page goes into the query: send this one as authorization: Bearer …")]
    InQuery,
    /// It is for reading.
    #[error("the token is for reading, not for sending")]
    MayNotSend,
    /// It is the token of a page, and the request does not come from one of its origin.
    #[error("the token is that of pages of another origin")]
    OtherOrigin,
    /// It does more than it may.
    #[error("the token's limit of {} is reached: send again later", .limit.in_words())]
    Limited {
        /// Of what.
        limit: Limit,
        /// When to come again.
        retry_after: Duration,
    },
}

impl Denied {
    /// Whether a token that is known would help (401, UNAUTHENTICATED); else this one does not have the right (403,
    /// PERMISSION_DENIED), or is to come again later (503, UNAVAILABLE).
    #[must_use]
    pub const fn wants_token(self) -> bool {
        matches!(self, Self::NoToken | Self::NotLoopback | Self::Unknown | Self::InQuery)
    }

    /// Its name, as metrics have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoToken => "no_token",
            Self::NotLoopback => "not_loopback",
            Self::Unknown => "unknown_token",
            Self::InQuery => "in_query",
            Self::MayNotSend => "may_not_send",
            Self::OtherOrigin => "other_origin",
            Self::Limited { .. } => "limited",
        }
    }
}
