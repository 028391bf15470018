//! Client digests: what travels instead of a value.
//!
//! `client digest = hex(first 8 bytes of HMAC-SHA-256(page key, canonical value))`. The page key is shared by the
//! systems of one estate and is no secret; the gate hashes again with the store's own key.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{kind::ValueKind, normalise};

/// A keyed hash that is set up once and used for many values.
#[derive(Clone)]
pub struct Digester(Hmac<Sha256>);

impl std::fmt::Debug for Digester {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Its state is as good as the key.
        formatter.write_str("Digester(…)")
    }
}

impl Digester {
    /// A digester for one key, of any length.
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        Self(Hmac::new_from_slice(key).expect("HMAC takes keys of every length"))
    }

    /// The first 8 bytes of `HMAC-SHA-256(key, bytes)`.
    #[must_use]
    pub fn first_8_bytes(&self, bytes: &[u8]) -> [u8; 8] {
        let mut mac = self.0.clone();
        mac.update(bytes);
        let full = mac.finalize().into_bytes();
        let mut first = [0; 8];
        first.copy_from_slice(&full[..8]);
        first
    }

    /// 16 lower-case hex digits of [`Self::first_8_bytes`].
    #[must_use]
    pub fn hex(&self, text: &str) -> String {
        hex(&self.first_8_bytes(text.as_bytes()))
    }
}

/// A value as it travels: the digest of the whole and of each part. Never the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientDigests {
    /// Digest of the canonical value; `None` when the value is never digested (empty, or long free text).
    pub whole: Option<String>,
    /// Digests of the parts, at most [`normalise::PARTS_MAX`].
    pub parts: Vec<String>,
}

/// Digests a value as the page does, by the page key.
#[must_use]
pub fn client_digests(page: &Digester, value: &str, kind: ValueKind) -> ClientDigests {
    let whole = normalise::digestible(value, kind).map(|canonical| page.hex(&canonical));
    let parts = match whole {
        Some(_) => normalise::parts(value, kind).iter().map(|part| page.hex(part)).collect(),
        None => Vec::new(),
    };
    ClientDigests { whole, parts }
}

fn hex(bytes: &[u8; 8]) -> String {
    format!("{:016x}", u64::from_be_bytes(*bytes))
}
