//! Rows of the working views as people, pairs and figures.

use std::collections::{BTreeMap, HashMap};

use arrow::{
    array::{Array, AsArray, BinaryArray, Float64Array, Int64Array, StringArray},
    datatypes::{DataType, Float64Type},
    record_batch::RecordBatch,
};

use super::{
    certainties::{Pair, Trials},
    ratios::Hours,
    strata,
};
use crate::{
    Error,
    operators::columns::{binary, column, integer, number, text, word},
};

/// The columns that name a figure: its view, then what the view tells its rows apart by.
pub(super) const NAMES: [&str; 13] = [
    "view_name",
    "measure",
    "cause",
    "system",
    "task",
    "screen",
    "field",
    "from_system",
    "from_screen",
    "from_field",
    "week",
    "organisation",
    "role",
];

/// What names a figure: a value for each of [`NAMES`].
pub(super) type Name = [Option<String>; NAMES.len()];

/// Somebody observed.
#[derive(Debug, Clone, Default)]
pub(super) struct Person {
    pub(super) organisation: Option<String>,
    pub(super) role: Option<String>,
    pub(super) person_weeks: f64,
    // Whether any time is known of, and not only trials of pairs.
    in_scope: bool,
}

/// Everybody, by hash.
#[derive(Debug, Default)]
pub(super) struct People(BTreeMap<Vec<u8>, Person>);

/// A figure as read, with people by number in [`People`].
#[derive(Debug, Clone, Default)]
pub(super) struct Parts {
    /// What does not depend on certainty: hours, or a count.
    pub(super) fixed: Hours,
    /// What matched, before weighing, by number of the pair.
    pub(super) matched: BTreeMap<usize, Hours>,
    /// What it is per, where that is not person-weeks.
    pub(super) per: Hours,
}

/// All that the views tell.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// Everybody, in the order of their hashes.
    pub(super) people: Vec<Person>,
    /// Pairs of fields, with people by number.
    pub(super) pairs: Vec<Pair>,
    /// Figures, in the order of their names.
    pub(super) figures: BTreeMap<Name, Parts>,
}

/// Reads `observed_workers`, `established_pairs`, `pair_trials` and `figure_parts`.
pub(super) fn read(
    workers: &RecordBatch,
    pairs: &RecordBatch,
    trials: &RecordBatch,
    parts: &RecordBatch,
) -> Result<Read, Error> {
    let mut people = People::default();
    people.observed(workers)?;
    people.seen(&binary(parts, "worker")?, true);
    people.seen(&binary(trials, "worker")?, false);
    let numbers: HashMap<&[u8], usize> =
        people.0.keys().enumerate().map(|(number, hash)| (hash.as_slice(), number)).collect();
    let mut pairs = Pairs::read(pairs)?;
    pairs.add(trials, &numbers)?;
    let figures = figures(parts, &numbers, &pairs)?;
    Ok(Read { figures, pairs: pairs.all, people: people.0.into_values().collect() })
}

impl Read {
    /// Strata by organisation, small ones merged. People of whom only trials of pairs are known, because their time is
    /// not in scope, make a stratum of their own, the last: what a pair looks like rests on them too.
    pub(super) fn strata(&self, fewest: usize) -> Vec<usize> {
        let in_scope: Vec<&Option<String>> =
            self.people.iter().filter(|person| person.in_scope).map(|person| &person.organisation).collect();
        let mut merged = strata::merged(&in_scope, fewest).into_iter();
        self.people
            .iter()
            .map(|person| if person.in_scope { merged.next() } else { None }.unwrap_or(usize::MAX))
            .collect()
    }
}

impl People {
    fn observed(&mut self, rows: &RecordBatch) -> Result<(), Error> {
        let (workers, weeks) = (binary(rows, "worker")?, integer(rows, "person_weeks")?);
        let (organisations, roles) = (text(rows, "organisation")?, text(rows, "role")?);
        for row in 0..rows.num_rows() {
            let person = Person {
                organisation: word(&organisations, row).map(str::to_owned),
                role: word(&roles, row).map(str::to_owned),
                person_weeks: number(&weeks, row).unwrap_or(0) as f64,
                in_scope: true,
            };
            self.0.insert(workers.value(row).to_vec(), person);
        }
        Ok(())
    }

