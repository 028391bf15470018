//! Ratios of sums over people (hours per person-week), with their standard errors, as measured and in each replicate.

use std::{num::NonZero, ops::Range, thread};

use super::{certainties::Pair, draws::Draws};

/// Replicates worked on at once: their weights stay in the cache of a core.
const BLOCK: usize = 250;

/// Hours of people: place of the person, hours; in the order of places, each place once.
pub type Hours = Vec<(usize, f64)>;

/// The people that figures are about.
#[derive(Debug, Clone, Default)]
pub struct Sample {
    /// Strata as stretches of places, in order, nobody left out.
    pub strata: Vec<Range<usize>>,
    /// Person-weeks by place.
    pub person_weeks: Vec<f64>,
    /// Pairs of fields, whose certainties weigh matched time.
    pub pairs: Vec<Pair>,
    /// Fewest comparisons for the chance near by to be known.
    pub near_trials_min: f64,
}

/// A ratio of sums, or a weighted sum of the ratios of groups of people.
#[derive(Debug, Clone, Default)]
pub struct Figure {
    /// Hours, matched time weighed by the certainties as measured.
    pub hours: Hours,
    /// The matched time in them before weighing, by number of the pair.
    pub matched: Vec<(usize, Hours)>,
    /// What it is per, by place; person-weeks where there is nothing.
    pub per: Option<Vec<f64>>,
    /// Groups, as a weight and a stretch of strata: one of weight 1 with all strata, or cells of a workforce.
    pub groups: Vec<(f64, Range<usize>)>,
}

/// A figure as measured, or in a replicate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// Its value; not finite where what it is per is nothing.
    pub value: f64,
    /// Its standard error over its value, with certainties as measured.
    ///
    /// Of the ratio R = A / B of stratified sums it is the linearised one: with z = a - R b for each person, the variance
    /// is Σ over strata of n / (n - 1) Σ (z - mean of z)², over B² (Cochran 1977, section 6.11; Davison & Hinkley 1997,
    /// section 3.2).
    pub relative_error: f64,
}

/// A figure with its replicates.
#[derive(Debug, Clone)]
pub struct Resampled {
    /// As measured.
    pub measured: Estimate,
    /// In each replicate.
    pub replicates: Vec<Estimate>,
}

/// Works out figures as measured and in each replicate. Replicates are shared out over the cores; the result is the same
/// for any number of them.
#[must_use]
pub fn resampled(sample: &Sample, figures: &[Figure], draws: &Draws) -> Vec<Resampled> {
    let once = vec![1.0; sample.person_weeks.len()];
    let measured = figures_of(sample, figures, &once, 1);
    let starts: Vec<usize> = (0..draws.replicates()).step_by(BLOCK).collect();
    let cores = thread::available_parallelism().map_or(1, NonZero::get).clamp(1, starts.len().max(1));
    let work = |starts: &[usize]| -> Vec<Vec<Vec<Estimate>>> {
        let block = |start: &usize| {
            let replicates = *start..(start + BLOCK).min(draws.replicates());
            let width = replicates.len();
            figures_of(sample, figures, &draws.weights(replicates), width)
        };
        starts.iter().map(block).collect()
    };
    let blocks: Vec<Vec<Vec<Estimate>>> = thread::scope(|scope| {
        let workers: Vec<_> = starts
            .chunks(starts.len().div_ceil(cores).max(1))
            .map(|starts| scope.spawn(move || work(starts)))
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("sums do not panic")).collect()
    });
    let mut found: Vec<Resampled> = measured
        .into_iter()
        .map(|measured| Resampled { measured: measured[0], replicates: Vec::with_capacity(draws.replicates()) })
        .collect();
    for block in blocks {
        for (figure, estimates) in found.iter_mut().zip(block) {
            figure.replicates.extend(estimates);
        }
    }
    found
}

/// Each figure under each of `width` weightings of the people; `weights` by person, then by weighting.
fn figures_of(sample: &Sample, figures: &[Figure], weights: &[f64], width: usize) -> Vec<Vec<Estimate>> {
    let weighed = Weighed { sample, weights, width };
    let changes: Vec<Option<Vec<f64>>> =
        sample.pairs.iter().map(|pair| pair.changes(weights, width, sample.near_trials_min)).collect();
    let mut shared: Vec<(Range<usize>, Below)> = Vec::new();
    let mut all = Vec::with_capacity(figures.len());
    for figure in figures {
        let mut sums = vec![Sums::default(); width];
        for (weight, strata) in &figure.groups {
            let own = figure.per.as_ref().map(|per| weighed.below(per, strata));
            let below = match &own {
                Some(own) => own,
                None => {
                    let known = shared.iter().position(|(known, _)| known == strata).unwrap_or_else(|| {
                        shared.push((strata.clone(), weighed.below(&sample.person_weeks, strata)));
                        shared.len() - 1
                    });
                    &shared[known].1
                }
            };
            let per = figure.per.as_deref().unwrap_or(&sample.person_weeks);
            let above = weighed.above(&figure.hours, per, below, strata);
            let moved = weighed.moved(figure, &changes, strata);
            for place in 0..width {
                sums[place].add(*weight, &above[place], moved[place], below.sums[place], below.squares[place]);
            }
        }
        all.push(sums.into_iter().map(Sums::estimate).collect());
    }
    all
}

