//! Hashes made lately, so that what comes in every request (the worker, the session, the case that is open, the values on
//! its screen) is hashed once in a while.
//!
//! No text is kept: a hash is found by a fingerprint of 64 bits of what it is of, keyed anew by each process so that
//! nobody can choose texts that collide. Sixteen of these bits choose the one place where a hash is looked for, so a look
//! takes one text for another with odds of at most 2⁻⁴⁸: at ten million looks a day, once in 77,000 years. Memory is
//! bounded by the number of places.

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    sync::{Mutex, PoisonError},
};

/// Locks, so that requests at the same time seldom wait for each other.
const SHARDS: usize = 64;
/// Places of a shard; with 16 bytes each a megabyte in all.
const PLACES: usize = 1 << 10;
/// The fingerprint of nothing.
const NOTHING: u64 = 0;

/// The last hash made in each place.
pub(super) struct Lately {
    keyed: RandomState,
    shards: Vec<Mutex<Vec<Made>>>,
}

/// What was made of the text with that fingerprint.
#[derive(Clone, Copy)]
struct Made {
    fingerprint: u64,
    hash: [u8; 8],
}

impl fmt::Debug for Lately {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Lately(…)")
    }
}

impl Default for Lately {
    fn default() -> Self {
        let nothing = Made { fingerprint: NOTHING, hash: [0; 8] };
        let shards = (0..SHARDS).map(|_| Mutex::new(vec![nothing; PLACES])).collect();
        Self { keyed: RandomState::new(), shards }
    }
}

impl Lately {
    /// The hash of a text in a domain: as it was made lately, or else as `make` says, which must always say the same.
    pub(super) fn or_make(&self, domain: &[u8], text: &[u8], make: impl FnOnce() -> [u8; 8]) -> [u8; 8] {
        let fingerprint = self.keyed.hash_one((domain, text)).max(NOTHING + 1);
        let low = usize::from(fingerprint as u16);
        let (shard, place) = (&self.shards[low % SHARDS], low / SHARDS % PLACES);
        let known = shard.lock().unwrap_or_else(PoisonError::into_inner)[place];
        if known.fingerprint == fingerprint {
            return known.hash;
        }
        let hash = make();
        shard.lock().unwrap_or_else(PoisonError::into_inner)[place] = Made { fingerprint, hash };
        hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stand-in for a hash that differs with each domain and text.
    fn made(domain: &[u8], number: u32) -> [u8; 8] {
        let mut hash = [0; 8];
        hash[..4].copy_from_slice(&number.to_be_bytes());
        hash[4..].copy_from_slice(&domain[..4]);
        hash
    }

    #[test]
    fn a_hash_is_made_once_for_as_long_as_its_place_is_its_own() {
        let lately = Lately::default();
        let mut count = 0;
        for _ in 0..10 {
            for number in 0..100_u32 {
                let hash = lately.or_make(b"case\0", &number.to_be_bytes(), || {
                    count += 1;
                    made(b"case", number)
                });
                assert_eq!(hash, made(b"case", number));
            }
        }
        // A few of the hundred may have to share a place, and so be made each time.
        assert!((100..300).contains(&count), "{count}");
    }

    #[test]
    fn more_texts_than_places_and_equal_texts_of_two_domains_keep_their_own_hashes() {
        let lately = Lately::default();
        for number in (0..200_000_u32).chain(0..1_000) {
            for domain in [b"case\0".as_slice(), b"task\0"] {
                let hash = lately.or_make(domain, &number.to_be_bytes(), || made(domain, number));
                assert_eq!(hash, made(domain, number));
            }
        }
    }

    #[test]
    fn what_is_remembered_is_not_shown() {
        assert_eq!(format!("{:?}", Lately::default()), "Lately(…)");
    }
}
