//! Where a value agrees with what other cases hold, and how often that is chance.

use super::case::Agreement;
use crate::operators::hashing::FastMap;

/// Field (or screen) and case, sorted, each once.
pub type Pairs = Vec<(u32, u32)>;

/// All places where a value agrees, each kind of match apart: a place is in the first kind that holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Hits {
    /// Fields and cases that ever held the very value.
    pub whole: Pairs,
    /// Fields and cases that ever held, in one value, all its parts.
    pub split: Pairs,
    /// Screens and cases whose latest values give all its parts, in at most four fields.
    pub join: Pairs,
}

/// In how many cases a value agrees with what a field or screen holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HitCount {
    /// In which kind.
    pub kind: Agreement,
    /// The field, or for joins the screen.
    pub from: u32,
    /// How many.
    pub cases: u32,
}

impl Hits {
    /// How many cases there are of each kind and field or screen.
    pub fn counts(&self) -> impl Iterator<Item = HitCount> {
        let kinds = [(Agreement::Whole, &self.whole), (Agreement::Split, &self.split), (Agreement::Join, &self.join)];
        kinds.into_iter().flat_map(|(kind, pairs)| {
            let same = pairs.chunk_by(|one, other| one.0 == other.0);
            same.map(move |pairs| HitCount { kind, from: pairs[0].0, cases: pairs.len() as u32 })
        })
    }
}

/// [`HitCount`]s of the values of an estate, by the number of the value.
#[derive(Debug, Clone, Default)]
pub struct HitCounts {
    ends: Vec<u32>,
    all: Vec<HitCount>,
}

impl HitCounts {
    /// From the number of counts of each value, and the counts.
    #[must_use]
    pub fn new(lengths: impl Iterator<Item = u32>, all: Vec<HitCount>) -> Self {
        let mut end = 0;
        let ends = lengths.map(|length| {
            end += length;
            end
        });
        Self { ends: ends.collect(), all }
    }

    /// Those of a value; none where nobody asked for it yet.
    #[must_use]
    pub fn of(&self, value: u32) -> &[HitCount] {
        let value = value as usize;
        let Some(&end) = self.ends.get(value) else { return &[] };
        let first = if value == 0 { 0 } else { self.ends[value - 1] };
        &self.all[first as usize..end as usize]
    }

    /// For how many values there is an answer, be it that there are no counts.
    #[must_use]
    pub fn values(&self) -> usize {
        self.ends.len()
    }

    /// The same with other counts of some of so many values.
    #[must_use]
    pub fn with(&self, values: usize, other: &FastMap<u32, Vec<HitCount>>) -> Self {
        let mut all = Vec::with_capacity(self.all.len());
        let lengths: Vec<u32> = (0..values as u32)
            .map(|value| {
                let counts = other.get(&value).map_or_else(|| self.of(value), Vec::as_slice);
                all.extend_from_slice(counts);
                counts.len() as u32
            })
            .collect();
        Self::new(lengths.into_iter(), all)
    }
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
