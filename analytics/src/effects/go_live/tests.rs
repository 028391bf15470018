//! Group-time effects worked out by hand, and p-values where nothing changed.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

use super::{
    permutation::{What, deals, estimate, sureness},
    *,
};

fn unit(live: Option<i32>, outcome: &[f64]) -> Unit {
    Unit { live, outcome: outcome.iter().copied().map(Some).collect() }
}

/// Four organisations over five weeks; two go live.
fn small() -> Vec<Unit> {
    vec![
        unit(Some(2), &[10.0, 11.0, 6.0, 5.0, 4.0]),
        unit(Some(3), &[8.0, 9.0, 9.0, 6.0, 5.0]),
        unit(None, &[6.0, 6.0, 7.0, 7.0, 8.0]),
        unit(None, &[4.0, 5.0, 5.0, 6.0, 6.0]),
    ]
}

fn live(units: &[Unit]) -> Vec<Option<i32>> {
    units.iter().map(|unit| unit.live).collect()
}

fn outcome(units: &[Unit]) -> impl Fn(usize, i32) -> Option<f64> {
    |unit, week| *units[unit].outcome.get(usize::try_from(week).ok()?)?
}

#[test]
fn group_time_effects_are_those_worked_out_by_hand() {
    let units = small();
    let effect = |group, week| group_time(&live(&units), &outcome(&units), group, week);
    let check = |group, week, expected: f64| {
        let (found, treated) = effect(group, week).unwrap();
        assert!((found - expected).abs() < 1e-12 && treated == 1.0, "ATT({group}, {week}) is {found}, not {expected}");
    };
    check(2, 2, (6.0 - 11.0) - (0.0 + 1.0 + 0.0) / 3.0); // -5 1/3: B, C and D are not live by week 2
    check(2, 3, (5.0 - 11.0) - (1.0 + 1.0) / 2.0); // -7: B is live in week 3
    check(2, 4, (4.0 - 11.0) - (2.0 + 1.0) / 2.0); // -8.5
    check(3, 3, (6.0 - 9.0) - (0.0 + 1.0) / 2.0); // -3.5: A is live already
    check(3, 4, (5.0 - 9.0) - (1.0 + 1.0) / 2.0); // -5
    check(2, 0, (10.0 - 11.0) - (-1.0 + 0.0 - 1.0) / 3.0); // -1/3: before anything changed
    check(3, 1, (9.0 - 9.0) - (-1.0 + 0.0) / 2.0); // 1/2: A goes live before B, and is left out
    assert_eq!(effect(2, 5), None, "there is no week 5");
    assert_eq!(effect(0, 1), None, "nobody went live in week 0");

    let since = |since| event_time(&live(&units), &outcome(&units), since).unwrap().value;
    for (weeks, expected) in [(0, (-16.0 / 3.0 - 3.5) / 2.0), (1, -6.0), (2, -8.5), (-2, (-1.0 / 3.0 + 0.5) / 2.0)] {
        assert!((since(weeks) - expected).abs() < 1e-12, "{weeks}");
    }
    let after = estimate(&live(&units), &outcome(&units), What::After, 9).unwrap().value;
    assert!((after - (-53.0 / 12.0 - 6.0 - 8.5) / 3.0).abs() < 1e-12);
}

#[test]
fn an_estimate_without_a_unit_is_that_of_the_others() {
    for units in [small(), random_units(3, 9, 0.0)] {
        for since in [-3, 0, 1, 4] {
            let Some(found) = event_time(&live(&units), &outcome(&units), since) else { continue };
            for left_out in 0..units.len() {
                let mut rest = units.clone();
                rest.remove(left_out);
                let expected = event_time(&live(&rest), &outcome(&rest), since).map(|estimate| estimate.value);
                match (found.without[left_out], expected) {
                    (Some(found), Some(expected)) => assert!((found - expected).abs() < 1e-9),
                    (found, expected) => assert_eq!(found.is_some(), expected.is_some(), "{since} {left_out}"),
                }
            }
        }
    }
}

/// Organisations of different level and noise, of which two thirds go live one after the other, with an effect.
fn random_units(seed: u64, count: usize, effect: f64) -> Vec<Unit> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut uniform = move || f64::from(random.next_u32()) / f64::from(u32::MAX);
    (0..count)
        .map(|place| {
            let live = (place % 3 != 2).then(|| 3 + place as i32 / 2);
            let level = 5.0 + 3.0 * uniform();
            let outcome = (0..12).map(|week| {
                let touched = live.is_some_and(|live| week >= live);
                Some(level + 0.1 * f64::from(week) + uniform() + if touched { effect } else { 0.0 })
            });
            Unit { live, outcome: outcome.collect() }
        })
        .collect()
}

#[test]
fn where_nothing_changed_the_nominal_rate_is_not_exceeded() {
    const SEEDS: u64 = 200;
    let rejected = (0..SEEDS)
        .filter(|seed| {
            let units = random_units(*seed, 9, 0.0);
            let dealt = deals(&units, 99, *seed);
            sureness(&units, &dealt, What::After, 8).unwrap().p <= 0.05
        })
        .count();
    // One in twenty of 200 is 10; three standard deviations of that count are 9.
    assert!((1..=19).contains(&rejected), "{rejected} of {SEEDS} were rejected");
}

#[test]
fn a_planted_effect_is_found_and_lies_in_the_interval() {
    let mut held = 0;
    for seed in 0..20 {
        let units = random_units(seed, 12, -2.0);
        let dealt = deals(&units, 199, seed);
        let found = sureness(&units, &dealt, What::After, 8).unwrap();
        let (low, high) = found.interval.unwrap();
        assert!(found.p <= 0.05 && high < 0.0, "p {} {low} {high}", found.p);
        held += usize::from(low <= -2.0 && -2.0 <= high);
        // The week before those compared was not touched.
        let before = event_time(&live(&units), &outcome(&units), -2).unwrap().value;
        assert!(before.abs() < 1.5, "{before}");
    }
    assert!(held >= 17, "-2 is in {held} of 20 intervals");
}

#[test]
fn too_few_organisations_refute_nothing() {
    let units = small();
    let found = sureness(&units, &deals(&units, 499, 1), What::Since(1), 4).unwrap();
    assert!(found.p > 0.05);
    assert_eq!(found.interval, None);
}
