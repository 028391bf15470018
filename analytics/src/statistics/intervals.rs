//! The table `intervals`: each figure that is shown with an interval, worked out once a session.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, Float64Array, Int64Array, StringArray},
    record_batch::RecordBatch,
};
use gilbreth_collector::schema::{
    ColumnType::{Double, Integer, Text},
    Table, optional, required,
};

use super::{
    bootstrap_t::{self, Interval},
    certainties::{Pair, Trials},
    draws::Draws,
    parts::{self, NAMES, Name, Parts, Read},
    ranks,
    ratios::{Figure, Hours, Resampled, Sample, resampled},
    strata,
    workforce::Workforce,
};
use crate::{Error, parameters::Parameters, session::Derived};

/// Views whose figures have a place among each other.
const RANKED: [&str; 2] = ["re_entry_hotspots", "fixes"];
/// The measure of `headline` that is estimated for a workforce.
const LOST: &str = "lost_hours_per_person_week";

static TABLE: Table = Table {
    name: "intervals",
    folder: "views",
    grain: "a figure that people are resampled for",
    partition: &[],
    sort: &[],
    columns: &[
        required("view_name", Text, "view that shows the figure"),
        optional(
            "measure",
            Text,
            "measure of `headline`, kind of `fixes`, what a claim of `claims` is about; else null",
        ),
        optional("cause", Text, "category of lost time; null for `headline`, and for all causes together"),
        optional("system", Text, "the system"),
        optional("task", Text, "the task"),
        optional("screen", Text, "the screen"),
        optional("field", Text, "the field"),
        optional("from_system", Text, "system where the value was held"),
        optional("from_screen", Text, "screen where the value was held"),
        optional("from_field", Text, "field where the value was held"),
        optional("week", Text, "Monday of the week of `time_lost_by_week`, ISO"),
        optional("organisation", Text, "organisation of a group of `time_lost_by_group`"),
        optional("role", Text, "role of such a group"),
        optional(
            "value",
            Double,
            "the figure, per person-week unless it is a share, per task, or for a whole workforce",
        ),
        optional("low", Double, "lower end of its 95 % interval; null where there is none"),
        optional("high", Double, "upper end of its 95 % interval; null where there is none"),
        optional("rank_low", Integer, "best place among the figures of the view that the data allow"),
        optional("rank_high", Integer, "worst place among the figures of the view that the data allow"),
        required("people", Integer, "people who have a part in the figure"),
    ],
};

/// The table, for the catalogue.
pub static INTERVALS: Derived = Derived {
    table: &TABLE,
    about: "Intervals from resampling people within their organisation: none where fewer than ten people were observed \
            or have a part in the figure, nor where all are alike.",
    inputs: &["observed_workers", "established_pairs", "pair_trials", "coverage", "figure_parts"],
    work_out,
};

/// A row of the table.
struct Row {
    name: Name,
    value: f64,
    interval: Option<Interval>,
    places: Option<(i64, i64)>,
    people: usize,
}

fn work_out(parameters: &Parameters, inputs: &[RecordBatch]) -> Result<RecordBatch, Error> {
    let [workers, pairs, trials, coverage, figure_parts] = inputs else {
        return Err(Error::Internal(format!("intervals are made from five views, not {}", inputs.len())));
    };
    let read = parts::read(workers, pairs, trials, figure_parts)?;
    let mut rows = observed(&read, parameters);
    rows.extend(estimated(&read, &Workforce::read(coverage)?, parameters));
    table(&rows)
}

/// Figures of the people observed.
fn observed(read: &Read, parameters: &Parameters) -> Vec<Row> {
    let sample = Arranged::by(&read.strata(parameters.stratum_people_min as usize), read, parameters);
    let everybody = vec![(1.0, 0..sample.sample.strata.len())];
    let figures: Vec<Figure> =
        read.figures.values().map(|parts| sample.figure(parts, &read.pairs, everybody.clone())).collect();
    let found = resampled(&sample.sample, &figures, &sample.draws);
    let seen = read.people.iter().filter(|person| person.person_weeks > 0.0).count();
    let fewest = parameters.interval_people_min as usize;
    let mut rows: Vec<Row> = read
        .figures
        .keys()
        .zip(&figures)
        .zip(&found)
        .map(|((name, figure), found)| {
            let people = figure.hours.len();
            let enough = seen >= fewest && people >= fewest;
            let interval = if enough { bootstrap_t::interval(found) } else { None };
            Row { name: name.clone(), value: found.measured.value, interval, places: None, people }
        })
        .collect();
    for view in RANKED {
        let ranked: Vec<usize> = (0..rows.len()).filter(|row| rows[*row].name[0].as_deref() == Some(view)).collect();
        let resampled: Vec<&Resampled> = ranked.iter().map(|row| &found[*row]).collect();
        for (row, places) in ranked.into_iter().zip(ranks::places(&resampled)) {
            rows[row].places = rows[row].interval.map(|_| places);
        }
    }
    rows
}

