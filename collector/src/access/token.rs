//! The text of a token, and what is kept of it.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::{Error, ErrorKind};

/// So that a token that got somewhere it should not be is found by those who search for secrets.
const PREFIX: &str = "gilbreth_";
const ID_BYTES: usize = 4;
const SECRET_BYTES: usize = 32;
const HASH_BYTES: usize = 32;

/// A token in clear, as its bearer presents it: `gilbreth_<id>_<secret>`. It is in no debugging output, and whoever
/// prints it does so on purpose.
pub struct Token(String);

impl std::fmt::Debug for Token {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Token(…)")
    }
}

impl Token {
    /// A new one, of 256 random bits.
    ///
    /// # Errors
    /// If the system gives no randomness.
    pub(super) fn make() -> Result<(Self, Id), Error> {
        let mut bytes = [0; ID_BYTES + SECRET_BYTES];
        getrandom::fill(&mut bytes)
            .map_err(|error| Error::new(ErrorKind::Unavailable, "no randomness for a token").caused_by(error))?;
        let (id, secret) = bytes.split_at(ID_BYTES);
        let id = Id(hex(id));
        Ok((Self(format!("{PREFIX}{}_{}", id.0, hex(secret))), id))
    }

    /// The token, to be shown to its bearer and to nobody else.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// What tells tokens apart and is no secret: lists, metrics and messages show it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Id(String);

impl Id {
    /// The id that a text presented as a token begins with; whether it is a token is not known yet.
    pub(super) fn of_presented(text: &str) -> Option<Self> {
        let (id, _) = text.strip_prefix(PREFIX)?.split_once('_')?;
        (id.len() == 2 * ID_BYTES).then(|| Self(id.to_owned()))
    }

    /// Its text as bytes, to tell senders apart by. What can be presented has eight of them.
    pub(crate) fn to_bytes(&self) -> [u8; 2 * ID_BYTES] {
        self.0.as_bytes().try_into().unwrap_or_default()
    }

    /// Its text: eight hex digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Id {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What is kept of a token: its SHA-256.
///
/// A slow hash with salt, as for passwords, would add nothing but work for each request: those protect what people
/// choose, which can be tried out from a dictionary. A token is 256 random bits, of which no two are alike and which
/// nobody tries out.
#[derive(Debug, Clone)]
pub(super) struct Hash([u8; HASH_BYTES]);

impl Hash {
    pub(super) fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }

    /// Whether both are of the same token, in a time that does not depend on where they differ.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex(&self.0))
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let wrong = || D::Error::custom("a hash is not of 64 hex digits");
        let digits: Option<Vec<u8>> =
            text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
        let digits = digits.filter(|digits| digits.len() == 2 * HASH_BYTES).ok_or_else(wrong)?;
        let mut bytes = [0; HASH_BYTES];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = pair[0] << 4 | pair[1];
        }
        Ok(Self(bytes))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_name_their_id_and_agree_with_their_own_hash_alone() {
        let (one, id) = Token::make().unwrap();
        let (other, _) = Token::make().unwrap();
        assert_eq!(Id::of_presented(one.reveal()), Some(id.clone()));
        assert_eq!(one.reveal().len(), PREFIX.len() + 8 + 1 + 64);
        assert!(Hash::of(one.reveal()).agrees(&Hash::of(one.reveal())));
        assert!(!Hash::of(one.reveal()).agrees(&Hash::of(other.reveal())));
        assert_eq!(format!("{one:?}"), "Token(…)");
        for foreign in ["", "gilbreth_", "gilbreth_1234567_x", "gilbreth_12345678", "other_12345678_x", id.as_str()] {
            assert_eq!(Id::of_presented(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn a_hash_is_read_as_it_is_written_and_nothing_else_is() {
        let hash = Hash::of("x");
        let written = serde_json::to_string(&hash).unwrap();
        assert!(serde_json::from_str::<Hash>(&written).unwrap().agrees(&hash));
        for wrong in ["\"\"", "\"ab\"", &written.replace(char::is_numeric, "g"), &written.replacen('"', "\"0", 1)] {
            serde_json::from_str::<Hash>(wrong).unwrap_err();
        }
    }
}
