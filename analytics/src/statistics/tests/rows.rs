//! The rows of the working views, made by hand.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, AsArray, BinaryArray, BooleanArray, Float64Array, Int64Array, StringArray},
    compute::take_record_batch,
    datatypes::{Float64Type, Int64Type},
    record_batch::RecordBatch,
};

use crate::{parameters::Parameters, statistics::intervals::INTERVALS, statistics::parts::NAMES};

/// What the views hold, people by number.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    /// Person, organisation, role, person-weeks.
    pub(super) workers: Vec<(usize, Option<&'static str>, &'static str, i64)>,
    /// Certainty and trials per case of each pair; pairs are numbered from 1.
    pub(super) pairs: Vec<(f64, f64)>,
    /// Pair, person, n, m, all hits; nothing near by.
    pub(super) trials: Vec<(i64, usize, [i64; 3])>,
    /// Organisation, role, headcount, hourly cost; each is a cell of its own.
    pub(super) staffing: Vec<(&'static str, &'static str, i64, Option<f64>)>,
    /// The parts of figures.
    pub(super) parts: Vec<Part>,
}

/// View, measure or system, person, pair, hours, what they are per. Claims count, instead.
type Part = (&'static str, &'static str, usize, Option<i64>, f64, Option<f64>);

/// A row of the answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    /// The measure, or the system.
    pub(super) name: String,
    pub(super) value: f64,
    pub(super) interval: Option<(f64, f64)>,
    pub(super) places: Option<(i64, i64)>,
    pub(super) people: i64,
}

/// The measure for which a workforce is estimated.
pub(super) const LOST: &str = "lost_hours_per_person_week";