/// What groups add up to.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    value: f64,
    // With certainties as measured.
    held: f64,
    variance: f64,
}

impl Sums {
    fn add(&mut self, weight: f64, above: &Above, moved: f64, per: f64, per_squares: f64) {
        let ratio = above.sum / per;
        let variance = above.squares - 2.0 * ratio * above.products + ratio * ratio * per_squares;
        self.value += weight * (above.sum + moved) / per;
        self.held += weight * ratio;
        self.variance += weight * weight * variance / (per * per);
    }

    fn estimate(self) -> Estimate {
        Estimate { value: self.value, relative_error: self.variance.max(0.0).sqrt() / self.held }
    }
}

/// Sums of the hours of a group: plain, and within strata of squares and of products with what they are per.
#[derive(Debug, Clone, Copy, Default)]
struct Above {
    sum: f64,
    squares: f64,
    products: f64,
}

/// The same of what hours are per, for each weighting, with the plain sums of each stratum.
struct Below {
    sums: Vec<f64>,
    squares: Vec<f64>,
    by_stratum: Vec<Vec<f64>>,
}

struct Weighed<'a> {
    sample: &'a Sample,
    weights: &'a [f64],
    width: usize,
}

impl Weighed<'_> {
    fn of(&self, person: usize) -> &[f64] {
        &self.weights[person * self.width..(person + 1) * self.width]
    }

    fn people(&self, strata: &Range<usize>) -> Range<usize> {
        let strata = &self.sample.strata[strata.clone()];
        strata.first().map_or(0, |first| first.start)..strata.last().map_or(0, |last| last.end)
    }

    fn below(&self, per: &[f64], strata: &Range<usize>) -> Below {
        let mut below = Below { sums: vec![0.0; self.width], squares: vec![0.0; self.width], by_stratum: Vec::new() };
        for stratum in &self.sample.strata[strata.clone()] {
            let (factor, share) = factors(stratum);
            let mut sums = vec![0.0; self.width];
            for person in stratum.clone() {
                let (own, square) = (per[person], factor * per[person] * per[person]);
                for ((sum, squares), weight) in sums.iter_mut().zip(&mut below.squares).zip(self.of(person)) {
                    *sum += own * weight;
                    *squares += square * weight;
                }
            }
            for ((all, squares), sum) in below.sums.iter_mut().zip(&mut below.squares).zip(&sums) {
                *all += sum;
                *squares -= share * sum * sum;
            }
            below.by_stratum.push(sums);
        }
        below
    }

    fn above(&self, hours: &Hours, per: &[f64], below: &Below, strata: &Range<usize>) -> Vec<Above> {
        let mut above = vec![Above::default(); self.width];
        let mut sums = vec![0.0; self.width];
        for (stratum, per_sums) in self.sample.strata[strata.clone()].iter().zip(&below.by_stratum) {
            let hours = among(hours, stratum);
            if hours.is_empty() {
                continue;
            }
            let (factor, share) = factors(stratum);
            sums.fill(0.0);
            for &(person, own) in hours {
                let (square, product) = (factor * own * own, factor * own * per[person]);
                for ((sum, above), weight) in sums.iter_mut().zip(&mut above).zip(self.of(person)) {
                    *sum += own * weight;
                    above.squares += square * weight;
                    above.products += product * weight;
                }
            }
            for ((above, sum), per) in above.iter_mut().zip(&sums).zip(per_sums) {
                above.sum += sum;
                above.squares -= share * sum * sum;
                above.products -= share * sum * per;
            }
        }
        above
    }

    /// By how much the hours of a group differ because certainties do.
    fn moved(&self, figure: &Figure, changes: &[Option<Vec<f64>>], strata: &Range<usize>) -> Vec<f64> {
        let people = self.people(strata);
        let mut moved = vec![0.0; self.width];
        let mut matched = vec![0.0; self.width];
        for (pair, hours) in &figure.matched {
            let Some(changes) = &changes[*pair] else { continue };
            matched.fill(0.0);
            for &(person, own) in among(hours, &people) {
                for (sum, weight) in matched.iter_mut().zip(self.of(person)) {
                    *sum += own * weight;
                }
            }
            for ((moved, matched), change) in moved.iter_mut().zip(&matched).zip(changes) {
                *moved += matched * change;
            }
        }
        moved
    }
}

/// n / (n - 1) and 1 / (n - 1) of a stratum; nothing for a stratum of one, which has no spread.
fn factors(stratum: &Range<usize>) -> (f64, f64) {
    match stratum.len() {
        0 | 1 => (0.0, 0.0),
        size => (size as f64 / (size - 1) as f64, 1.0 / (size - 1) as f64),
    }
}

/// Those of some people.
fn among<'a>(hours: &'a Hours, people: &Range<usize>) -> &'a [(usize, f64)] {
    let from = hours.partition_point(|(person, _)| *person < people.start);
    let to = hours.partition_point(|(person, _)| *person < people.end);
    &hours[from..to]
}
