//! Keyed hashes: what stands for an identifier or a value in the store.

use std::sync::Arc;

use gilbreth_conventions::{digest::Digester, normalise};

use super::lately::Lately;
use crate::key::StoreKey;

/// The form of a worker's name that is hashed: two spellings of one form are one worker.
#[must_use]
pub fn worker_form(id: &str) -> String {
    normalise::step_1(id)
}

/// Hashes by one store key. Each type of identifier has a domain of its own, so that rows of different columns cannot
/// be joined by accident or design; the domains end in a zero byte, which keeps them apart from any text.
#[derive(Debug, Clone)]
pub struct Hashes {
    digester: Digester,
    lately: Arc<Lately>,
}

impl Hashes {
    /// Hashes by that key.
    #[must_use]
    pub fn new(key: &StoreKey) -> Self {
        Self { digester: Digester::new(key.bytes()), lately: Arc::default() }
    }

    /// A worker: their name in the system, whatever was sent.
    #[must_use]
    pub fn worker(&self, id: &str) -> [u8; 8] {
        self.tagged(b"worker\0", id, worker_form)
    }

    /// A number by which a screen names the case.
    #[must_use]
    pub fn case(&self, id: &str) -> [u8; 8] {
        self.tagged(b"case\0", id, normalise::step_1)
    }

    /// A session.
    #[must_use]
    pub fn session(&self, id: &str) -> [u8; 8] {
        self.tagged(b"session\0", id, str::to_owned)
    }

    /// A record within a case.
    #[must_use]
    pub fn record(&self, id: &str) -> [u8; 8] {
        self.tagged(b"record\0", id, str::to_owned)
    }

    /// A task instance.
    #[must_use]
    pub fn task(&self, id: &str) -> [u8; 8] {
        self.tagged(b"task\0", id, str::to_owned)
    }

    /// The stored digest of a client digest; `None` if that is not 16 hex digits.
    #[must_use]
    pub fn value(&self, client_digest: &str) -> Option<i64> {
        let hex = client_digest.len() == 16 && client_digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        hex.then(|| {
            i64::from_be_bytes(self.lately.or_make(b"", client_digest.as_bytes(), || {
                self.digester.first_8_bytes(client_digest.to_ascii_lowercase().as_bytes())
            }))
        })
    }

    /// The hash of a text's form, apart from those of other domains.
    fn tagged(&self, domain: &[u8], text: &str, form: impl FnOnce(&str) -> String) -> [u8; 8] {
        self.lately
            .or_make(domain, text.as_bytes(), || self.digester.first_8_bytes(&[domain, form(text).as_bytes()].concat()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_digests_are_those_of_the_vectors_that_every_implementation_shares() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../../conventions/vectors/digest.json")).unwrap();
        let key = std::array::from_fn(|at| u8::try_from(at).unwrap());
        let hex: String = (0..32).map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(vectors["store_key"], hex);
        let hashes = Hashes::new(&StoreKey::new(key));
        for vector in vectors["values"].as_array().unwrap() {
            assert_eq!(hashes.value(vector["client"].as_str().unwrap()), vector["stored"].as_i64(), "{vector}");
        }
        assert_eq!(hashes.value("not 16 hex digits"), None);
    }
}
