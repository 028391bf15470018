//! Hashes and the hours in which they came, in one array that never grows.
//!
//! A hash has two lines of eight places, each 64 bytes, and lies in one of them: whoever looks for it touches these two
//! and nothing else, however many there are. It goes into the emptier of the two, so that with half of all places taken a
//! line is hardly ever full (Azar, Broder, Karlin and Upfal, *Balanced allocations*, 1999); where both are, the oldest of
//! the sixteen makes room.

/// Places of a line: as many as one line of a cache holds.
const LINE: usize = 8;
/// The lowest bits of a place say when; the others are those of the hash. A place of nothing is nought.
const AGE_BITS: u64 = 0xff;
/// Hours are told apart modulo this: one value of the lowest bits is for places of nothing.
const AGES: i64 = AGE_BITS as i64;
/// Odd, with bits of all kinds: what a hash's lowest bits are shows in the highest of the product.
const MIX: [u64; 2] = [0x9e37_79b9_7f4a_7c15, 0xc2b2_ae3d_27d4_eb4f];

/// The longest that hours can be kept, so that none is taken for one of the next round.
pub(super) const HOURS_KEPT_MAX: i64 = AGES / 2;

/// What came, and when. Hours are any count of hours, of which no two that are here lie further apart than
/// [`HOURS_KEPT_MAX`].
#[derive(Debug)]
pub(super) struct Hours {
    /// Line after line.
    places: Vec<u64>,
    lines: u64,
    count: usize,
}

/// What became of a hash that was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Put {
    /// It was there, and keeps its hour.
    Known,
    /// It is there now.
    New,
    /// The same, and an older one had to go.
    InPlaceOfAnother,
}

impl Hours {
    /// Room for so many hashes, and as many places again.
    pub(super) fn new(count_max: usize) -> Self {
        let lines = (2 * count_max).div_ceil(LINE).max(1);
        Self { places: vec![0; lines * LINE], lines: lines as u64, count: 0 }
    }

    /// How many are here.
    pub(super) const fn len(&self) -> usize {
        self.count
    }

    /// Whether a hash is here.
    pub(super) fn contains(&self, hash: u64) -> bool {
        self.find(hash).is_some()
    }

    /// Looks at the lines of some hashes, which is done for several at once where looking for one after another waits for
    /// each.
    pub(super) fn fetch(&self, hashes: &[u64]) {
        let seen = hashes.iter().flat_map(|hash| self.lines_of(*hash)).fold(0, |all, line| all | self.places[line]);
        std::hint::black_box(seen);
    }

    /// Puts a hash that came in an hour; `now` is the latest of all.
    pub(super) fn put(&mut self, hash: u64, hour: i64, now: i64) -> Put {
        let [one, other] = self.lines_of(hash);
        let (mut free, mut frees) = ([None; 2], [0; 2]);
        for (side, line) in [one, other].into_iter().enumerate() {
            for (place, kept) in (line..).zip(&self.places[line..line + LINE]) {
                if is_of(*kept, hash) {
                    return Put::Known;
                }
                if *kept == 0 {
                    free[side] = Some(place);
                    frees[side] += 1;
                }
            }
        }
        let put = hash & !AGE_BITS | age_of(hour);
        if let Some(place) = free[usize::from(frees[1] > frees[0])] {
            self.places[place] = put;
            self.count += 1;
            return Put::New;
        }
        let both = (one..one + LINE).chain(other..other + LINE);
        let oldest = both.max_by_key(|place| hours_since(self.places[*place], now)).unwrap_or(one);
        self.places[oldest] = put;
        Put::InPlaceOfAnother
    }

    /// Takes a hash away, if it is here.
    pub(super) fn remove(&mut self, hash: u64) {
        if let Some(place) = self.find(hash) {
            self.places[place] = 0;
            self.count -= 1;
        }
    }

    /// Takes away what came more than so many hours before one; tells how many.
    pub(super) fn forget_older(&mut self, hour: i64, hours: i64) -> usize {
        self.forget(|_, kept| hours_since(kept, hour) > hours)
    }

    /// Takes away every fourth; tells how many.
    pub(super) fn forget_fourth(&mut self) -> usize {
        self.forget(|number, _| number % 4 == 3)
    }

    /// Takes all away.
    pub(super) fn clear(&mut self) -> usize {
        self.forget(|_, _| true)
    }

    /// How many hours before one the oldest came; nought if there is none.
    pub(super) fn oldest(&self, hour: i64) -> i64 {
        let kept = self.places.iter().filter(|kept| **kept != 0);
        kept.map(|kept| hours_since(*kept, hour)).max().unwrap_or(0)
    }

