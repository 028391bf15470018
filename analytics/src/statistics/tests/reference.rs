//! Against numpy 2.3, which drew with other random numbers: what is drawn is given, or drawn so often that the interval
//! hardly depends on it.
//!
//! ```python
//! a, b = hours, person_weeks            # of twelve people; strata: the first six, the last six
//! def est(w):                           # w: how often each is drawn
//!     R = (w @ a) / (w @ b); v = 0
//!     for s in strata:
//!         z = np.repeat((a - R * b)[s], w[s]); v += len(s) * z.var(ddof=1)
//!     return R, np.sqrt(v) / (w @ b) / R
//! t = [abs(np.log(R / R0)) / rel for R, rel in map(est, rng.multinomial(…, size=2_000_000))]
//! q = np.quantile(t, .95); low, high = R0 * np.exp(-q * rel0), R0 * np.exp(q * rel0)
//! ```

use super::rows::{LOST, Rows};
use crate::{
    parameters::Parameters,
    statistics::{
        draws::Draws,
        ratios::{Estimate, Figure, Sample, resampled},
    },
};

const HOURS: [f64; 12] = [2.0, 1.0, 3.0, 2.0, 1.0, 0.5, 4.0, 1.0, 1.0, 0.5, 2.0, 1.0];

fn close(got: f64, expected: f64, tolerance: f64) {
    assert!((got / expected - 1.0).abs() < tolerance, "{got} is not {expected}");
}

#[test]
fn value_and_error_of_given_draws() {
    let sample =
        Sample { strata: vec![0..6, 6..12], person_weeks: [&[2.0][..], &[1.0; 11]].concat(), ..Sample::default() };
    let figure =
        Figure { hours: HOURS.into_iter().enumerate().collect(), groups: vec![(1.0, 0..2)], ..Figure::default() };
    let drawn = [[2, 0], [0, 1], [1, 1], [0, 1], [3, 1], [0, 2], [1, 4], [1, 0], [1, 0], [1, 2], [1, 0], [1, 0]];
    let draws = Draws::given(drawn.concat(), 2);
    let found = &resampled(&sample, &[figure], &draws)[0];
    let expected = [
        (found.measured, 1.461_538_461_538_461_5, 0.207_708_485_610_263_42),
        (found.replicates[0], 1.392_857_142_857_142_8, 0.196_788_884_593_341_48),
        (found.replicates[1], 2.083_333_333_333_333_5, 0.201_593_650_693_666_42),
    ];
    for (Estimate { value, relative_error }, expected_value, expected_error) in expected {
        close(value, expected_value, 1e-12);
        close(relative_error, expected_error, 1e-12);
    }
}

/// The twelve people: their organisation, hours, weeks.
fn twelve() -> Rows {
    let people: Vec<(&str, f64, i64)> = HOURS
        .into_iter()
        .enumerate()
        .map(|(person, hours)| (if person < 6 { "a" } else { "b" }, hours, if person == 0 { 2 } else { 1 }))
        .collect();
    Rows::lost(&people)
}

fn often() -> Parameters {
    Parameters { bootstrap_replicates: 400_000, ..Parameters::default() }
}

#[test]
fn interval_of_a_ratio() {
    let found = twelve().only(&often());
    assert_eq!((found.name.as_str(), found.people), (LOST, 12));
    close(found.value, 19.0 / 13.0, 1e-9);
    let (low, high) = found.interval.unwrap();
    close(low, 0.824_205, 0.01);
    close(high, 2.591_703, 0.01);
}

#[test]
fn interval_of_a_workforce() {
    let mut rows = twelve();
    for (person, worker) in rows.workers.iter_mut().enumerate() {
        *worker = if [5, 8, 9, 10, 11].contains(&person) {
            (person, Some("b"), "clerk", 1)
        } else {
            (person, Some("a"), "officer", worker.3)
        };
    }
    rows.staffing = vec![("a", "officer", 70, Some(20.0)), ("b", "clerk", 30, None)];
    let answers = rows.answer(&often());
    let names: Vec<&str> = answers.iter().map(|answer| answer.name.as_str()).collect();
    // Clerks have no hourly cost: there is no sum of costs.
    assert_eq!(names, [LOST, "lost_hours_per_person_week_estimated", "lost_hours_per_year_estimated"]);
    close(answers[1].value, 1.525, 1e-9);
    close(answers[2].value, 1.525 * 100.0 * 44.0, 1e-9);
    let (low, high) = answers[1].interval.unwrap();
    close(low, 0.798_768, 0.01);
    close(high, 2.911_516, 0.01);
    let (low_of_year, _) = answers[2].interval.unwrap();
    close(low_of_year, low * 4400.0, 1e-9);
}

#[test]
fn interval_whose_certainty_is_worked_out_anew() {
    // Matched hours, cases, those that agree, and what they agree with on other cases, of which there are 50.
    let raw = [1.2, 0.5, 0.8, 0.4, 1.1, 0.7, 1.5, 0.2, 0.6, 0.9, 0.3, 1.0];
    let cases = [9, 4, 7, 5, 8, 6, 10, 3, 6, 7, 5, 8];
    let agree = [7, 3, 5, 2, 6, 5, 8, 1, 3, 6, 2, 6];
    let hits = [20, 9, 15, 11, 16, 13, 22, 6, 12, 15, 11, 17];
    let mut rows = Rows { pairs: vec![(0.979_998_214_126_261_2, 50.0)], ..Rows::default() };
    for (person, raw) in raw.into_iter().enumerate() {
        rows.workers.push((person, Some(if person < 6 { "a" } else { "b" }), "officer", 1));
        rows.parts.push(("headline", "", person, Some(1), raw, None));
    }
    let held = rows.only(&often());
    rows.trials = (0..12).map(|person| (1, person, [cases[person], agree[person], hits[person]])).collect();
    let moving = rows.only(&often());
    for (found, expected) in [(held, (0.527_189, 1.070_773)), (moving, (0.522_603, 1.080_169))] {
        close(found.value, 0.751_332, 1e-6);
        let (low, high) = found.interval.unwrap();
        close(low, expected.0, 0.004);
        close(high, expected.1, 0.004);
    }
}
