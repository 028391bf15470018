//! Everything that the estate holds, as posting lists: which cases have which value in which field, and who saw which
//! case in which field on which day. Chance is counted from it exactly.

use std::sync::OnceLock;

use super::{
    agree::{Value, covered},
    hits::{Hits, Pairs},
};
use crate::operators::{SpanKey, columns::Symbols, hashing::FastMap};

/// System, screen and field.
pub type FieldName = (String, String, String);

/// A value that a field of a case held at some time.
#[derive(Debug, Clone)]
pub struct Holding<'a> {
    /// The case, as linked.
    pub case: &'a [u8],
    /// System, screen, field.
    pub field: &'a FieldName,
    /// When it counts from.
    pub from: i64,
    /// The span.
    pub key: SpanKey,
    /// Who saw or entered it, on which local day.
    pub seen: Option<(&'a [u8], i32)>,
    /// The value.
    pub value: &'a Value,
}

/// Gathers holdings.
#[derive(Debug, Default)]
pub struct Builder {
    cases: Symbols<Vec<u8>>,
    workers: Symbols<Vec<u8>>,
    fields: Symbols<FieldName>,
    screens: Symbols<(String, String)>,
    screen_of: Vec<u32>,
    contents: Symbols<Value>,
    // (content, field, case)
    postings: Vec<[u32; 3]>,
    // (worker, day, field, case)
    seen: Vec<(u32, i32, u32, u32)>,
    // The latest value of each field of each case.
    latest: FastMap<(u32, u32), (i64, SpanKey, u32)>,
}

/// The posting lists. Numbers of fields, cases and values mean nothing outside of it and never decide anything.
#[derive(Debug)]
pub struct Index {
    cases: Symbols<Vec<u8>>,
    workers: Symbols<Vec<u8>>,
    fields: Symbols<FieldName>,
    names: Vec<FieldName>,
    screen_names: Vec<(String, String)>,
    screen_of: Vec<u32>,
    field_has_parts: Vec<bool>,
    contents: Symbols<Value>,
    values: Vec<Value>,
    postings: Vec<[u32; 3]>,
    // (digest, content) and (token, content), sorted.
    by_digest: Vec<(i64, u32)>,
    by_token: Vec<(i64, u32)>,
    // (case, screen, field, content), and (token, screen, case), of latest values.
    latest: Vec<[u32; 4]>,
    joinable: Vec<(i64, u32, u32)>,
    cases_of_field: Vec<u64>,
    cases_of_screen: Vec<u64>,
    near_fields: Near,
    near_screens: Near,
    hits: Vec<OnceLock<Hits>>,
}

/// By worker and local day: pairs of field (or screen) and case seen.
type Near = FastMap<(u32, i32), Pairs>;

impl Builder {
    /// Takes one holding.
    pub fn add(&mut self, holding: &Holding<'_>) {
        let case = self.cases.number(holding.case);
        let fields = self.fields.len();
        let field = self.fields.number(holding.field);
        if self.fields.len() > fields {
            let screen = self.screens.number(&(holding.field.0.clone(), holding.field.1.clone()));
            self.screen_of.push(screen);
        }
        let content = self.contents.number(holding.value);
        self.postings.push([content, field, case]);
        if let Some((worker, day)) = holding.seen {
            self.seen.push((self.workers.number(worker), day, field, case));
        }
        let latest = (holding.from, holding.key, content);
        let held = self.latest.entry((case, field)).or_insert(latest);
        *held = (*held).max(latest);
    }

