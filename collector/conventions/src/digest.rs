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

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Vectors {
        page_key: String,
        store_key: String,
        values: Vec<Vector>,
    }

    #[derive(serde::Deserialize)]
    struct Vector {
        value: String,
        kind: String,
        client: String,
        parts: Vec<String>,
        stored: i64,
    }

    /// The digests of the file were worked out by another implementation of HMAC-SHA-256, from canonical forms written by
    /// hand.
    #[test]
    fn digests_are_those_that_another_implementation_works_out() {
        let vectors: Vectors = serde_json::from_str(include_str!("../vectors/digest.json")).unwrap();
        let page = Digester::new(vectors.page_key.as_bytes());
        let hex = |at: usize| u8::from_str_radix(&vectors.store_key[at..at + 2], 16).unwrap();
        let key: Vec<u8> = (0..64).step_by(2).map(hex).collect();
        let store = Digester::new(&key);
        assert!(vectors.values.len() >= 5);
        for Vector { value, kind, client, parts, stored } in vectors.values {
            let digests = client_digests(&page, &value, ValueKind::parse(&kind).unwrap());
            assert_eq!(digests, ClientDigests { whole: Some(client.clone()), parts }, "{value}");
            assert_eq!(i64::from_be_bytes(store.first_8_bytes(client.as_bytes())), stored, "{value}");
        }
    }
}
