//! What an interval never depends on, and where there is none.

use super::rows::{Answer, Rows};
use crate::parameters::Parameters;

fn quick() -> Parameters {
    Parameters { bootstrap_replicates: 400, ..Parameters::default() }
}

fn people(count: usize) -> Rows {
    let hours = |person: usize| 0.5 + ((person * 7 + 3) % 11) as f64 / 4.0;
    let organisation = |person: usize| ["a", "b", "c"][person % 3];
    Rows::lost(
        &(0..count).map(|person| (organisation(person), hours(person), 1 + person as i64 % 4)).collect::<Vec<_>>(),
    )
}

/// Everything that there can be, over sixty people.
fn everything() -> Rows {
    let mut rows = people(60);
    rows.pairs = vec![(0.9, 30.0), (0.8, 40.0)];
    rows.staffing = vec![("a", "officer", 100, Some(20.0)), ("b", "officer", 50, Some(30.0))];
    for person in 0..60 {
        let hours = 0.1 + (person % 7) as f64 / 10.0;
        let pair = 1 + person as i64 % 2;
        rows.trials.push((pair, person, [5, 4, person as i64 % 5]));
        rows.parts.push(("headline", "", person, Some(pair), hours, None));
        rows.parts.push(("headline", "share_lost", person, None, hours, None));
        rows.parts.push(("headline", "share_lost", person, None, 0.0, Some(5.0 + hours)));
        for (system, shift, factor) in [("x", 1, 1.0), ("y", 2, 1.0), ("z", 3, 9.0)] {
            let hours = factor * hours / (1 + (person + shift) % 4) as f64;
            rows.parts.push(("fixes", system, person, None, hours, None));
        }
    }
    rows
}

#[test]
fn intervals_do_not_depend_on_the_order_of_rows() {
    let rows = everything();
    let expected = rows.answer(&quick());
    assert_eq!(expected.len(), 8, "{expected:?}");
    for step in [11, 13, 59] {
        assert_eq!(rows.answer_reordered(&quick(), step), expected);
    }
}

#[test]
fn what_is_counted_is_resampled_as_hours_are() {
    let rows = everything();
    let of = |view: &'static str, name: &'static str| {
        let mut rows = rows.clone();
        rows.parts.retain(|part| part.1 == "share_lost");
        rows.parts.iter_mut().for_each(|part| (part.0, part.1) = (view, name));
        rows.staffing.clear();
        rows.only(&quick())
    };
    let (hours, counted) = (of("headline", "share_lost"), of("claims", "fields_again_per_task"));
    let [Some((low, high)), Some(of_hours)] = [counted.interval, hours.interval] else { panic!("{hours:?}") };
    for (counted, hours) in [(counted.value, hours.value), (low, of_hours.0), (high, of_hours.1)] {
        // Hours come as whole microseconds.
        assert!((counted / hours - 1.0).abs() < 1e-9, "{counted} is not {hours}");
    }
}

#[test]
fn intervals_depend_on_the_seed_alone() {
    let seeded = |seed| people(40).only(&Parameters { bootstrap_seed: seed, ..quick() });
    assert_eq!(seeded(1), seeded(1));
    assert_ne!(seeded(1).interval, seeded(2).interval);
    assert_eq!(seeded(1).value.to_bits(), seeded(2).value.to_bits());
}

#[test]
fn under_ten_people_there_is_no_interval() {
    assert_eq!(people(9).only(&quick()).interval, None);
    let ten = people(10).only(&quick());
    let (low, high) = ten.interval.unwrap();
    assert!(0.0 < low && low < ten.value && ten.value < high, "{ten:?}");
    // Nor where fewer than ten of many have a part in the figure, or were seen in whole weeks.
    let mut few = people(40);
    few.parts.truncate(9);
    assert_eq!(few.only(&quick()).interval, None);
    let mut partly = people(12);
    for worker in &mut partly.workers[..3] {
        worker.3 = 0;
    }
    assert_eq!(partly.only(&quick()).interval, None);
}

#[test]
fn where_all_are_alike_there_is_nothing_to_judge_by() {
    let alike: Vec<(&str, f64, i64)> =
        (0..20).map(|person| ("a", 1.5 * (1 + person % 3) as f64, 1 + person % 3)).collect();
    let found = Rows::lost(&alike).only(&quick());
    assert_eq!((found.value, found.interval), (1.5, None));
}

#[test]
fn replicates_in_which_nobody_differs_are_left_out() {
    // All lost as much but one, whom a third of the replicates do not draw: too many without an error for an interval.
    let mut one: Vec<(&str, f64, i64)> = vec![("a", 1.0, 1); 20];
    one[3].1 = 4.0;
    assert_eq!(Rows::lost(&one).only(&quick()).interval, None);
    // With four apart, hardly any replicate is without.
    for person in [7, 11, 15] {
        one[person].1 = 4.0;
    }
    let found = Rows::lost(&one).only(&quick());
    let (low, high) = found.interval.unwrap();
    assert!(low.is_finite() && high.is_finite() && low < 1.6 && high > 1.6, "{found:?}");
}

#[test]
fn nobody_and_nothing_give_no_figure() {
    assert_eq!(Rows::default().answer(&quick()), []);
    let nobody_lost = Rows { parts: Vec::new(), ..people(20) };
    assert_eq!(nobody_lost.answer(&quick()), []);
}

#[test]
fn an_organisation_apart_does_not_widen_the_interval() {
    // Two organisations that differ a hundredfold, alike within: strata tell that this is no spread among people.
    let hours = |person: usize| (1.0 + (person % 5) as f64 / 10.0) * if person < 20 { 1.0 } else { 100.0 };
    let within: Vec<_> = (0..40).map(|person| (if person < 20 { "a" } else { "b" }, hours(person), 1)).collect();
    let without: Vec<_> = (0..40).map(|person| ("a", hours(person), 1)).collect();
    let width = |rows: &Rows| {
        let Answer { value, interval, .. } = rows.only(&quick());
        interval.map(|(low, high)| (high - low) / value).unwrap()
    };
    assert!(width(&Rows::lost(&within)) < 0.15 && width(&Rows::lost(&without)) > 0.5);
}

#[test]
fn places_overlap_where_the_order_is_noise() {
    let answers = everything().answer(&quick());
    let places = |system: &str| answers.iter().find(|answer| answer.name == system).unwrap().places.unwrap();
    assert_eq!(places("z"), (1, 1));
    assert_eq!((places("x"), places("y")), ((2, 3), (2, 3)));
}