    /// Sorts what was gathered.
    #[must_use]
    pub fn finish(mut self) -> Index {
        self.postings.sort_unstable();
        self.postings.dedup();
        let contents = self.contents;
        let values = contents.values();
        let screen_names = self.screens.values();

        let mut of_field: Pairs = self.postings.iter().map(|&[_, field, case]| (field, case)).collect();
        sort(&mut of_field);
        let mut of_screen: Pairs =
            of_field.iter().map(|&(field, case)| (self.screen_of[field as usize], case)).collect();
        sort(&mut of_screen);

        let mut field_has_parts = vec![false; self.fields.len()];
        for &[content, field, _] in &self.postings {
            field_has_parts[field as usize] |= !values[content as usize].parts.is_empty();
        }
        let (mut by_digest, mut by_token) = (Vec::new(), Vec::new());
        for (content, value) in (0_u32..).zip(&values) {
            by_digest.push((value.digest, content));
            by_token.extend(value.tokens().map(|token| (token, content)));
        }
        by_digest.sort_unstable();
        by_token.sort_unstable();

        let mut latest = Vec::with_capacity(self.latest.len());
        let mut joinable = Vec::new();
        for ((case, field), (_, _, content)) in self.latest {
            let screen = self.screen_of[field as usize];
            latest.push([case, screen, field, content]);
            joinable.extend(values[content as usize].tokens().map(|token| (token, screen, case)));
        }
        latest.sort_unstable();
        joinable.sort_unstable();
        joinable.dedup();

        let mut near_fields = Near::default();
        for &(worker, day, field, case) in &self.seen {
            near_fields.entry((worker, day)).or_default().push((field, case));
        }
        near_fields.values_mut().for_each(sort);
        let near_screens = near_fields
            .iter()
            .map(|(&seen, pairs)| {
                let mut pairs = pairs.iter().map(|&(field, case)| (self.screen_of[field as usize], case)).collect();
                sort(&mut pairs);
                (seen, pairs)
            })
            .collect();

        Index {
            cases: self.cases,
            workers: self.workers,
            names: self.fields.values(),
            cases_of_field: counts(&of_field, self.fields.len()),
            cases_of_screen: counts(&of_screen, screen_names.len()),
            fields: self.fields,
            screen_names,
            screen_of: self.screen_of,
            field_has_parts,
            hits: values.iter().map(|_| OnceLock::new()).collect(),
            contents,
            values,
            postings: self.postings,
            by_digest,
            by_token,
            latest,
            joinable,
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

/// The entries of a sorted list that begin with this.
fn starting<'a, T: Copy, K: Ord>(list: &'a [T], key: &K, of: impl Fn(T) -> K) -> &'a [T] {
    let from = list.partition_point(|entry| of(*entry) < *key);
    let to = from + list[from..].partition_point(|entry| of(*entry) <= *key);
    &list[from..to]
}

impl Index {
    /// The number of a case.
    #[must_use]
    pub fn case(&self, case: &[u8]) -> Option<u32> {
        self.cases.known(case)
    }

    /// The number of a worker.
    #[must_use]
    pub fn worker(&self, worker: &[u8]) -> Option<u32> {
        self.workers.known(worker)
    }

    /// Workers in order of their numbers.
    #[must_use]
    pub fn workers(&self) -> Vec<Vec<u8>> {
        self.workers.values()
    }

    /// The number of a field.
    #[must_use]
    pub fn field(&self, field: &FieldName) -> Option<u32> {
        self.fields.known(field)
    }

    /// The number of a value.
    #[must_use]
    pub fn content(&self, value: &Value) -> Option<u32> {
        self.contents.known(value)
    }

    /// A value by its number.
    #[must_use]
    pub fn value(&self, content: u32) -> &Value {
        &self.values[content as usize]
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

    /// The screen of a field.
    #[must_use]
    pub fn screen_of(&self, field: u32) -> u32 {
        self.screen_of[field as usize]
    }

    /// Whether any value of a field has parts.
    #[must_use]
    pub fn has_parts(&self, field: u32) -> bool {
        self.field_has_parts[field as usize]
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
        self.near_fields.get(&(worker, day)).map_or(&[], |pairs| pairs)
    }

    /// Screens and cases that a worker saw on a local day.
    #[must_use]
    pub fn seen_screens(&self, worker: u32, day: i32) -> &[(u32, u32)] {
        self.near_screens.get(&(worker, day)).map_or(&[], |pairs| pairs)
    }

    /// Where a value agrees with what is held anywhere. Worked out once for each value, since common values are asked
    /// for often and are the costly ones.
    #[must_use]
    pub fn hits(&self, content: u32) -> &Hits {
        self.hits[content as usize].get_or_init(|| {
            let value = self.value(content);
            let whole = self.cases_of(starting(&self.by_digest, &value.digest, |entry| entry.0).iter().copied());
            let rarest = value
                .wanted()
                .iter()
                .map(|token| starting(&self.by_token, token, |entry| entry.0))
                .min_by_key(|list| list.len())
                .unwrap_or_default();
            let mut split = self.cases_of(
                rarest.iter().copied().filter(|&(_, source)| value.is_part_of(&self.values[source as usize])),
            );
            split.retain(|pair| whole.binary_search(pair).is_err());
            let join = self.joined(value, &whole, &split);
            Hits { whole, split, join }
        })
    }

    /// Fields and cases that have any of these contents.
    fn cases_of(&self, contents: impl Iterator<Item = (i64, u32)>) -> Pairs {
        let mut pairs: Pairs = contents
            .flat_map(|(_, content)| starting(&self.postings, &content, |entry| entry[0]))
            .map(|&[_, field, case]| (field, case))
            .collect();
        sort(&mut pairs);
        pairs
    }

    /// Screens and cases whose latest values give all parts of a value, where no single field agrees.
    fn joined(&self, value: &Value, whole: &Pairs, split: &Pairs) -> Pairs {
        let Some(full) = value.full_mask() else { return Pairs::new() };
        let mut lists: Vec<&[(i64, u32, u32)]> =
            value.parts.iter().map(|part| starting(&self.joinable, part, |entry| entry.0)).collect();
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
