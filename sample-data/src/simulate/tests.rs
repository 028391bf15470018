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
fn fingerprint(seed: u64, scenario: Scenario) -> (u64, String) {
    let options = Options { staff: 10, weeks: 1, seed, scenario, ..Options::default() };
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
    for scenario in [Scenario::Clean, Scenario::Hard, Scenario::NoReEntry] {
        let here = fingerprint(11, scenario);
        let there = std::thread::spawn(move || fingerprint(11, scenario)).join().unwrap();
        assert_eq!(here, there);
        assert_ne!(here.0, fingerprint(12, scenario).0);
    }
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

/// Every span as it was sent, with the request's clock and time of receipt.
fn sent(scenario: Scenario) -> (usize, Vec<(u64, i64, i64)>) {
    let options = Options { staff: 20, weeks: 1, scenario, ..Options::default() };
    let (mut happened, mut sent) = (0, Vec::new());
    for day in simulate(&Estate::probation(), &options).unwrap() {
        happened += day.spans();
        for export in day.exports() {
            for resource in &export.request.resource_spans {
                for span in &resource.scope_spans[0].spans {
                    let id = u64::from_be_bytes(span.span_id.as_slice().try_into().unwrap());
                    let ended = i64::try_from(span.end_time_unix_nano / 1_000).unwrap();
                    sent.push((id, ended, export.received_at));
                }
            }
        }
    }
    (happened, sent)
}

#[test]
fn hard_sends_with_wrong_clocks_twice_and_late() {
    let (happened, spans) = sent(Scenario::Hard);
    let ids: BTreeSet<u64> = spans.iter().map(|(id, ..)| *id).collect();
    assert_eq!(ids.len(), happened, "nothing is lost for good");
    let twice = (spans.len() - happened) as f64 / happened as f64;
    assert!((0.02..0.09).contains(&twice), "{twice} of the spans are sent twice");
    let off = |least_s: i64| {
        spans.iter().filter(|(_, ended, received)| received - ended > least_s * 1_000_000).count() as f64
            / spans.len() as f64
    };
    assert!((0.005..0.04).contains(&off(600)), "{} are more than ten minutes late", off(600));
    assert!(off(7_200 + 600) == 0.0);
    assert!(spans.iter().any(|(_, ended, received)| ended - received > 120_000_000), "some clocks are ahead");
    let (happened, spans) = sent(Scenario::Clean);
    assert_eq!(spans.len(), happened);
}

#[test]
fn hard_has_the_faults_of_behaviour_and_clean_has_none() {
    let count = |scenario: Scenario| {
        let (mut over_lunch, mut overlapping, mut unknown, mut unnamed, mut tasks) = (0, 0, 0, 0, 0);
        for day in simulate(&Estate::probation(), &small(scenario)).unwrap() {
            for spans in day.interactions() {
                for span in spans {
                    let long = span.ended_at - span.started_at > 900_000_000;
                    over_lunch += usize::from(span.is_keyed() && long);
                    if let (None, Some(task)) = (span.kind, span.task) {
                        tasks += 1;
                        unknown += usize::from(!task.known);
                        unnamed += usize::from(!task.known && !task.named);
                    }
                }
                let mut acts: Vec<_> = spans.iter().filter(|span| span.kind == Some(Kind::Entry)).collect();
                acts.sort_by_key(|span| span.started_at);
                overlapping += spans
                    .iter()
                    .filter(|span| span.kind == Some(Kind::Navigation))
                    .filter(|turn| {
                        let at = acts.partition_point(|entry| entry.started_at <= turn.started_at);
                        at > 0 && acts[at - 1].ended_at > turn.ended_at && acts[at - 1].system != turn.system
                    })
                    .count();
            }
        }
        (over_lunch, overlapping, unknown as f64 / f64::from(tasks), unnamed as f64 / f64::from(tasks))
    };
    let (over_lunch, overlapping, unknown, unnamed) = count(Scenario::Hard);
    assert!(over_lunch > 20 && overlapping > 20, "{over_lunch} over lunch, {overlapping} overlapping");
    assert!((0.17..0.23).contains(&unknown) && (0.07..0.13).contains(&unnamed), "{unknown}, {unnamed}");
    let (over_lunch, overlapping, _, unnamed) = count(Scenario::Clean);
    assert_eq!((over_lunch, overlapping), (0, 0));
    assert_eq!(unnamed, 0.0);
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
    for scenario in [Scenario::Clean, Scenario::Hard, Scenario::NoReEntry] {
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
