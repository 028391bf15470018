//! Where values that were entered into a system had been held first: in which other system, and how long before.
//!
//! Every span of an entry, choice or view that names a case and carries a value is a *holder*, by the first of its case
//! numbers, and its digest. Holders are spread by the hash of the two over buckets that fit a processor's cache; each
//! bucket is chained by key, and a chain whose holders are in one system is passed over. The others are few: they are
//! sorted by when they count from, and each target looks up the first that is young enough.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    hash::BuildHasher,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use arrow::{
    array::{Array, ArrayRef, AsArray, BinaryArray, Int64Array, ListArray, RecordBatch, StringArray},
    datatypes::DataType,
};
use datafusion::error::Result;
use gilbreth_collector::schema::{
    ColumnType::{Integer, Text},
    Table, required,
};

use super::{
    Rules,
    passes::{Pass, Slice},
};
use crate::operators::{
    columns::{Symbols, binary, column, integer, text, word},
    hashing::FastMap,
};

/// The answer.
pub static TABLE: Table = Table {
    name: "first_sources",
    folder: "questions",
    grain: "a system that held values and a system into which they were entered again",
    partition: &[],
    sort: &["from_system", "to_system"],
    columns: &[
        required("from_system", Text, "the system whose span of the same case and digest counts from the earliest"),
        required("to_system", Text, "the system into which the value was entered, another one"),
        required("targets", Integer, "entries and choices by people that have such an earlier span"),
        required("age_s", Integer, "whole seconds from that span to the start of the entry, added up"),
    ],
};

/// What it is for.
pub const ABOUT: &str = "Where values had been held first that were entered into another system: whole values alone, \
                         before any chance is told, by the first case number as sent";

/// Holders are spread over so many buckets: of twenty million, each then fits a processor's cache.
const BUCKETS: usize = 256;
/// In the place of the start of a holder that is no target.
const NO_TARGET: i64 = i64::MIN;

/// A span that holds a value.
#[derive(Debug, Clone, Copy)]
struct Holder {
    case: u64,
    digest: i64,
    from: i64,
    target: i64,
    system: u32,
}

/// The holders of one partition.
#[derive(Debug)]
pub struct FirstSources {
    systems: Symbols<String>,
    buckets: Vec<Vec<Holder>>,
}

impl Default for FirstSources {
    fn default() -> Self {
        Self { systems: Symbols::default(), buckets: vec![Vec::new(); BUCKETS] }
    }
}

/// By system of the source and of the target: targets, and seconds between.
pub type Pairs = BTreeMap<(String, String), (i64, i64)>;

impl Pass for FirstSources {
    type Answer = Pairs;

