use chrono::Days;
use gilbreth_conventions::kind::{Kind, Origin, Outcome, Trigger};
use proptest::prelude::*;

use super::ledger::{Ledger, ledger};
use super::{Category, Seconds};
use crate::estate::{Estate, ScreenId, SystemId};
use crate::interaction::Interaction;
use crate::{Options, Scenario, simulate};

/// An estate's system and one of its screens.
fn at(estate: &Estate, system: &str) -> (SystemId, ScreenId) {
    let found = estate.fields.iter().find(|field| estate.system(field.system).name == system).unwrap();
    (found.system, found.screen)
}

/// A span of a worker; times in seconds.
fn span(place: (SystemId, ScreenId), kind: Kind, from_s: f64, to_s: f64) -> Interaction {
    let micros = |seconds: f64| (seconds * 1e6).round() as i64;
    Interaction {
        trace: 1,
        span: (from_s * 1000.0) as u64 + 1,
        parent: None,
        worker: 0,
        session: 1,
        system: place.0,
        screen: Some(place.1),
        field: None,
        kind: Some(kind),
        trigger: Trigger::User,
        started_at: micros(from_s),
        ended_at: micros(to_s),
        case: None,
        record: None,
        task: None,
        origin: None,
        keystrokes: None,
        corrections: None,
        continues: None,
        value: None,
        outcome: Outcome::Ok,
    }
}

fn cut(day: &[Interaction]) -> Ledger {
    ledger(day, &|_| Category::FirstEntry)
}

#[track_caller]
fn check(day: &[Interaction], expected: &[(Category, f64)]) {
    let mut wanted = Seconds::default();
    for (category, seconds) in expected {
        wanted.add(*category, (seconds * 1e6).round() as i64);
    }
    let cut = cut(day);
    assert_eq!(cut.seconds, wanted);
    assert_eq!(cut.seconds.total_micros(), cut.span_micros);
}

#[test]
fn a_wait_ends_with_the_next_activity_and_tolerates_one_second_of_its_chain() {
    let estate = Estate::probation();
    let place = at(&estate, "ndelius");
    // 0-4 wait, 4.05-6 wait of the same chain, cut at 5 by the view that stands there.
    let day =
        [span(place, Kind::Wait, 0.0, 4.0), span(place, Kind::Wait, 4.05, 6.0), span(place, Kind::View, 5.0, 5.0)];
    // The 50 ms between the two waits are a gap after the first.
    check(&day, &[(Category::Response, 1.0), (Category::Wait, 3.95), (Category::Reading, 0.05)]);
}

#[test]
fn what_failed_is_unavailable_whole() {
    let estate = Estate::probation();
    let place = at(&estate, "ndelius");
    let mut wait = span(place, Kind::Wait, 0.0, 10.0);
    wait.outcome = Outcome::Failed;
    let mut sign_in = span(place, Kind::SignIn, 10.0, 15.0);
    sign_in.outcome = Outcome::Failed;
    let day = [wait, sign_in, span(place, Kind::SignIn, 15.0, 20.0), span(place, Kind::SignIn, 20.0, 28.0)];
    check(&day, &[(Category::Unavailable, 15.0), (Category::SignIn, 5.0), (Category::RepeatSignIn, 8.0)]);
}

#[test]
fn gaps_are_reading_switching_elsewhere_or_away() {
    let estate = Estate::probation();
    let (here, there) = (at(&estate, "ndelius"), at(&estate, "oasys"));
    let day = [
        span(here, Kind::Navigation, 0.0, 1.0),
        span(here, Kind::View, 31.0, 31.0),      // 30 s of reading
        span(there, Kind::View, 51.0, 51.0),     // 15 s of reading, 5 s of switching
        span(there, Kind::Hidden, 61.0, 61.0),   // 10 s of reading
        span(there, Kind::Shown, 121.0, 121.0),  // 60 s elsewhere: no longer than the threshold
        span(there, Kind::Hidden, 122.0, 122.0), // 1 s of reading
        span(here, Kind::View, 190.0, 190.0),    // 68 s away, whole
        span(there, Kind::View, 193.0, 193.0),   // 3 s of switching: all of it
    ];
    check(
        &day,
        &[
            (Category::Navigation, 1.0),
            (Category::Reading, 56.0),
            (Category::Switching, 8.0),
            (Category::Elsewhere, 60.0),
            (Category::Away, 68.0),
        ],
    );
}

