//! Effects worked out by hand, and what happens where there is none.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

use super::*;

/// Workers over weeks numbered from 0, each with one instance of the task `t` a week; minutes lost in `s` and `c` as
/// said; releases of `s` in some weeks.
fn panel(workers: usize, weeks: i32, changes: &[i32], mut lost: impl FnMut(usize, i32) -> (f64, f64)) -> Panel {
    let mut panel = Panel { workers, weeks: (0..weeks).map(|week| week * WEEK).collect(), ..Panel::default() };
    panel.changes.insert("s".to_owned(), changes.iter().map(|week| week * WEEK).collect());
    for worker in 0..workers {
        for week in 0..weeks {
            let (in_s, in_c) = lost(worker, week);
            let key = |system: &str| (system.to_owned(), "t".to_owned());
            panel.instances.entry("t".to_owned()).or_default().push((worker, week * WEEK, 1.0));
            panel.lost.entry(key("s")).or_default().push((worker, week * WEEK, in_s));
            panel.lost.entry(key("c")).or_default().push((worker, week * WEEK, in_c));
        }
    }
    panel
}

fn effect(panel: &Panel, week: i32) -> Result<Effect, Missing> {
    let draws = Draws::new(panel.workers, 400, 7);
    panel.effect("s", "t", week * WEEK, &draws, 10)
}

#[test]
fn only_clean_weeks_are_compared() {
    let panel = panel(1, 12, &[2, 5, 8], |_, _| (1.0, 1.0));
    let weeks = |numbers: &[i32]| numbers.iter().map(|week| week * WEEK).collect::<BTreeSet<i32>>();
    // Four weeks before, but not the week of the release before nor what lies beyond; after, but not the next one's.
    assert_eq!(panel.window("s", 5 * WEEK), Window { before: weeks(&[3, 4]), after: weeks(&[6, 7]) });
    assert_eq!(panel.window("s", 8 * WEEK), Window { before: weeks(&[6, 7]), after: weeks(&[9, 10, 11]) });
    assert_eq!(panel.window("s", 2 * WEEK), Window { before: weeks(&[0, 1]), after: weeks(&[3, 4]) });
    assert_eq!(panel.window("c", 5 * WEEK), Window { before: weeks(&[1, 2, 3, 4]), after: weeks(&[6, 7, 8]) });
}

#[test]
fn the_effect_is_the_change_less_that_of_the_control() {
    // From week 5 on s costs 3 minutes more and everything 0.5 more. Minutes per instance in s: 2 before, 5.5 after.
    let panel = panel(4, 10, &[5], |_, week| if week < 5 { (2.0, 1.0) } else { (5.5, 1.5) });
    let found = effect(&panel, 5).unwrap();
    assert_eq!(found.change, Change { before: 2.0, after: 5.5, control: 0.5, difference: 3.0 });
    assert_eq!((found.people, found.instances, found.weeks), (4, (16.0, 12.0), (4, 3)));
    assert_eq!(found.interval, None, "four people are too few for an interval");
    // Week 2 has weeks 0, 1 and 3, 4 on its sides; after the release, 7 has but week 6 before it, and 8 week 9 after it.
    assert_eq!(found.placebos, [0.0], "only week 2 has two clean weeks on both sides");
}

#[test]
fn what_cannot_be_estimated_says_why() {
    let even = |_, _| (1.0, 1.0);
    assert_eq!(effect(&panel(3, 10, &[1], even), 1).unwrap_err(), Missing::WeeksBefore);
    assert_eq!(effect(&panel(3, 10, &[8], even), 8).unwrap_err(), Missing::WeeksAfter);
    let mut alone = panel(3, 10, &[5], even);
    alone.changes.insert("c".to_owned(), BTreeSet::from([6 * WEEK]));
    assert_eq!(effect(&alone, 5).unwrap_err(), Missing::Control);
    let mut gone = panel(3, 10, &[5], even);
    gone.instances.get_mut("t").unwrap().retain(|(_, week, _)| *week < 5 * WEEK);
    assert_eq!(effect(&gone, 5).unwrap_err(), Missing::Workers);
}

/// A panel in which workers differ and weeks vary, with an effect of so many minutes from week 5 on.
fn noisy(seed: u64, minutes: f64) -> Panel {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut uniform = move || f64::from(random.next_u32()) / f64::from(u32::MAX);
    let levels: Vec<f64> = (0..40).map(|_| 2.0 + 4.0 * uniform()).collect();
    panel(40, 10, &[5], |worker, week| {
        let effect = if week >= 5 { minutes } else { 0.0 };
        (levels[worker] + effect + 3.0 * uniform(), 1.0 + uniform())
    })
}

#[test]
fn intervals_hold_a_planted_effect_and_nought_where_there_is_none() {
    const SEEDS: u64 = 200;
    let covered = |minutes: f64| {
        (0..SEEDS)
            .filter(|seed| {
                let (low, high) = effect(&noisy(*seed, minutes), 5).unwrap().interval.unwrap();
                low <= minutes && minutes <= high
            })
            .count()
    };
    // 95 % of 200 is 190; three standard deviations of that count are 9.
    for minutes in [0.0, 1.5] {
        let covered = covered(minutes);
        assert!((181..=199).contains(&covered), "an effect of {minutes} is in {covered} of {SEEDS} intervals");
    }
}

#[test]
fn an_effect_of_a_minute_and_a_half_is_found() {
    let found = effect(&noisy(1, 1.5), 5).unwrap();
    let (low, high) = found.interval.unwrap();
    assert!(low > 0.0 && (found.change.difference - 1.5).abs() < 0.5, "{low} {high} {:?}", found.change);
    let again = effect(&noisy(1, 1.5), 5).unwrap();
    assert_eq!(again.interval, found.interval, "the same seed gives the same interval");
}