    const NAME: &'static str = "first sources";
    const COLUMNS: &'static [&'static str] =
        &["kind", "trigger", "origin", "system", "worker", "case_refs", "value_digest", "started_at", "ended_at"];

    fn take(&mut self, batch: &RecordBatch, slice: Slice) -> Result<()> {
        let input = Input::new(batch)?;
        let hasher = FastMap::<u64, ()>::default();
        let mut last: Option<(&str, u32)> = None;
        for row in 0..batch.num_rows() {
            let Some((case, digest)) = input.key(row) else { continue };
            let Some(role) = input.role(row) else { continue };
            let Some(system) = word(&input.system, row) else { continue };
            let hash = hasher.hasher().hash_one((case, digest));
            if !slice.has(hash) {
                continue;
            }
            let number = match last {
                Some((name, number)) if name == system => number,
                _ => self.systems.number(system),
            };
            last = Some((system, number));
            let (started, ended) = (input.started.value(row), input.ended.value(row));
            let (from, target) = match role {
                Role::Shown => (started, NO_TARGET),
                Role::Kept => (ended, NO_TARGET),
                Role::Entered => (ended, started),
            };
            self.buckets[hash as usize % BUCKETS].push(Holder { case, digest, from, target, system: number });
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        self.buckets.iter().map(|bucket| bucket.capacity() * size_of::<Holder>()).sum()
    }

    fn answer(parts: Vec<Self>, rules: Rules, threads: usize) -> Pairs {
        let (names, parts) = told_apart(parts);
        let next = AtomicUsize::new(0);
        let work = || {
            let mut counts = FastMap::default();
            loop {
                let bucket = next.fetch_add(1, Ordering::Relaxed);
                if bucket >= BUCKETS {
                    return counts;
                }
                look_up(&gathered(&parts, bucket), rules.look_back, &mut counts);
            }
        };
        let counted: Vec<Counts> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
            threads.into_iter().map(|thread| thread.join().expect("a bucket is looked up without panic")).collect()
        });
        let mut pairs = Pairs::new();
        for ((from, to), count) in counted.into_iter().flatten() {
            add(&mut pairs, (names[from as usize].clone(), names[to as usize].clone()), count);
        }
        pairs
    }

    fn rows(answers: Vec<Pairs>) -> Result<RecordBatch> {
        let mut pairs = Pairs::new();
        for (systems, count) in answers.into_iter().flatten() {
            add(&mut pairs, systems, count);
        }
        let names = |of: fn(&(String, String)) -> &String| -> ArrayRef {
            Arc::new(pairs.keys().map(|key| Some(of(key))).collect::<StringArray>())
        };
        let numbers =
            |of: fn(&(i64, i64)) -> i64| -> ArrayRef { Arc::new(pairs.values().map(of).collect::<Int64Array>()) };
        let columns = vec![
            names(|systems| &systems.0),
            names(|systems| &systems.1),
            numbers(|count| count.0),
            numbers(|count| count.1),
        ];
        Ok(RecordBatch::try_new(TABLE.arrow_schema(), columns)?)
    }
}

/// By number of the source's system and the target's: targets, and seconds between.
type Counts = FastMap<(u32, u32), (i64, i64)>;

fn add(pairs: &mut Pairs, systems: (String, String), (targets, age): (i64, i64)) {
    match pairs.entry(systems) {
        Entry::Vacant(vacant) => drop(vacant.insert((targets, age))),
        Entry::Occupied(mut held) => {
            held.get_mut().0 += targets;
            held.get_mut().1 += age;
        }
    }
}

/// What a holder is to the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// The system showed or filled it: held from its start.
    Shown,
    /// Held from its end, and no target.
    Kept,
    /// Entered by a person: a target, and held from its end.
    Entered,
}

struct Input {
    kind: StringArray,
    trigger: StringArray,
    origin: StringArray,
    system: StringArray,
    worker: BinaryArray,
    cases: ListArray,
    numbers: BinaryArray,
    digest: Int64Array,
    started: Int64Array,
    ended: Int64Array,
}

impl Input {
    fn new(batch: &RecordBatch) -> Result<Self> {
        let item = arrow::datatypes::Field::new("element", DataType::Binary, true);
        let cases: ListArray = column(batch, "case_refs", &DataType::List(item.into()))?.as_list().clone();
        Ok(Self {
            numbers: cases.values().as_binary().clone(),
            cases,
            kind: text(batch, "kind")?,
            trigger: text(batch, "trigger")?,
            origin: text(batch, "origin")?,
            system: text(batch, "system")?,
            worker: binary(batch, "worker")?,
            digest: integer(batch, "value_digest")?,
            started: integer(batch, "started_at")?,
            ended: integer(batch, "ended_at")?,
        })
    }

    /// The first case number and the digest. Case numbers are keyed hashes of eight bytes; of longer ones, which no
    /// gate admits, the last eight count.
    fn key(&self, row: usize) -> Option<(u64, i64)> {
        if self.digest.is_null(row) || self.cases.is_null(row) {
            return None;
        }
        let offsets = self.cases.value_offsets();
        let first = offsets[row] as usize;
        if first == offsets[row + 1] as usize || self.numbers.is_null(first) {
            return None;
        }
        let number = self.numbers.value(first);
        let case = match <[u8; 8]>::try_from(number) {
            Ok(eight) => u64::from_be_bytes(eight),
            Err(_) => number.iter().fold(0, |id, byte| id << 8 | u64::from(*byte)),
        };
        Some((case, self.digest.value(row)))
    }

