//! How often the interval covers the mean of the generator, over many seeds.
//!
//! `cargo test --release -p gilbreth-analytics coverage` takes 200 seeds of each size; with GILBRETH_COVERAGE_SEEDS=2000
//! as many as the method promises figures for, which it prints with `-- --nocapture`.

use rand::seq::SliceRandom as _;
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use statrs::distribution::{ContinuousCDF, Gamma, LogNormal};

use super::rows::Rows;
use crate::parameters::Parameters;

const ORGANISATIONS: [(&str, f64); 3] = [("a", 0.8), ("b", 1.0), ("c", 1.3)];

fn seeds() -> u64 {
    std::env::var("GILBRETH_COVERAGE_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(200)
}

/// A number between 0 and 1, neither included.
fn uniform(random: &mut ChaCha8Rng) -> f64 {
    (f64::from(random.next_u32()) + 0.5) / 4_294_967_296.0
}

/// Draws of a distribution by its inverse.
struct Inverse(Vec<f64>);

impl Inverse {
    fn of(distribution: &impl ContinuousCDF<f64, f64>) -> Self {
        let points: u32 = 4096;
        let mut values: Vec<f64> =
            (0..points).map(|point| distribution.inverse_cdf((f64::from(point) + 0.5) / f64::from(points))).collect();
        // What the grid leaves of the mean is put right, so that the mean of the draws is known exactly.
        let mean = distribution_mean(&values);
        values.iter_mut().for_each(|value| *value /= mean);
        Self(values)
    }

    /// A draw with mean 1.
    fn draw(&self, random: &mut ChaCha8Rng) -> f64 {
        self.0[(uniform(random) * self.0.len() as f64) as usize]
    }
}

fn distribution_mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Person-weeks of people: how much each loses differs from person to person (log-normal, standard deviation of the
/// logarithm 0.5) and from week to week (gamma, shape 2), and three organisations differ too.
struct Generator {
    people: Inverse,
    weeks: Inverse,
}

impl Generator {
    fn new() -> Self {
        Self {
            people: Inverse::of(&LogNormal::new(0.0, 0.5).unwrap()),
            weeks: Inverse::of(&Gamma::new(2.0, 2.0).unwrap()),
        }
    }

    /// A table of people, and the mean of its generator: hours per person-week.
    fn table(&self, people: usize, seed: u64) -> (Rows, f64) {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let strata = if people < 15 { 1 } else { ORGANISATIONS.len() };
        let table: Vec<(&str, f64, i64)> = (0..people)
            .map(|person| {
                let (organisation, level) = ORGANISATIONS[person % strata];
                let weeks = 2 + i64::from(random.next_u32() % 5);
                let level = 1.4 * level * self.people.draw(&mut random);
                (organisation, (0..weeks).map(|_| level * self.weeks.draw(&mut random)).sum(), weeks)
            })
            .collect();
        // Weeks do not depend on the organisation: the mean is that of the people's levels.
        let mean = (0..people).map(|person| 1.4 * ORGANISATIONS[person % strata].1).sum::<f64>() / people as f64;
        (Rows::lost(&table), mean)
    }
}

/// Share of tables whose interval covers the mean.
fn covered(seeds: u64, table: impl Fn(u64) -> (Rows, f64)) -> f64 {
    let hits = (0..seeds).filter(|seed| {
        let (rows, mean) = table(*seed);
        let parameters = Parameters { bootstrap_seed: *seed, ..Parameters::default() };
        rows.only(&parameters).interval.is_some_and(|(low, high)| low <= mean && mean <= high)
    });
    hits.count() as f64 / seeds as f64
}

/// Holds a share against its bounds, widened by three standard errors of so many seeds where these are few.
fn check(what: &str, share: f64, (low, high): (f64, f64), seeds: u64) {
    println!("{what}: {:.2} % of {seeds}", share * 100.0);
    let slack = if seeds >= 2000 { 0.0 } else { 3.0 * (0.95 * 0.05 / seeds as f64).sqrt() };
    assert!((low - slack..=high + slack).contains(&share), "{what}: {share} of {seeds}");
}

#[test]
fn coverage_of_the_mean_of_the_generator() {
    let generator = Generator::new();
    for people in [12, 20, 30, 60, 120] {
        let bounds = if people < 30 { (0.90, 0.97) } else { (0.93, 0.97) };
        let share = covered(seeds(), |seed| generator.table(people, seed * 131 + people as u64));
        check(&format!("{people} people"), share, bounds, seeds());
    }
}

/// Whether two teams differ significantly, judged by the interval of each: the logarithms of two independent figures differ
/// by more than both intervals reach together (the method of variance estimates recovery, Zou & Donner 2008).
fn differ(one: &[(f64, i64)], other: &[(f64, i64)], seed: u64) -> bool {
    let [one, other] = [one, other].map(|team| {
        let team: Vec<(&str, f64, i64)> = team.iter().map(|(hours, weeks)| ("team", *hours, *weeks)).collect();
        let row = Rows::lost(&team).only(&Parameters { bootstrap_seed: seed, ..Parameters::default() });
        let (low, high) = row.interval.expect("thirty people have an interval");
        (f64::midpoint(low.ln(), high.ln()), (high / low).ln() / 2.0)
    });
    (one.0 - other.0).abs() > one.1.hypot(other.1)
}

/// A table of sixty people with the label of each: what a person lost, in how many weeks.
fn labelled(generator: &Generator, seed: u64) -> (Vec<&'static str>, Vec<(f64, i64)>) {
    let (rows, _) = generator.table(60, seed * 149 + 17);
    let labels = rows.workers.iter().map(|worker| worker.1.unwrap_or_default()).collect();
    let hours = |person| rows.parts.iter().filter(|part| part.2 == person).map(|part| part.4).sum();
    (labels, rows.workers.iter().map(|worker| (hours(worker.0), worker.3)).collect())
}

#[test]
fn teams_with_shuffled_labels_differ_no_oftener_than_by_chance() {
    let generator = Generator::new();
    let found = (0..seeds()).filter(|&seed| {
        let (_, mut people) = labelled(&generator, seed);
        people.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        differ(&people[..30], &people[30..], seed)
    });
    let share = found.count() as f64 / seeds() as f64;
    check("teams alike that are not told apart", 1.0 - share, (0.93, 0.97), seeds());
}

#[test]
fn teams_that_differ_are_told_apart() {
    // Of the same people, the twenty that lose most by their organisation and the twenty that lose least: 1.3 to 0.8.
    let generator = Generator::new();
    let found = (0..100).filter(|&seed| {
        let (labels, people) = labelled(&generator, seed);
        let of = |label| people.iter().zip(&labels).filter(move |(_, of)| **of == label).map(|(person, _)| *person);
        let teams = [of("a").collect::<Vec<_>>(), of("c").collect()];
        differ(&teams[0], &teams[1], seed)
    });
    let found = found.count();
    assert!(found > 40, "only {found} of 100");
}

#[test]
fn coverage_where_few_have_a_part() {
    // One in three loses anything at all, three times as much.
    let generator = Generator::new();
    let table = |seed: u64| {
        let (mut rows, mean) = generator.table(90, seed * 137 + 5);
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        rows.parts.retain_mut(|part| {
            part.4 *= 3.0;
            uniform(&mut random) < 1.0 / 3.0
        });
        (rows, mean)
    };
    check("30 of 90 people", covered(seeds(), table), (0.93, 0.97), seeds());
}

#[test]
fn coverage_of_re_entry_whose_certainty_is_estimated() {
    // Each of 20 cases of a person is keyed again with a probability of the person's own, else agrees by chance, one in
    // five; an entry that agrees takes six minutes. What is estimated is the time of what was keyed again.
    let generator = Generator::new();
    let (chance, cases, hours) = (0.2, 20_usize, 0.1);
    let table = |seed: u64| {
        let mut random = ChaCha8Rng::seed_from_u64(seed * 139 + 11);
        let mut rows = Rows::default();
        let mut sums = [0.0; 3];
        for person in 0..45 {
            let again = (0.3 * generator.people.draw(&mut random)).min(1.0);
            let agree = (0..cases).filter(|_| uniform(&mut random) < again + (1.0 - again) * chance).count();
            // Of 50 other cases each, one in five agrees.
            let hits = (0..cases * 50).filter(|_| uniform(&mut random) < chance).count();
            rows.workers.push((person, Some(ORGANISATIONS[person % 3].0), "officer", 1));
            rows.trials.push((1, person, [cases as i64, agree as i64, hits as i64]));
            if agree > 0 {
                rows.parts.push(("headline", "", person, Some(1), agree as f64 * hours, None));
            }
            for (sum, one) in sums.iter_mut().zip([cases, agree, hits]) {
                *sum += one as f64;
            }
        }
        let [n, m, hits] = sums;
        let p = (1.0 + hits) / (1.0 + n * 50.0);
        rows.pairs = vec![((m - n * p) / (1.0 - p) / m, 50.0)];
        (rows, 0.3 * cases as f64 * hours)
    };
    // The truth of a person is cut at 1, which takes a little off the mean.
    let cut = generator.people.0.iter().map(|level| (0.3 * level).min(1.0)).sum::<f64>() / 4096.0 / 0.3;
    let share = covered(seeds(), |seed| {
        let (rows, mean) = table(seed);
        (rows, mean * cut)
    });
    check("re-entry of 45 people", share, (0.93, 0.97), seeds());
}