impl Rows {
    /// Hours lost, as the headline has them: organisation, hours and person-weeks of each person.
    pub(super) fn lost(people: &[(&'static str, f64, i64)]) -> Self {
        let mut rows = Self::default();
        for (person, (organisation, hours, weeks)) in people.iter().enumerate() {
            rows.workers.push((person, Some(organisation), "officer", *weeks));
            rows.parts.push(("headline", "", person, None, *hours, None));
        }
        rows
    }

    fn batches(&self) -> [RecordBatch; 5] {
        let id = |person: usize| format!("worker {person:05}").into_bytes();
        let ids = |people: &mut dyn Iterator<Item = usize>| -> ArrayRef {
            Arc::new(BinaryArray::from_iter_values(people.map(id)))
        };
        let organisations: StringArray = self.workers.iter().map(|worker| worker.1).collect();
        let workers = batch(vec![
            ("worker", ids(&mut self.workers.iter().map(|worker| worker.0))),
            ("organisation", Arc::new(organisations)),
            ("role", texts(&mut self.workers.iter().map(|worker| Some(worker.2)))),
            ("person_weeks", integers(&mut self.workers.iter().map(|worker| Some(worker.3)))),
        ]);
        let pairs = batch(vec![
            ("pair", integers(&mut (1..=self.pairs.len() as i64).map(Some))),
            ("certainty", doubles(&mut self.pairs.iter().map(|pair| Some(pair.0)))),
            ("trials_per_case", doubles(&mut self.pairs.iter().map(|pair| Some(pair.1)))),
        ]);
        let count = |place: usize| integers(&mut self.trials.iter().map(|trials| Some(trials.2[place])));
        let none = || integers(&mut self.trials.iter().map(|_| Some(0)));
        let trials = batch(vec![
            ("pair", integers(&mut self.trials.iter().map(|trials| Some(trials.0)))),
            ("worker", ids(&mut self.trials.iter().map(|trials| trials.1))),
            ("n", count(0)),
            ("m", count(1)),
            ("all_hits", count(2)),
            ("near_hits", none()),
            ("near_trials", none()),
        ]);
        let organisation = || texts(&mut self.staffing.iter().map(|place| Some(place.0)));
        let role = || texts(&mut self.staffing.iter().map(|place| Some(place.1)));
        let coverage = batch(vec![
            ("organisation", organisation()),
            ("role", role()),
            ("cell_organisation", organisation()),
            ("cell_role", role()),
            ("headcount", integers(&mut self.staffing.iter().map(|place| Some(place.2)))),
            ("hourly_cost", doubles(&mut self.staffing.iter().map(|place| place.3))),
            ("estimated", Arc::new(BooleanArray::from(vec![true; self.staffing.len()]))),
        ]);
        let mut parts = vec![
            ("worker", ids(&mut self.parts.iter().map(|part| part.2))),
            ("pair", integers(&mut self.parts.iter().map(|part| part.3))),
            ("microseconds", integers(&mut self.parts.iter().map(|part| Some(microseconds(part))))),
            ("counted", doubles(&mut self.parts.iter().map(|part| counts(part).then_some(part.4)))),
            ("per", doubles(&mut self.parts.iter().map(|part| part.5))),
        ];
        for name in NAMES {
            let column = self.parts.iter().map(|part| match name {
                "view_name" => Some(part.0),
                "measure" if part.0 == "headline" => Some(if part.1.is_empty() { LOST } else { part.1 }),
                "measure" if counts(part) => Some(part.1),
                "system" if part.0 != "headline" && !counts(part) => Some(part.1),
                _ => None,
            });
            parts.push((name, Arc::new(column.collect::<StringArray>())));
        }
        [workers, pairs, trials, coverage, batch(parts)]
    }

    /// The answer, in the order of names.
    pub(super) fn answer(&self, parameters: &Parameters) -> Vec<Answer> {
        answers(&(INTERVALS.work_out)(parameters, &self.batches()).unwrap())
    }

    /// The same with the rows of each view in another order.
    pub(super) fn answer_reordered(&self, parameters: &Parameters, step: usize) -> Vec<Answer> {
        let reordered = self.batches().map(|rows| {
            let count = rows.num_rows();
            let order: Vec<u64> = (0..count).map(|row| ((row * step + 7) % count) as u64).collect();
            take_record_batch(&rows, &arrow::array::UInt64Array::from(order)).unwrap()
        });
        answers(&(INTERVALS.work_out)(parameters, &reordered).unwrap())
    }

    /// The one figure that there is.
    pub(super) fn only(&self, parameters: &Parameters) -> Answer {
        let answers = self.answer(parameters);
        assert_eq!(answers.len(), 1, "{answers:?}");
        answers.into_iter().next().unwrap()
    }
}

fn counts(part: &Part) -> bool {
    part.0 == "claims"
}

fn microseconds(part: &Part) -> i64 {
    if counts(part) { 0 } else { (part.4 * 3.6e9).round() as i64 }
}

fn answers(rows: &RecordBatch) -> Vec<Answer> {
    let double = |name: &str, row: usize| {
        let column = rows.column_by_name(name).unwrap().as_primitive::<Float64Type>();
        arrow::array::Array::is_valid(column, row).then(|| column.value(row))
    };
    let integer = |name: &str, row: usize| {
        let column = rows.column_by_name(name).unwrap().as_primitive::<Int64Type>();
        arrow::array::Array::is_valid(column, row).then(|| column.value(row))
    };
    let text = |name: &str, row: usize| {
        let column = rows.column_by_name(name).unwrap().as_string::<i32>();
        arrow::array::Array::is_valid(column, row).then(|| column.value(row).to_owned())
    };
    (0..rows.num_rows())
        .map(|row| Answer {
            name: text("measure", row).or_else(|| text("system", row)).unwrap(),
            value: double("value", row).unwrap_or(f64::NAN),
            interval: double("low", row).zip(double("high", row)),
            places: integer("rank_low", row).zip(integer("rank_high", row)),
            people: integer("people", row).unwrap(),
        })
        .collect()
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true))).unwrap()
}

fn integers(values: &mut dyn Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(values.collect::<Int64Array>())
}

fn doubles(values: &mut dyn Iterator<Item = Option<f64>>) -> ArrayRef {
    Arc::new(values.collect::<Float64Array>())
}

fn texts(values: &mut dyn Iterator<Item = Option<&'static str>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}
