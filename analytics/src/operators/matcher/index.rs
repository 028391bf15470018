//! Everything that the estate holds, as posting lists: which cases have which value in which field, and who saw which
//! case in which field on which day. Chance is counted from it exactly.

use std::{
    ops::Range,
    sync::{Arc, OnceLock},
};

use super::{
    agree::{Value, covered},
    case::Holder,
    hits::{Hits, Pairs},
};
use crate::operators::{
    columns::Symbols,
    hashing::{FastMap, FastSet},
};

/// System, screen and field.
pub type FieldName = (String, String, String);

/// The fields of an estate and their screens, by number.
#[derive(Debug, Default)]
pub struct Fields {
    names: Vec<FieldName>,
    screen_of: Vec<u32>,
    screen_names: Vec<(String, String)>,
    have_parts: Vec<bool>,
}

impl Fields {
    /// Fields in order of their numbers, each with whether any of its values has parts. More fields change no number.
    #[must_use]
    pub fn new(fields: impl IntoIterator<Item = (FieldName, bool)>) -> Self {
        let (names, have_parts): (Vec<FieldName>, Vec<bool>) = fields.into_iter().unzip();
        let mut screens: Symbols<(String, String)> = Symbols::default();
        let screen_of = names.iter().map(|name| screens.number(&(name.0.clone(), name.1.clone()))).collect();
        Self { names, screen_of, screen_names: screens.into_values(), have_parts }
    }

    /// How many fields there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// How many screens.
    #[must_use]
    pub fn screens(&self) -> usize {
        self.screen_names.len()
    }

    /// A field's name.
    #[must_use]
    pub fn name(&self, field: u32) -> &FieldName {
        &self.names[field as usize]
    }

    /// A screen's system and name.
    #[must_use]
    pub fn screen_name(&self, screen: u32) -> &(String, String) {
        &self.screen_names[screen as usize]
    }

    /// Whether any value of a field has parts.
    #[must_use]
    pub fn have_parts(&self, field: u32) -> bool {
        self.have_parts[field as usize]
    }
}

/// Gathers what cases hold.
#[derive(Debug, Default)]
pub struct Builder {
    // (value, field, case)
    postings: Vec<[u32; 3]>,
    // (worker, day, field, case)
    seen: Vec<(u32, i32, u32, u32)>,
    // (case, field, value): the latest of each field of each case.
    latest: Vec<[u32; 3]>,
}

/// The posting lists. Numbers of fields, cases and values mean nothing outside of it and never decide anything.
#[derive(Debug)]
pub struct Index {
    fields: Arc<Fields>,
    values: Arc<Vec<Value>>,
    // Field and case, each once, by value; where those of each value begin.
    postings: Pairs,
    postings_of: Vec<u32>,
    // (digest, value) and (token, value).
    by_digest: ByDigest<(i64, u32)>,
    by_token: ByDigest<(i64, u32)>,
    // (case, screen, field, value), and (token, screen, case), of latest values.
    latest: Vec<[u32; 4]>,
    joinable: ByDigest<(i64, u32, u32)>,
    cases_of_field: Vec<u64>,
    cases_of_screen: Vec<u64>,
    near_fields: Near,
    near_screens: Near,
    hits: Vec<OnceLock<Box<Hits>>>,
}

/// Pairs of field (or screen) and case seen by a worker on a local day.
#[derive(Debug, Default)]
struct Near {
    pairs: Pairs,
    of: FastMap<(u32, i32), Range<usize>>,
}

impl Near {
    /// From sorted (worker, day, field or screen, case), each once.
    fn new(seen: &[(u32, i32, u32, u32)]) -> Self {
        let mut of = FastMap::default();
        let mut first = 0;
        for run in seen.chunk_by(|one, other| (one.0, one.1) == (other.0, other.1)) {
            of.insert((run[0].0, run[0].1), first..first + run.len());
            first += run.len();
        }
        Self { pairs: seen.iter().map(|&(_, _, first, case)| (first, case)).collect(), of }
    }

    fn seen(&self, worker: u32, day: i32) -> &[(u32, u32)] {
        self.of.get(&(worker, day)).map_or(&[], |range| &self.pairs[range.clone()])
    }

