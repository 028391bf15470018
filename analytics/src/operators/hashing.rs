//! Maps by identifiers and numbers: most of the time of the operators went into hashing them.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher, BuildHasherDefault, Hash, Hasher},
};

/// A map by short keys.
pub type FastMap<K, V> = HashMap<K, V, BuildHasherDefault<FastHasher>>;

/// A set of short keys.
pub type FastSet<K> = HashSet<K, BuildHasherDefault<FastHasher>>;

/// The hash of a short key: two keys may have the same, one key has the same in one build.
pub fn hash(key: &(impl Hash + ?Sized)) -> u64 {
    BuildHasherDefault::<FastHasher>::default().hash_one(key)
}

/// A hasher for short keys: one multiplication a word, and one at the end. Keys are keyed hashes already, or names of which
/// an estate has few, so that nobody can choose them to collide.
#[derive(Debug, Default, Clone, Copy)]
pub struct FastHasher(u64);

impl FastHasher {
    fn mix(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word ^ 0x9E37_79B9_7F4A_7C15) * 0xD6E8_FEB8_6659_FD93;
        self.0 = product as u64 ^ (product >> 64) as u64;
    }
}

impl Hasher for FastHasher {
    /// One more multiplication: maps use the top bits and the bottom ones, and either must depend on all of the key.
    fn finish(&self) -> u64 {
        let spread = (self.0 ^ (self.0 >> 32)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        spread ^ (spread >> 32)
    }

    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        words.iter().for_each(|word| self.mix(u64::from_le_bytes(*word)));
        if !rest.is_empty() {
            let mut last = [0; 8];
            last[..rest.len()].copy_from_slice(rest);
            self.mix(u64::from_le_bytes(last));
        }
    }

    fn write_u8(&mut self, word: u8) {
        self.mix(u64::from(word));
    }

    fn write_u32(&mut self, word: u32) {
        self.mix(u64::from(word));
    }

    fn write_u64(&mut self, word: u64) {
        self.mix(word);
    }

    fn write_u128(&mut self, word: u128) {
        self.mix(word as u64);
        self.mix((word >> 64) as u64);
    }

    fn write_i32(&mut self, word: i32) {
        self.mix(u64::from(word as u32));
    }

    fn write_i64(&mut self, word: i64) {
        self.mix(word as u64);
    }

    fn write_usize(&mut self, word: usize) {
        self.mix(word as u64);
    }

    fn write_isize(&mut self, word: isize) {
        self.mix(word as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash_of(say: impl Fn(&mut FastHasher)) -> u64 {
        let mut hasher = FastHasher::default();
        say(&mut hasher);
        hasher.finish()
    }

    #[test]
    fn keys_that_differ_in_few_bits_spread_over_the_top_and_the_bottom_of_the_hash() {
        for shift in [0, 20, 40, 54] {
            let hashes: Vec<u64> = (0_u64..1_000).map(|key| hash_of(|hasher| hasher.write_u64(key << shift))).collect();
            for of in [|hash: u64| hash >> 54, |hash: u64| hash & 1_023] {
                let values: HashSet<u64> = hashes.iter().copied().map(of).collect();
                assert!(values.len() > 500, "{} of 1,024 values, keys shifted by {shift}", values.len());
            }
        }
    }

    #[test]
    fn every_byte_of_a_name_matters() {
        let name = b"a name of nineteen!";
        let of = |name: &[u8]| hash_of(|hasher| hasher.write(name));
        for place in 0..name.len() {
            let mut other = *name;
            other[place] ^= 1;
            assert_ne!(of(name), of(&other), "byte {place}");
        }
    }

    #[test]
    fn the_order_of_words_matters() {
        let words = |one: u32, other: u32| {
            hash_of(|hasher| {
                hasher.write_u32(one);
                hasher.write_u32(other);
            })
        };
        assert_ne!(words(1, 2), words(2, 1));
    }
}