#[test]
fn an_entry_is_open_no_longer_than_its_keys_allow_and_beats_what_lies_under_it() {
    let estate = Estate::probation();
    let place = at(&estate, "ndelius");
    let mut entry = span(place, Kind::Entry, 10.0, 400.0);
    entry.keystrokes = Some(20); // open for 60 + 40 s: until 110
    let mut filled = span(place, Kind::Entry, 160.0, 170.0);
    filled.origin = Some(Origin::Prefilled); // an instant: 50 s after the entry closed
    let mut saved = span(place, Kind::Action, 12.0, 500.0);
    saved.trigger = Trigger::System; // nobody's doing
    let day = [span(place, Kind::Search, 0.0, 20.0), entry, filled, saved];
    check(&day, &[(Category::Search, 10.0), (Category::FirstEntry, 100.0), (Category::Reading, 50.0)]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn the_ledger_partitions_every_worker_day(seed in any::<u64>(), which in 0..3_usize) {
        let estate = Estate::probation();
        let scenario = [Scenario::Clean, Scenario::Hard, Scenario::NoReEntry][which];
        let options = Options { staff: 12, weeks: 1, seed, scenario, ..Options::default() };
        for day in simulate(&estate, &options).unwrap() {
            for interactions in day.interactions() {
                let cut = cut(interactions);
                prop_assert_eq!(cut.seconds.total_micros(), cut.span_micros);
                prop_assert!(cut.span_micros < 14 * 3_600 * 1_000_000, "a day of {} microseconds", cut.span_micros);
            }
        }
    }
}

#[test]
fn totals_are_the_rules_over_every_day() {
    let estate = Estate::probation();
    let options = Options { staff: 12, weeks: 2, seed: 5, ..Options::default() };
    let mut simulation = simulate(&estate, &options).unwrap();
    let (mut spans, mut micros) = (0, 0);
    for day in simulation.by_ref() {
        spans += day.spans();
        micros += day.interactions().iter().map(|interactions| cut(interactions).span_micros).sum::<i64>();
        assert!(day.date < options.start.checked_add_days(Days::new(14)).unwrap());
    }
    let truth = simulation.finish();
    assert_eq!(truth.spans, spans);
    assert_eq!(truth.rule.total_micros(), micros);
    let in_list: i64 = truth.re_entries.iter().map(|one| one.micros).sum();
    assert_eq!(truth.rule.micros(Category::ReEntry), in_list);
    for category in Category::ALL {
        let by_system: i64 = truth.by_system.values().map(|seconds| seconds.micros(category)).sum();
        assert_eq!(truth.rule.micros(category), by_system);
    }
    assert_eq!(truth.lost_by_worker.values().sum::<i64>(), truth.rule.lost_micros());
    assert!((12..=24).contains(&truth.person_weeks), "{} person-weeks", truth.person_weeks);
}

#[test]
fn files_say_what_the_truth_says() {
    let estate = Estate::probation();
    let options = Options { staff: 6, weeks: 1, ..Options::default() };
    let mut simulation = simulate(&estate, &options).unwrap();
    simulation.by_ref().for_each(drop);
    let truth = simulation.finish();
    let folder = tempfile::tempdir().unwrap();
    truth.write(&folder.path().join("truth")).unwrap();
    let json = std::fs::read_to_string(folder.path().join("truth/truth.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["scenario"], "clean");
    assert_eq!(json["workers"], 6);
    assert_eq!(json["rule"]["seconds"].as_object().unwrap().len(), 14);
    assert_eq!(json["lived"]["seconds"]["wait"], truth.lived.of(Category::Wait));
    let csv = std::fs::read_to_string(folder.path().join("truth/re_entries.csv")).unwrap();
    assert_eq!(csv.lines().count(), truth.re_entries.len() + 1);
    assert!(csv.lines().all(|line| line.split(',').count() == 12));
    let systems = std::fs::read_to_string(folder.path().join("truth/systems.csv")).unwrap();
    assert_eq!(systems.lines().count(), truth.by_system.len() * 14 + 1);
    let tasks = std::fs::read_to_string(folder.path().join("truth/tasks.csv")).unwrap();
    assert_eq!(tasks.lines().count(), truth.tasks.len() + 1);
    assert!(truth.tasks.values().all(|time| time.instances <= time.systems && time.systems <= time.screens));
    assert!(truth.tasks.values().any(|time| time.switches > time.instances), "some take several systems");
    let effects = std::fs::read_to_string(folder.path().join("truth/effects.csv")).unwrap();
    assert_eq!(effects, "kind,name,organisation,system,date,size,unit\n", "nothing is planted unless asked for");
    let blocked = folder.path().join("truth/truth.json");
    assert!(truth.write(&blocked).unwrap_err().to_string().contains("truth.json"));
}

/// Minutes lost per time of doing a task that comes to a system, the same people and days with and without a change.
fn lost_in(system: &str, effects: bool) -> (f64, Vec<super::Effect>) {
    let estate = Estate::probation();
    let options = Options { staff: 40, weeks: 2, seed: 8, effects, ..Options::default() };
    let mut simulation = simulate(&estate, &options).unwrap();
    let mut waits = 0;
    for day in simulation.by_ref() {
        for span in day.interactions().iter().flatten() {
            if span.kind == Some(Kind::Wait) && estate.system(span.system).name == system && span.case.is_some() {
                waits += span.ended_at - span.started_at;
            }
        }
    }
    (waits as f64 / 6e7, simulation.finish().effects())
}

#[test]
fn a_planted_release_adds_what_it_says_and_one_without_effect_adds_nothing() {
    let (before, none) = lost_in("oasys", false);
    let (after, planted) = lost_in("oasys", true);
    assert!(none.is_empty());
    let sizes: Vec<f64> = planted.iter().filter(|one| one.kind == "release").map(|one| one.size).collect();
    assert_eq!(sizes, [25.0 / 60.0, 0.0]);
    assert!(after > before * 1.02, "{before} minutes, then {after}");
    assert_eq!(planted.iter().filter(|one| one.kind == "go_live").count(), 6);
}