    /// Workers and days that saw any of these.
    fn who_saw(&self, any: &FastSet<(u32, u32)>) -> impl Iterator<Item = (u32, i32)> {
        let saw = |range: &Range<usize>| self.pairs[range.clone()].iter().any(|pair| any.contains(pair));
        self.of.iter().filter(move |(_, range)| saw(range)).map(|(who, _)| *who)
    }
}

impl Builder {
    /// Takes all that a case holds, in any order.
    pub fn add(&mut self, case: u32, holders: &[Holder]) {
        let mut latest: FastMap<u32, &Holder> = FastMap::default();
        for holder in holders {
            self.postings.push([holder.value, holder.field, case]);
            if let Some((worker, day)) = holder.seen {
                self.seen.push((worker, day, holder.field, case));
            }
            let held = latest.entry(holder.field).or_insert(holder);
            if (held.from, held.key, held.value) < (holder.from, holder.key, holder.value) {
                *held = holder;
            }
        }
        self.latest.extend(latest.into_iter().map(|(field, holder)| [case, field, holder.value]));
    }

    /// Takes what another gathered of other cases.
    pub fn merge(&mut self, other: Self) {
        self.postings.extend(other.postings);
        self.seen.extend(other.seen);
        self.latest.extend(other.latest);
    }

    /// Sorts what was gathered, on two cores. `values` are in order of their numbers.
    #[must_use]
    pub fn finish(self, fields: Arc<Fields>, values: Arc<Vec<Value>>) -> Index {
        let (screen_of, screens) = (&fields.screen_of, fields.screen_names.len());
        let Self { mut postings, mut seen, latest } = self;
        // Values that nobody here holds agree with nothing.
        let mut is_held = vec![false; values.len()];
        postings.iter().for_each(|posting| is_held[posting[0] as usize] = true);
        let known = &*values;
        let (held, named) = std::thread::scope(|scope| {
            let held = scope.spawn(move || {
                postings.sort_unstable();
                postings.dedup();
                let mut of_field: Pairs = postings.iter().map(|&[_, field, case]| (field, case)).collect();
                sort(&mut of_field);
                let mut of_screen: Pairs =
                    of_field.iter().map(|&(field, case)| (screen_of[field as usize], case)).collect();
                sort(&mut of_screen);
                let mut postings_of = vec![0; known.len() + 1];
                for &[value, _, _] in &postings {
                    postings_of[value as usize + 1] += 1;
                }
                for value in 0..known.len() {
                    postings_of[value + 1] += postings_of[value];
                }
                let postings: Pairs = postings.into_iter().map(|[_, field, case]| (field, case)).collect();
                let (of_field, of_screen) = (counts(&of_field, screen_of.len()), counts(&of_screen, screens));
                (postings, postings_of, of_field, of_screen)
            });
            seen.sort_unstable();
            seen.dedup();
            let near_fields = Near::new(&seen);
            for saw in &mut seen {
                saw.2 = screen_of[saw.2 as usize];
            }
            seen.sort_unstable();
            seen.dedup();
            let near_screens = Near::new(&seen);
            drop(seen);

            let held_values = || (0..).zip(known).filter(|(number, _)| is_held[*number as usize]);
            let mut by_digest: Vec<(i64, u32)> = held_values().map(|(number, value)| (value.digest, number)).collect();
            by_digest.sort_unstable();
            let mut by_token: Vec<(i64, u32)> =
                held_values().flat_map(|(number, value)| value.tokens().map(move |token| (token, number))).collect();
            by_token.sort_unstable();
            let mut joinable = Vec::with_capacity(latest.len());
            let mut latest: Vec<[u32; 4]> = latest
                .into_iter()
                .map(|[case, field, value]| [case, screen_of[field as usize], field, value])
                .collect();
            for &[case, screen, _, value] in &latest {
                joinable.extend(known[value as usize].tokens().map(|token| (token, screen, case)));
            }
            latest.sort_unstable();
            joinable.sort_unstable();
            joinable.dedup();
            let held = held.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            (held, (near_fields, near_screens, by_digest, by_token, latest, joinable))
        });
        let (postings, postings_of, cases_of_field, cases_of_screen) = held;
        let (near_fields, near_screens, by_digest, by_token, latest, joinable) = named;
        Index {
            hits: values.iter().map(|_| OnceLock::new()).collect(),
            fields,
            values,
            postings,
            postings_of,
            by_digest: ByDigest::new(by_digest),
            by_token: ByDigest::new(by_token),
            latest,
            joinable: ByDigest::new(joinable),
            cases_of_field,
            cases_of_screen,
            near_fields,
            near_screens,
        }
    }
}