/// Figures of a whole workforce.
fn estimated(read: &Read, workforce: &Workforce, parameters: &Parameters) -> Vec<Row> {
    let mut lost: Name = Name::default();
    (lost[0], lost[1]) = (Some("headline".to_owned()), Some(LOST.to_owned()));
    let cells: Vec<usize> =
        read.people.iter().map(|person| workforce.cell(person).unwrap_or(workforce.cells())).collect();
    let people = cells.iter().filter(|cell| **cell < workforce.cells()).count();
    if people == 0 {
        return Vec::new();
    }
    let nobody = Parts::default();
    let parts = read.figures.get(&lost).unwrap_or(&nobody);
    let sample = Arranged::by(&cells, read, parameters);
    let (names, figures): (Vec<&str>, Vec<Figure>) = workforce
        .measures(parameters.working_weeks)
        .into_iter()
        .filter_map(|measure| {
            let groups = measure.weights?.into_iter().enumerate().map(|(cell, weight)| (weight, cell..cell + 1));
            Some((measure.name, sample.figure(parts, &read.pairs, groups.collect())))
        })
        .unzip();
    let enough = people >= parameters.interval_people_min as usize;
    let found = resampled(&sample.sample, &figures, &sample.draws);
    names
        .into_iter()
        .zip(&found)
        .map(|(measure, found)| {
            let mut name = lost.clone();
            name[1] = Some(measure.to_owned());
            let interval = if enough { bootstrap_t::interval(found) } else { None };
            Row { name, value: found.measured.value, interval, places: None, people }
        })
        .collect()
}

/// People arranged by stratum, and the draws among them.
struct Arranged {
    sample: Sample,
    draws: Draws,
    /// The place of each person as read.
    places: Vec<usize>,
}

impl Arranged {
    /// Arranges people by stratum and, within, by hash.
    fn by(strata: &[usize], read: &Read, parameters: &Parameters) -> Self {
        let mut order: Vec<usize> = (0..strata.len()).collect();
        order.sort_by_key(|person| strata[*person]);
        let mut places = vec![0; order.len()];
        for (place, person) in order.iter().enumerate() {
            places[*person] = place;
        }
        let sorted: Vec<usize> = order.iter().map(|person| strata[*person]).collect();
        let strata = strata::stretches(&sorted);
        let draws = Draws::new(&strata, parameters.bootstrap_replicates as usize, parameters.bootstrap_seed);
        let arranged = |trials: &Trials| Trials { person: places[trials.person], ..*trials };
        let pairs = read.pairs.iter().map(|pair| {
            let mut trials: Vec<Trials> = pair.trials.iter().map(arranged).collect();
            trials.sort_by_key(|trials| trials.person);
            Pair { trials, ..*pair }
        });
        let sample = Sample {
            strata,
            person_weeks: order.iter().map(|person| read.people[*person].person_weeks).collect(),
            pairs: pairs.collect(),
            near_trials_min: parameters.near_trials_min as f64,
        };
        Self { sample, draws, places }
    }

    fn figure(&self, parts: &Parts, pairs: &[Pair], groups: Vec<(f64, std::ops::Range<usize>)>) -> Figure {
        let weighed = parts
            .matched
            .iter()
            .flat_map(|(pair, hours)| hours.iter().map(|(person, hours)| (*person, hours * pairs[*pair].certainty)));
        let per = (!parts.per.is_empty()).then(|| {
            let mut per = vec![0.0; self.places.len()];
            for (place, hours) in self.arranged(parts.per.iter().copied()) {
                per[place] = hours;
            }
            per
        });
        let moving = parts.matched.iter().filter(|(pair, _)| !pairs[**pair].trials.is_empty());
        Figure {
            hours: self.arranged(parts.fixed.iter().copied().chain(weighed)),
            matched: moving.map(|(pair, hours)| (*pair, self.arranged(hours.iter().copied()))).collect(),
            per,
            groups,
        }
    }

    /// Hours by place, those of one person added up. They come by person from several parts: they are added in the
    /// order of the parts, whatever the order of the rows.
    fn arranged(&self, hours: impl Iterator<Item = (usize, f64)>) -> Hours {
        let mut by_place: Hours = hours.map(|(person, hours)| (self.places[person], hours)).collect();
        by_place.sort_by(|one, other| one.0.cmp(&other.0).then(one.1.total_cmp(&other.1)));
        by_place.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 += next.1;
            }
            same
        });
        by_place.retain(|(_, hours)| *hours > 0.0);
        by_place
    }
}

fn table(rows: &[Row]) -> Result<RecordBatch, Error> {
    let doubles = |of: fn(&Row) -> Option<f64>| -> ArrayRef {
        Arc::new(rows.iter().map(|row| of(row).filter(|value| value.is_finite())).collect::<Float64Array>())
    };
    let integers = |of: fn(&Row) -> Option<i64>| -> ArrayRef { Arc::new(rows.iter().map(of).collect::<Int64Array>()) };
    let mut columns: Vec<ArrayRef> = (0..NAMES.len())
        .map(|part| -> ArrayRef { Arc::new(rows.iter().map(|row| row.name[part].as_deref()).collect::<StringArray>()) })
        .collect();
    columns.extend([
        doubles(|row| Some(row.value)),
        doubles(|row| row.interval.map(|interval| interval.low)),
        doubles(|row| row.interval.map(|interval| interval.high)),
        integers(|row| row.places.map(|places| places.0)),
        integers(|row| row.places.map(|places| places.1)),
        integers(|row| Some(row.people as i64)),
    ]);
    Ok(RecordBatch::try_new(TABLE.arrow_schema(), columns)?)
}
