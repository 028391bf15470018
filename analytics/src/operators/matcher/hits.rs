//! Where a value agrees with what other cases hold, and how often that is chance.

/// Field (or screen) and case, sorted, each once.
pub type Pairs = Vec<(u32, u32)>;

/// All places where a value agrees, each kind of match apart: a place is in the first kind that holds.
#[derive(Debug, Default)]
pub struct Hits {
    /// Fields and cases that ever held the very value.
    pub whole: Pairs,
    /// Fields and cases that ever held, in one value, all its parts.
    pub split: Pairs,
    /// Screens and cases whose latest values give all its parts, in at most four fields.
    pub join: Pairs,
}

/// The pairs of one field or screen.
#[must_use]
pub fn of(pairs: &[(u32, u32)], first: u32) -> &[(u32, u32)] {
    let from = pairs.partition_point(|pair| pair.0 < first);
    let to = from + pairs[from..].partition_point(|pair| pair.0 == first);
    &pairs[from..to]
}

/// How many cases other than one's own.
#[must_use]
pub fn others(pairs: &[(u32, u32)], own: u32) -> u64 {
    let own = pairs.binary_search_by_key(&own, |pair| pair.1).is_ok();
    pairs.len() as u64 - u64::from(own)
}

/// How many cases other than one's own are in both lists, of one field or screen.
#[must_use]
pub fn others_in_both(one: &[(u32, u32)], other: &[(u32, u32)], own: u32) -> u64 {
    let (few, many) = if one.len() < other.len() { (one, other) } else { (other, one) };
    few.iter().filter(|pair| pair.1 != own && many.binary_search_by_key(&pair.1, |pair| pair.1).is_ok()).count() as u64
}
