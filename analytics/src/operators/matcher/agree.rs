//! When two values agree. Everything here is about sets of digests; nothing knows a value.

use crate::operators::hashing::FastSet;

/// A value as digests.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Value {
    /// The whole value.
    pub digest: i64,
    /// Its parts, ascending, each once; none where it has fewer than two.
    pub parts: Vec<i64>,
}

/// The most fields of one screen that a joined value may come from.
pub const JOINED_MAX: usize = 4;

impl Value {
    /// A value with parts in any order.
    #[must_use]
    pub fn new(digest: i64, mut parts: Vec<i64>) -> Self {
        parts.sort_unstable();
        parts.dedup();
        Self { digest, parts }
    }

    /// What must be found elsewhere for this value to be made up of it: its parts, or itself where it has none.
    #[must_use]
    pub fn wanted(&self) -> &[i64] {
        if self.parts.is_empty() { std::slice::from_ref(&self.digest) } else { &self.parts }
    }

    /// What it offers to others: its digest and its parts.
    pub fn tokens(&self) -> impl Iterator<Item = i64> + '_ {
        std::iter::once(self.digest).chain(self.parts.iter().copied().filter(|part| *part != self.digest))
    }

    /// Whether the digest or a part is this.
    #[must_use]
    pub fn has(&self, token: i64) -> bool {
        self.digest == token || self.parts.binary_search(&token).is_ok()
    }

    /// `split`: everything wanted is among the digest and parts of one source. (Not asked for dates.)
    #[must_use]
    pub fn is_part_of(&self, source: &Self) -> bool {
        self.wanted().iter().all(|token| source.has(*token))
    }

    /// Which of the parts a source has, one bit each. Values of more than 64 parts (the gate admits 16) join nothing.
    #[must_use]
    pub fn mask(&self, source: &Self) -> u64 {
        self.parts.iter().take(64).enumerate().fold(0, |mask, (bit, part)| mask | u64::from(source.has(*part)) << bit)
    }

    /// The mask that has all parts; none where the value cannot be joined from others.
    #[must_use]
    pub fn full_mask(&self) -> Option<u64> {
        match self.parts.len() {
            0 | 65.. => None,
            64 => Some(u64::MAX),
            parts => Some((1 << parts) - 1),
        }
    }
}

/// A set of digests that is asked for many others: most are told by a few bits of theirs, which are spread evenly.
#[derive(Debug)]
pub struct Tokens {
    bits: Vec<u64>,
    all: FastSet<i64>,
}

impl FromIterator<i64> for Tokens {
    fn from_iter<T: IntoIterator<Item = i64>>(tokens: T) -> Self {
        let all: FastSet<i64> = tokens.into_iter().collect();
        let mut bits = vec![0; 1 << 10];
        for token in &all {
            bits[Self::word(*token)] |= 1 << (*token & 63);
        }
        Self { bits, all }
    }
}

impl Tokens {
    const fn word(token: i64) -> usize {
        (token >> 6 & 0x3FF) as usize
    }

    /// Whether a digest is one of them.
    #[must_use]
    pub fn contains(&self, token: i64) -> bool {
        self.bits[Self::word(token)] & 1 << (token & 63) != 0 && self.all.contains(&token)
    }
}

/// `join`: whether at most [`JOINED_MAX`] of these masks cover the full one.
#[must_use]
pub fn covered(masks: &[u64], full: u64) -> bool {
    let union = masks.iter().fold(0, |union, mask| union | mask);
    union & full == full && covered_by(masks, full, JOINED_MAX)
}

fn covered_by(masks: &[u64], missing: u64, fields: usize) -> bool {
    if missing == 0 {
        return true;
    }
    // Some field has to give the lowest missing part: try each that does.
    let lowest = missing & missing.wrapping_neg();
    fields > 0 && masks.iter().any(|mask| mask & lowest != 0 && covered_by(masks, missing & !mask, fields - 1))
}

#[cfg(test)]
mod tests {
    use super::Tokens;

    #[test]
    fn a_set_of_digests_has_these_and_no_others() {
        let few: Tokens = [5, -7, i64::MIN, 1 << 40].into_iter().collect();
        assert!([5, -7, i64::MIN, 1 << 40].iter().all(|token| few.contains(*token)));
        assert!([6, 5 + (1 << 16), 7, 0].iter().all(|token| !few.contains(*token)));
        assert!(!Tokens::from_iter([]).contains(0));
    }
}