    fn forget(&mut self, is_over: impl Fn(usize, u64) -> bool) -> usize {
        let before = self.count;
        for (number, kept) in self.places.iter_mut().filter(|kept| **kept != 0).enumerate() {
            if is_over(number, *kept) {
                *kept = 0;
                self.count -= 1;
            }
        }
        before - self.count
    }

    fn find(&self, hash: u64) -> Option<usize> {
        let lines = self.lines_of(hash).into_iter();
        lines.flat_map(|line| line..line + LINE).find(|place| is_of(self.places[*place], hash))
    }

    /// Where the two lines of a hash begin. Hashes that differ in no more than the bits that are not kept have others.
    fn lines_of(&self, hash: u64) -> [usize; 2] {
        MIX.map(|mix| {
            let line = (u128::from(hash.wrapping_mul(mix)) * u128::from(self.lines)) >> 64;
            usize::try_from(line).unwrap_or_default() * LINE
        })
    }
}

/// Whether a place holds what is kept of a hash.
const fn is_of(kept: u64, hash: u64) -> bool {
    kept != 0 && (kept ^ hash) & !AGE_BITS == 0
}

const fn age_of(hour: i64) -> u64 {
    1 + hour.rem_euclid(AGES).unsigned_abs()
}

/// How many hours before one something came that is kept.
const fn hours_since(kept: u64, hour: i64) -> i64 {
    (age_of(hour).cast_signed() - (kept & AGE_BITS).cast_signed()).rem_euclid(AGES)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use rand::{RngExt as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn it_is_a_map_of_hashes_to_hours() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        for first_hour in [0, 480_000, -3] {
            let (mut hours, mut expected) = (Hours::new(500), HashMap::new());
            let known: Vec<u64> = (0..600).map(|_| random.random()).collect();
            for step in 0..20_000_i64 {
                let hour = first_hour + step / 200;
                let hash = known[random.random_range(0..known.len())];
                match random.random_range(0..8) {
                    0 => {
                        hours.remove(hash);
                        expected.remove(&hash);
                    }
                    1 => assert_eq!(hours.contains(hash), expected.contains_key(&hash)),
                    2 if step % 50 == 0 => {
                        let before = expected.len();
                        expected.retain(|_, came| hour - *came <= 20);
                        assert_eq!(hours.forget_older(hour, 20), before - expected.len());
                        let oldest = expected.values().map(|came| hour - came).max().unwrap_or(0);
                        assert_eq!(hours.oldest(hour), oldest);
                    }
                    _ if expected.len() < 500 || expected.contains_key(&hash) => {
                        let put = if expected.contains_key(&hash) { Put::Known } else { Put::New };
                        expected.entry(hash).or_insert(hour);
                        assert_eq!(hours.put(hash, hour, hour), put, "step {step}");
                    }
                    _ => {}
                }
                if hour - first_hour > HOURS_KEPT_MAX - 1 {
                    break;
                }
                assert_eq!(hours.len(), expected.len());
            }
        }
    }

    #[test]
    fn all_fit_that_there_is_room_for() {
        let mut random = ChaCha8Rng::seed_from_u64(2);
        let mut hours = Hours::new(1 << 17);
        let hashes: Vec<u64> = (0..1 << 17).map(|_| random.random()).collect();
        assert!(hashes.iter().all(|hash| hours.put(*hash, 7, 8) == Put::New));
        assert!(hashes.iter().all(|hash| hours.put(*hash, 8, 8) == Put::Known));
    }

    #[test]
    fn where_both_lines_are_full_the_oldest_makes_room() {
        let mut hours = Hours::new(4);
        let hashes: Vec<u64> = (1..=9).map(|number| number << 32).collect();
        // The newest first, as a start goes through the files of the past.
        for (hash, hour) in hashes.iter().zip((2..=10).rev()) {
            let expected = if hour == 2 { Put::InPlaceOfAnother } else { Put::New };
            assert_eq!(hours.put(*hash, hour, 10), expected);
        }
        let there: Vec<bool> = hashes.iter().map(|hash| hours.contains(*hash)).collect();
        assert_eq!(there, [true, true, true, true, true, true, true, false, true]);
        assert_eq!(hours.len(), 8);
    }

    #[test]
    fn hashes_that_differ_in_what_is_not_kept_lie_elsewhere() {
        let hours = Hours::new(1 << 20);
        let hash = 0x0123_4567_89ab_cd00;
        let mut lines: Vec<usize> = (0..=AGE_BITS).flat_map(|low| hours.lines_of(hash | low)).collect();
        lines.sort_unstable();
        lines.dedup();
        assert_eq!(lines.len(), 512);
    }
}
