use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::hash::Hasher;

use gilbreth_conventions::kind::{Kind, Origin, Outcome, Trigger};
use prost::Message;

use super::simulate;
use crate::estate::{Estate, Holds};
use crate::otlp::spans_of;
use crate::truth::{Category, Truth};
use crate::{Options, Scenario};

fn run(options: &Options) -> Truth {
    let mut simulation = simulate(&Estate::probation(), options).unwrap();
    simulation.by_ref().for_each(drop);
    simulation.finish()
}

fn small(scenario: Scenario) -> Options {
    Options { staff: 40, weeks: 2, seed: 3, scenario, ..Options::default() }
}

/// A hash of every byte that is sent, and of the truth.
fn fingerprint(seed: u64) -> (u64, String) {
    let options = Options { staff: 10, weeks: 1, seed, ..Options::default() };
    let mut simulation = simulate(&Estate::probation(), &options).unwrap();
    let mut hasher = DefaultHasher::new();
    for day in simulation.by_ref() {
        for body in day.exports().bodies(100_000) {
            hasher.write(&body.bytes);
        }
    }
    (hasher.finish(), format!("{:?}", simulation.finish()))
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let here = fingerprint(11);
    let there = std::thread::spawn(|| fingerprint(11)).join().unwrap();
    assert_eq!(here, there);
    assert_ne!(here.0, fingerprint(12).0);
}

#[test]
fn a_worker_s_days_do_not_hang_on_how_many_others_there_are_of_other_purposes() {
    let longer = Options { weeks: 2, ..Options { staff: 10, weeks: 1, seed: 4, ..Options::default() } };
    let shorter = Options { weeks: 1, ..longer.clone() };
    let estate = Estate::probation();
    let spans = |options: &Options| -> Vec<usize> {
        simulate(&estate, options).unwrap().take(5).map(|day| day.spans()).collect()
    };
    assert_eq!(spans(&longer), spans(&shorter));
}

#[test]
fn exports_hold_every_span_once_in_order_of_receipt() {
    let options = Options { staff: 10, weeks: 1, ..Options::default() };
    for day in simulate(&Estate::probation(), &options).unwrap() {
        let mut last = i64::MIN;
        let mut ids = BTreeSet::new();
        for export in day.exports() {
            assert!(export.received_at >= last);
            last = export.received_at;
            assert!(spans_of(&export.request) > 0);
            for resource in &export.request.resource_spans {
                for span in &resource.scope_spans[0].spans {
                    assert!(ids.insert((span.trace_id.clone(), span.span_id.clone())));
                    assert!(span.start_time_unix_nano <= span.end_time_unix_nano);
                    assert!(i64::try_from(span.end_time_unix_nano).unwrap() <= export.received_at * 1_000);
                }
            }
        }
        assert_eq!(ids.len(), day.spans());
        let decode = |bytes: &[u8]| {
            opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest::decode(bytes).unwrap()
        };
        let in_bodies: usize = day.exports().bodies(50_000).map(|body| spans_of(&decode(&body.bytes))).sum();
        assert_eq!(in_bodies, day.spans());
    }
}

#[test]
fn every_kind_origin_and_outcome_comes_up() {
    let (mut kinds, mut origins, mut outcomes) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let (mut by_the_system, mut continued, mut technical) = (0, 0, 0);
    for day in simulate(&Estate::probation(), &small(Scenario::Clean)).unwrap() {
        for span in day.interactions().iter().flatten() {
            kinds.extend(span.kind);
            origins.extend(span.origin);
            outcomes.insert(span.outcome);
            by_the_system += usize::from(span.trigger == Trigger::System);
            continued += usize::from(span.continues.is_some());
            technical += usize::from(span.kind.is_none());
        }
    }
    assert_eq!(kinds, Kind::ALL.into_iter().filter(|kind| *kind != Kind::Other).collect());
    assert_eq!(origins, [Origin::Pasted, Origin::Selected, Origin::Prefilled, Origin::Autofilled].into());
    assert_eq!(outcomes, [Outcome::Ok, Outcome::Rejected, Outcome::Failed, Outcome::Lost].into());
    assert!(by_the_system > 100 && continued > 100 && technical > 100);
}

/// Pairs of different screens into which the same value that agrees by nature was keyed for one case, by what it is.
fn decoys(scenario: Scenario) -> BTreeMap<String, usize> {
    let estate = Estate::probation();
    let mut keyed: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for day in simulate(&estate, &small(scenario)).unwrap() {
        for span in day.interactions().iter().flatten().filter(|span| span.is_keyed()) {
            let (Some(case), Some(field), Some(value)) = (span.case, span.field, &span.value) else { continue };
            if let Holds::Value(maker) = &estate.field(field).holds
                && maker.agrees_by_nature()
            {
                assert!(value.edition.is_none(), "what agrees by nature is no fact");
                let what = format!("{maker:?}");
                keyed.entry((what, case, value.text.clone())).or_default().insert(span.screen);
            }
        }
    }
    let mut pairs = BTreeMap::new();
    for ((what, _, _), screens) in keyed {
        *pairs.entry(what).or_insert(0) += screens.len() - 1;
    }
    pairs
}

#[test]
fn every_scenario_has_every_decoy() {
    for scenario in [Scenario::Clean, Scenario::NoReEntry] {
        let pairs = decoys(scenario);
        for what in ["YesNo", "Constant(\"England\")", "Today", "OwnName", "OwnOffice"] {
            let found = pairs.get(what).copied().unwrap_or(0);
            assert!(found >= 10, "{what} agrees only {found} times in {}", scenario.as_str());
        }
    }
}

#[test]
fn re_entries_are_of_pairs_that_are_seen_often_enough_to_be_judged() {
    let truth = run(&small(Scenario::Clean));
    let mut cases = BTreeMap::new();
    for one in &truth.re_entries {
        let most = cases.entry((one.from, one.to)).or_insert(0);
        *most = one.pair_cases.max(*most);
    }
    let all = truth.re_entries.len();
    let judged = truth.re_entries.iter().filter(|one| cases[&(one.from, one.to)] >= 10).count();
    assert!(all > 2_000, "{all} re-entries");
    assert!(judged * 100 >= all * 98, "{judged} of {all} are of pairs with ten cases or more");
}

#[test]
fn nobody_keys_anything_again_where_systems_share() {
    let truth = run(&small(Scenario::NoReEntry));
    let re_entered = truth.rule.of(Category::ReEntry);
    assert!(re_entered <= 0.001 * truth.entry_seconds(), "{re_entered} s of {} s", truth.entry_seconds());
    assert_eq!(truth.lived.of(Category::ReEntry), 0.0);
    assert!(truth.entry_seconds() > 100_000.0);
}

#[test]
fn summary() {
    let truth = run(&small(Scenario::Clean));
    let mut text =
        format!("{} spans, {} person-weeks, {} re-entries\n", truth.spans, truth.person_weeks, truth.re_entries.len());
    for category in Category::ALL {
        let per_week = |seconds: f64| seconds / 3_600.0 / truth.person_weeks as f64;
        let (rule, lived) = (per_week(truth.rule.of(category)), per_week(truth.lived.of(category)));
        writeln!(text, "{:15} {rule:6.2} {lived:6.2}", category.as_str()).unwrap();
    }
    insta::assert_snapshot!(text);
}