    fn seen(&mut self, workers: &BinaryArray, in_scope: bool) {
        for worker in workers.iter().flatten() {
            if !self.0.contains_key(worker) {
                self.0.insert(worker.to_vec(), Person { in_scope, ..Person::default() });
            }
        }
    }
}

struct Pairs {
    all: Vec<Pair>,
    places: BTreeMap<i64, usize>,
}

impl Pairs {
    fn read(rows: &RecordBatch) -> Result<Self, Error> {
        let mut numbered = BTreeMap::new();
        let (pair, certainty, trials) =
            (integer(rows, "pair")?, double(rows, "certainty")?, double(rows, "trials_per_case")?);
        for row in 0..rows.num_rows() {
            let read = Pair { certainty: certainty.value(row), trials_per_case: trials.value(row), trials: Vec::new() };
            numbered.insert(pair.value(row), read);
        }
        let places = numbered.keys().enumerate().map(|(place, number)| (*number, place)).collect();
        Ok(Self { all: numbered.into_values().collect(), places })
    }

    fn place(&self, number: i64) -> Result<usize, Error> {
        let place = self.places.get(&number).copied();
        place.ok_or_else(|| Error::Internal(format!("the pair {number} is not among the established pairs")))
    }

    fn add(&mut self, rows: &RecordBatch, people: &HashMap<&[u8], usize>) -> Result<(), Error> {
        let (pair, workers) = (integer(rows, "pair")?, binary(rows, "worker")?);
        let counts = |name| integer(rows, name);
        let (n, m, all_hits) = (counts("n")?, counts("m")?, counts("all_hits")?);
        let (near_hits, near_trials) = (counts("near_hits")?, counts("near_trials")?);
        for row in 0..rows.num_rows() {
            let count = |counts: &Int64Array| counts.value(row) as f64;
            let trials = Trials {
                person: people[workers.value(row)],
                n: count(&n),
                m: count(&m),
                all_hits: count(&all_hits),
                near_hits: count(&near_hits),
                near_trials: count(&near_trials),
            };
            let place = self.place(pair.value(row))?;
            self.all[place].trials.push(trials);
        }
        Ok(())
    }
}

fn figures(rows: &RecordBatch, people: &HashMap<&[u8], usize>, pairs: &Pairs) -> Result<BTreeMap<Name, Parts>, Error> {
    let names: Vec<StringArray> = NAMES.iter().map(|name| text(rows, name)).collect::<Result<_, _>>()?;
    let (workers, pair) = (binary(rows, "worker")?, integer(rows, "pair")?);
    let microseconds = integer(rows, "microseconds")?;
    let (counted, per) = (double(rows, "counted")?, double(rows, "per")?);
    let mut places: HashMap<[Option<&str>; NAMES.len()], usize> = HashMap::new();
    let mut found: Vec<Parts> = Vec::new();
    for row in 0..rows.num_rows() {
        let name: [Option<&str>; NAMES.len()] = std::array::from_fn(|column| word(&names[column], row));
        let place = *places.entry(name).or_insert_with(|| {
            found.push(Parts::default());
            found.len() - 1
        });
        let parts = &mut found[place];
        let person = people[workers.value(row)];
        let amount = if counted.is_valid(row) { counted.value(row) } else { microseconds.value(row) as f64 / 3.6e9 };
        match number(&pair, row) {
            Some(number) => parts.matched.entry(pairs.place(number)?).or_default().push((person, amount)),
            None if amount > 0.0 => parts.fixed.push((person, amount)),
            None => {}
        }
        if per.is_valid(row) {
            parts.per.push((person, per.value(row)));
        }
    }
    let owned = |name: [Option<&str>; NAMES.len()]| name.map(|part| part.map(str::to_owned));
    Ok(places.into_iter().map(|(name, place)| (owned(name), std::mem::take(&mut found[place]))).collect())
}

/// A column of doubles.
pub(super) fn double(rows: &RecordBatch, name: &str) -> Result<Float64Array, Error> {
    Ok(column(rows, name, &DataType::Float64)?.as_primitive::<Float64Type>().clone())
}
