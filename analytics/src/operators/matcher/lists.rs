//! Sources of a target as a list in order of preference. Few lists are ever different, however many targets there are:
//! what verdicts choose is chosen once for each list, and not for each target.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use datafusion::{common::internal_err, error::Result};
use sha2::{Digest, Sha256};

use super::{case::Agreement, output::scope};
use crate::{operators::columns::Symbols, tables};

/// System, screen and field, as far as they are known.
pub type Place = [Option<String>; 3];

/// A source field that agrees with a target. Places are numbers of the caller's choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Candidate {
    /// Where the value was held.
    pub from: u32,
    /// How it agrees.
    pub kind: Agreement,
    /// How long before the target the field held it last.
    pub within: Within,
}

/// The least of [`DAYS`] within which something lies, by its place there; [`DAYS`]`.len()` where it is longer ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Within(u8);

/// Look-backs that are told apart, days.
pub const DAYS: [i64; 4] = [1, 7, 28, 90];
const DAY_US: i64 = 86_400_000_000;

impl Within {
    /// The look-back that an age in microseconds needs.
    #[must_use]
    pub fn of(age: i64) -> Self {
        Self(DAYS.iter().take_while(|days| age > **days * DAY_US).count() as u8)
    }

    fn days(self) -> Option<i64> {
        DAYS.get(usize::from(self.0)).copied()
    }
}

/// Sources of a target, the best first.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct List {
    /// Where the target is.
    pub to: u32,
    /// What agrees with it.
    pub candidates: Vec<Candidate>,
}

/// All lists of an estate, each once.
#[derive(Debug, Default)]
pub struct Lists {
    places: Vec<Place>,
    lists: Vec<List>,
    ids: Vec<i64>,
    // (list, place in it), in the order of the table.
    rows: Vec<(u32, u32)>,
}

impl Lists {
    /// Lists by their numbers. An id is made of nothing but the names on a list: it stays what it is when others come.
    #[must_use]
    pub fn new(lists: Symbols<List>, places: Vec<Place>) -> Self {
        let digests: Vec<[u8; 32]> = places.iter().map(digest).collect();
        let lists = lists.into_values();
        let ids: Vec<i64> = lists.iter().map(|list| id(list, &digests)).collect();
        let mut rows: Vec<(u32, u32)> = (0..)
            .zip(&lists)
            .flat_map(|(number, list)| (0..list.candidates.len() as u32).map(move |place| (number, place)))
            .collect();
        rows.sort_unstable_by_key(|&(list, place)| (ids[list as usize], place));
        Self { places, lists, ids, rows }
    }

    /// Leaves only some lists in the table.
    pub fn retain(&mut self, wanted: impl Fn(i64) -> bool) {
        let ids = &self.ids;
        self.rows.retain(|(list, _)| wanted(ids[*list as usize]));
    }

    /// The ids by number.
    #[must_use]
    pub fn ids(&self) -> &[i64] {
        &self.ids
    }

    /// Rows of the table `match_lists`.
    pub fn batch(&self) -> Result<RecordBatch> {
        let list = |row: &(u32, u32)| &self.lists[row.0 as usize];
        let candidate = |row: &(u32, u32)| list(row).candidates[row.1 as usize];
        let name = |place: u32, part: usize| self.places[place as usize][part].as_deref();
        let names = |of: &dyn Fn(&(u32, u32)) -> u32, part: usize| -> ArrayRef {
            Arc::new(StringArray::from_iter(self.rows.iter().map(|row| name(of(row), part))))
        };
        let (from, to) = (|row: &(u32, u32)| candidate(row).from, |row: &(u32, u32)| list(row).to);
        let rows = self.rows.iter();
        let schema = tables::MATCH_LISTS.arrow_schema();
        let columns = schema.fields().iter().map(|wanted| -> Result<ArrayRef> {
            Ok(match wanted.name().as_str() {
                "list" => Arc::new(Int64Array::from_iter_values(rows.clone().map(|row| self.ids[row.0 as usize]))),
                "place" => Arc::new(Int64Array::from_iter_values(rows.clone().map(|row| i64::from(row.1) + 1))),
                "from_system" => names(&from, 0),
                "from_screen" => names(&from, 1),
                "from_field" => names(&from, 2),
                "to_system" => names(&to, 0),
                "to_screen" => names(&to, 1),
                "to_field" => names(&to, 2),
                "scope" => {
                    Arc::new(StringArray::from_iter_values(rows.clone().map(|row| {
                        scope(name(from(row), 0).unwrap_or_default(), name(to(row), 0).unwrap_or_default())
                    })))
                }
                "match" => {
                    Arc::new(StringArray::from_iter_values(rows.clone().map(|row| candidate(row).kind.as_str())))
                }
                "within_days" => Arc::new(Int64Array::from_iter(rows.clone().map(|row| candidate(row).within.days()))),
                other => return internal_err!("nobody fills the column {other} of match_lists"),
            })
        });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        Ok(RecordBatch::try_new(schema.clone(), columns)?)
    }
}

fn digest(place: &Place) -> [u8; 32] {
    let mut hash = Sha256::new();
    for name in place.iter().map(|name| name.as_deref().unwrap_or_default()) {
        hash.update((name.len() as u64).to_le_bytes());
        hash.update(name);
    }
    hash.finalize().into()
}

fn id(list: &List, places: &[[u8; 32]]) -> i64 {
    let mut hash = Sha256::new();
    hash.update(places[list.to as usize]);
    for candidate in &list.candidates {
        hash.update(places[candidate.from as usize]);
        hash.update([candidate.kind as u8, candidate.within.0]);
    }
    let bytes: [u8; 32] = hash.finalize().into();
    bytes[..8].iter().fold(0, |id, byte| id << 8 | i64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_belongs_to_the_least_look_back_that_reaches_it() {
        let days = |age: i64| Within::of(age).days();
        assert_eq!([0, DAY_US].map(days), [Some(1), Some(1)]);
        assert_eq!([DAY_US + 1, 7 * DAY_US, 7 * DAY_US + 1].map(days), [Some(7), Some(7), Some(28)]);
        assert_eq!([90 * DAY_US, 90 * DAY_US + 1].map(days), [Some(90), None]);
    }

    #[test]
    fn an_id_is_made_of_the_names_on_a_list_and_of_their_order() {
        let place = |system: &str| [system, "screen", "field"].map(|name| Some(name.to_owned()));
        let candidate = |from| Candidate { from, kind: Agreement::Whole, within: Within::of(0) };
        let list = |to, from: &[u32]| List { to, candidates: from.iter().copied().map(candidate).collect() };
        let ids = |lists: &[List], systems: [&str; 3]| {
            let mut symbols = Symbols::default();
            lists.iter().for_each(|list| {
                symbols.number(list);
            });
            Lists::new(symbols, systems.map(place).to_vec()).ids().to_vec()
        };
        let [a, b] = ids(&[list(0, &[1, 2]), list(0, &[2, 1])], ["a", "b", "c"])[..] else { panic!("two lists") };
        assert_ne!(a, b);
        // Other numbers for the same names, and another list before it.
        assert_eq!(ids(&[list(0, &[0]), list(2, &[0, 1])], ["b", "c", "a"])[1], a);
    }
}