    fn role(&self, row: usize) -> Option<Role> {
        let filled = |origin| matches!(origin, Some("prefilled" | "autofilled"));
        match word(&self.kind, row)? {
            "view" => Some(Role::Shown),
            "entry" | "choice" => Some(match word(&self.origin, row) {
                origin if filled(origin) => Role::Shown,
                None | Some("typed" | "pasted" | "selected")
                    if self.worker.is_valid(row) && word(&self.trigger, row) == Some("user") =>
                {
                    Role::Entered
                }
                _ => Role::Kept,
            }),
            _ => None,
        }
    }
}

/// For each system of a part its number among all, and the part's buckets.
type Renumbered = (Vec<u32>, Vec<Vec<Holder>>);

/// Names of systems in order, and the buckets of each part with the place in that order of each of its numbers.
fn told_apart(parts: Vec<FirstSources>) -> (Vec<String>, Vec<Renumbered>) {
    let names: BTreeSet<String> = parts.iter().flat_map(|part| part.systems.values()).collect();
    let names: Vec<String> = names.into_iter().collect();
    let place = |name: &String| names.binary_search(name).expect("every name was gathered") as u32;
    let parts =
        parts.into_iter().map(|part| (part.systems.values().iter().map(place).collect(), part.buckets)).collect();
    (names, parts)
}

/// The holders of one bucket of all parts, their systems numbered alike.
fn gathered(parts: &[(Vec<u32>, Vec<Vec<Holder>>)], bucket: usize) -> Vec<Holder> {
    let mut holders = Vec::with_capacity(parts.iter().map(|(_, buckets)| buckets[bucket].len()).sum());
    for (places, buckets) in parts {
        holders
            .extend(buckets[bucket].iter().map(|&holder| Holder { system: places[holder.system as usize], ..holder }));
    }
    holders
}

/// Adds up what the targets of a bucket find.
fn look_up(holders: &[Holder], look_back: i64, counts: &mut Counts) {
    const NONE: u32 = u32::MAX;
    let mut heads: FastMap<(u64, i64), u32> = FastMap::default();
    heads.reserve(holders.len() / 2);
    let mut next = vec![NONE; holders.len()];
    for (place, holder) in (0_u32..).zip(holders) {
        next[place as usize] = heads.insert((holder.case, holder.digest), place).unwrap_or(NONE);
    }
    let mut chain: Vec<Holder> = Vec::new();
    for &head in heads.values() {
        chain.clear();
        let mut place = head;
        while place != NONE {
            chain.push(holders[place as usize]);
            place = next[place as usize];
        }
        let one_system = chain.iter().all(|holder| holder.system == chain[0].system);
        if !one_system && chain.iter().any(|holder| holder.target != NO_TARGET) {
            first_of(&mut chain, look_back, counts);
        }
    }
}

/// The first source of each target among holders of one case and digest. Of sources that count from the same instant,
/// that of the system whose name comes first.
fn first_of(chain: &mut [Holder], look_back: i64, counts: &mut Counts) {
    chain.sort_unstable_by_key(|holder| (holder.from, holder.system));
    // For each place, the next one with another system.
    let mut others = vec![chain.len(); chain.len()];
    for place in (0..chain.len() - 1).rev() {
        let alike = chain[place].system == chain[place + 1].system;
        others[place] = if alike { others[place + 1] } else { place + 1 };
    }
    for target in chain.iter().filter(|holder| holder.target != NO_TARGET) {
        let oldest = target.target.saturating_sub(look_back);
        let mut place = chain.partition_point(|holder| holder.from < oldest);
        if chain.get(place).is_some_and(|holder| holder.system == target.system) {
            place = others[place];
        }
        let Some(source) = chain.get(place).filter(|source| source.from <= target.target) else { continue };
        let count = counts.entry((source.system, target.system)).or_default();
        count.0 += 1;
        count.1 += (target.target - source.from) / 1_000_000;
    }
}