fn sort(pairs: &mut Pairs) {
    pairs.sort_unstable();
    pairs.dedup();
}

fn counts(pairs: &Pairs, of: usize) -> Vec<u64> {
    let mut counts = vec![0; of];
    for &(first, _) in pairs {
        counts[first as usize] += 1;
    }
    counts
}

/// A sorted list of entries that begin with a digest. Digests are spread evenly, so that a table by their top bits leaves
/// few entries to search; where they are not, the search is a little longer.
#[derive(Debug)]
struct ByDigest<T> {
    entries: Vec<T>,
    // Where the entries with these top bits begin.
    begins: Vec<u32>,
    shift: u32,
}

/// An entry that begins with a digest.
trait Digested: Copy {
    fn digest(self) -> i64;
}

impl Digested for (i64, u32) {
    fn digest(self) -> i64 {
        self.0
    }
}

impl Digested for (i64, u32, u32) {
    fn digest(self) -> i64 {
        self.0
    }
}

impl<T: Digested> ByDigest<T> {
    fn new(entries: Vec<T>) -> Self {
        let bits = entries.len().checked_ilog2().unwrap_or(0).clamp(2, 24) - 1;
        let shift = 64 - bits;
        let mut begins = vec![0; (1 << bits) + 1];
        for entry in &entries {
            begins[Self::top(entry.digest(), shift) + 1] += 1;
        }
        for place in 1..begins.len() {
            begins[place] += begins[place - 1];
        }
        Self { entries, begins, shift }
    }

    /// The top bits, in the order of signed numbers.
    fn top(digest: i64, shift: u32) -> usize {
        ((digest as u64 ^ 1 << 63) >> shift) as usize
    }

    fn of(&self, digest: i64) -> &[T] {
        let top = Self::top(digest, self.shift);
        starting(&self.entries[self.begins[top] as usize..self.begins[top + 1] as usize], &digest, T::digest)
    }
}

/// The entries of a sorted list that begin with this.
fn starting<'a, T: Copy, K: Ord>(list: &'a [T], key: &K, of: impl Fn(T) -> K) -> &'a [T] {
    let from = list.partition_point(|entry| of(*entry) < *key);
    let to = from + list[from..].partition_point(|entry| of(*entry) <= *key);
    &list[from..to]
}

impl Index {
    /// A value by its number.
    #[must_use]
    pub fn value(&self, value: u32) -> &Value {
        &self.values[value as usize]
    }

    /// The screen of a field.
    #[must_use]
    pub fn screen_of(&self, field: u32) -> u32 {
        self.fields.screen_of[field as usize]
    }

    /// How many values have a number.
    #[must_use]
    pub fn values(&self) -> u32 {
        self.values.len() as u32
    }

    /// The fields.
    #[must_use]
    pub fn fields(&self) -> &Arc<Fields> {
        &self.fields
    }

    /// Value, field and case of everything held, each once and in order.
    pub fn held(&self) -> impl Iterator<Item = (u32, u32, u32)> {
        let values = self.postings_of.windows(2).zip(0..);
        values.flat_map(|(range, value)| {
            let places = &self.postings[range[0] as usize..range[1] as usize];
            places.iter().map(move |&(field, case)| (value, field, case))
        })
    }

    /// Case, screen, field and value of what each field of each case holds last, in order.
    #[must_use]
    pub fn latest(&self) -> &[[u32; 4]] {
        &self.latest
    }

    /// Workers and local days that saw any of these fields, or screens, of cases.
    #[must_use]
    pub fn who_saw(&self, fields: &FastSet<(u32, u32)>, screens: &FastSet<(u32, u32)>) -> FastSet<(u32, i32)> {
        self.near_fields.who_saw(fields).chain(self.near_screens.who_saw(screens)).collect()
    }

    /// Where a value agrees, if that was asked for.
    #[must_use]
    pub fn worked_out(&self, value: u32) -> Option<&Hits> {
        self.hits[value as usize].get().map(AsRef::as_ref)
    }

    /// How many cases have a field.
    #[must_use]
    pub fn cases_of_field(&self, field: u32) -> u64 {
        self.cases_of_field[field as usize]
    }

    /// How many cases have any field of a screen.
    #[must_use]
    pub fn cases_of_screen(&self, screen: u32) -> u64 {
        self.cases_of_screen[screen as usize]
    }

    /// Fields and cases that a worker saw on a local day.
    #[must_use]
    pub fn seen_fields(&self, worker: u32, day: i32) -> &[(u32, u32)] {
        self.near_fields.seen(worker, day)
    }

    /// Screens and cases that a worker saw on a local day.
    #[must_use]
    pub fn seen_screens(&self, worker: u32, day: i32) -> &[(u32, u32)] {
        self.near_screens.seen(worker, day)
    }

    /// Where a value agrees with what is held anywhere. Worked out once for each value, since common values are asked
    /// for often and are the costly ones.
    #[must_use]
    pub fn hits(&self, value: u32) -> &Hits {
        self.hits[value as usize].get_or_init(|| {
            let value = self.value(value);
            let whole = self.cases_of(self.by_digest.of(value.digest).iter().copied());
            let rarest = value
                .wanted()
                .iter()
                .map(|token| self.by_token.of(*token))
                .min_by_key(|list| list.len())
                .unwrap_or_default();
            let mut split = self.cases_of(
                rarest.iter().copied().filter(|&(_, source)| value.is_part_of(&self.values[source as usize])),
            );
            split.retain(|pair| whole.binary_search(pair).is_err());
            let join = self.joined(value, &whole, &split);
            Box::new(Hits { whole, split, join })
        })
    }

    /// Fields and cases that have any of these values.
    fn cases_of(&self, values: impl Iterator<Item = (i64, u32)>) -> Pairs {
        let mut pairs = Pairs::new();
        let mut lists = 0;
        for (_, value) in values {
            let value = value as usize;
            pairs.extend(&self.postings[self.postings_of[value] as usize..self.postings_of[value + 1] as usize]);
            lists += 1;
        }
        // Those of one value are in order.
        if lists > 1 {
            sort(&mut pairs);
        }
        pairs
    }

    /// Screens and cases whose latest values give all parts of a value, where no single field agrees.
    fn joined(&self, value: &Value, whole: &Pairs, split: &Pairs) -> Pairs {
        let Some(full) = value.full_mask() else { return Pairs::new() };
        let mut lists: Vec<&[(i64, u32, u32)]> = value.parts.iter().map(|part| self.joinable.of(*part)).collect();
        lists.sort_unstable_by_key(|list| list.len());
        let Some((rarest, others)) = lists.split_first() else { return Pairs::new() };
        let mut agreeing: Pairs =
            whole.iter().chain(split).map(|&(field, case)| (self.screen_of(field), case)).collect();
        sort(&mut agreeing);
        let mut masks = Vec::new();
        rarest
            .iter()
            .map(|&(_, screen, case)| (screen, case))
            .filter(|pair| {
                let in_all = |list: &&[(i64, u32, u32)]| {
                    list.binary_search_by_key(pair, |&(_, screen, case)| (screen, case)).is_ok()
                };
                if !others.iter().all(in_all) || agreeing.binary_search(pair).is_ok() {
                    return false;
                }
                let held = starting(&self.latest, &[pair.1, pair.0], |entry| [entry[0], entry[1]]);
                masks.clear();
                masks.extend(held.iter().map(|&[_, _, _, content]| value.mask(self.value(content))));
                covered(&masks, full)
            })
            .collect()
    }
}
