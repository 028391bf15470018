//! Ten cases over four real case systems: what a worker did, by their own log, and what the platform makes of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Stdio},
};

use gilbreth_conventions::kind::{Kind, Outcome, Trigger};
use gilbreth_sample_data::{
    Estate,
    interaction::Interaction,
    truth::{self, Category, Seconds},
};
use gilbreth_tests::program::{Program, text};
use serde::Deserialize;

use crate::Browser;

/// How far a wait may be from what the browser itself measured: the frame after the answer is drawn in it.
const WAIT_OFF_MS: f64 = 50.0;
/// How far hours may be from the worker's clock.
const HOURS_OFF: f64 = 0.02;
/// Less than this is made up by single milliseconds of many clicks.
const SECONDS_OFF: f64 = 0.5;
/// Waits so near to each other are one (the method's chain of waits).
const CHAIN_MS: f64 = 100.0;

/// A line of the worker's log.
#[derive(Debug, Clone, Deserialize)]
struct Done {
    kind: String,
    system: String,
    start: f64,
    end: f64,
    #[serde(default)]
    screen: String,
    #[serde(default)]
    field: String,
    #[serde(default)]
    keys: u32,
    #[serde(default)]
    corrections: u32,
    #[serde(default)]
    is: String,
    #[serde(default)]
    outcome: String,
}

/// `gilbreth demo --live`, killed when dropped.
struct Live {
    child: Child,
    /// What it says where: `ndelius` and the others, `desk`, `dashboards`.
    at: BTreeMap<String, String>,
}

impl Live {
    fn start(program: &Program, out: &Path) -> Self {
        let mut command = program.command();
        command.args(["demo", "--live", "--out"]).arg(out).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut at = BTreeMap::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            let (name, url) = line.rsplit_once(' ').unwrap();
            let name = if name.starts_with("begin") { "desk" } else { name.trim() };
            at.insert(name.to_owned(), url.trim_end_matches('/').to_owned());
            if name == "dashboards" {
                break;
            }
        }
        Self { child, at }
    }

    fn stop(mut self) {
        let id = self.child.id().to_string();
        assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

fn rows(program: &Program, store: &Path, sql: &str) -> Vec<Vec<String>> {
    let csv = program.succeed(["sql", "--store", &store.to_string_lossy(), "--format", "csv", sql]);
    csv.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

#[test]
fn what_a_worker_did_in_four_real_systems_is_what_is_measured() {
    let Some(browser) = Browser::find() else { return };
    let folder = tempfile::tempdir().unwrap();
    let program = crate::program();
    let out = folder.path().join("demo");
    let live = Live::start(&program, &out);
    let log = folder.path().join("log");
    let mut work = browser.script("worker.py");
    work.arg(&log).args(live.at.iter().map(|(name, url)| format!("{name}={url}")));
    let output = work.output().unwrap();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    live.stop();

    let done: Vec<Done> = std::fs::read_to_string(&log)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let store = out.join("store");
    re_entries_are_those_and_no_others(&program, &store);
    keys_are_those(&program, &store, &done);
    waits_are_those(&program, &store, &done);
    lost_work_is_that(&program, &store, &done);
    hours_are_those(&program, &store, &done);
    spans_of_the_servers_are_below_the_waits(&program, &store);
}

fn re_entries_are_those_and_no_others(program: &Program, store: &Path) {
    let found = rows(
        program,
        store,
        "SELECT from_system, from_screen, from_field, to_system, to_screen, to_field, n, m, cases FROM re_entry_hotspots \
         WHERE verdict = 'established' ORDER BY to_system, to_screen, to_field",
    );
    let found: Vec<String> = found.into_iter().map(|row| row.join(" > ")).collect();
    let person = "ndelius > Personal details";
    let event = "ndelius > Event";
    let mut expected = [
        format!("{person} > Surname > oasys > Case identification > Family name"),
        format!("{person} > Forename > oasys > Case identification > Given name"),
        format!("{person} > Date of birth > oasys > Case identification > Date of birth"),
        format!("{person} > PNC number > oasys > Case identification > PNC"),
        format!("{event} > Sentence date > cas > Allocate the case > Date of sentence"),
        format!("{event} > Court reference > cas > Allocate the case > Court reference"),
        "oasys > Risk of serious recidivism > RSR score > cas > Allocate the case > Risk score".to_owned(),
        "cas > Allocate the case > Allocation reference > crc-a > Referral > Allocation ref".to_owned(),
        format!("{person} > Address > crc-a > Referral > Street"),
        format!("{person} > Address > crc-a > Referral > Town"),
        format!("{person} > Postcode > crc-a > Referral > Postcode"),
        format!("{person} > Telephone > crc-a > Referral > Contact telephone"),
    ]
    .map(|pair| format!("{pair} > 10 > 10 > 10"));
    expected.sort_by_key(|pair| pair.split(" > ").skip(3).map(str::to_owned).collect::<Vec<_>>());
    assert_eq!(found, expected);
}

fn keys_are_those(program: &Program, store: &Path, done: &[Done]) {
    let found = rows(
        program,
        store,
        "SELECT kind, system, CASE WHEN kind = 'search' THEN '' ELSE screen END, CASE WHEN kind = 'search' THEN '' ELSE field END, \
         coalesce(keystrokes, 0), coalesce(corrections, 0) FROM spans WHERE kind IN ('entry', 'choice', 'search') ORDER BY started_at",
    );
    let expected: Vec<Vec<String>> = done
        .iter()
        .filter(|one| ["entry", "choice", "search"].contains(&one.kind.as_str()))
        .map(|one| {
            let (keys, corrections) = (one.keys.to_string(), one.corrections.to_string());
            [&one.kind, &one.system, &one.screen, &one.field, &keys, &corrections].map(Clone::clone).to_vec()
        })
        .collect();
    for (at, (found, expected)) in found.iter().zip(&expected).enumerate() {
        assert_eq!(found, expected, "the {at}th of what was keyed");
    }
    assert_eq!(found.len(), expected.len());
}

/// Waits by system, in order, with those of a chain joined: start and length in milliseconds.
fn chains(waits: impl Iterator<Item = (String, f64, f64)>) -> BTreeMap<String, Vec<(f64, f64)>> {
    let mut by_system: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
    for (system, start, end) in waits {
        let chains = by_system.entry(system).or_default();
        match chains.last_mut() {
            Some((from, to)) if start <= *to + CHAIN_MS && start >= *from => *to = to.max(end),
            _ => chains.push((start, end)),
        }
    }
    by_system
}

fn waits_are_those(program: &Program, store: &Path, done: &[Done]) {
    let found = rows(
        program,
        store,
        "SELECT system, arrow_cast(started_at, 'Int64') / 1000.0, arrow_cast(ended_at, 'Int64') / 1000.0 FROM spans \
         WHERE kind = 'wait' ORDER BY started_at",
    );
    let number = |text: &String| text.parse::<f64>().unwrap();
    let found = chains(found.iter().map(|row| (row[0].clone(), number(&row[1]), number(&row[2]))));
    let waits = done.iter().filter(|one| one.kind == "wait");
    let expected = chains(waits.map(|one| (one.system.clone(), one.start, one.end)));
    let mut worst = (0.0_f64, 0.0_f64);
    for (system, expected) in &expected {
        let found = &found[system];
        for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
            let begun = (found.0 - expected.0).abs();
            let off = ((found.1 - found.0) - (expected.1 - expected.0)).abs();
            worst = (worst.0.max(off), worst.1.max(begun));
            assert!(
                off <= WAIT_OFF_MS && begun <= WAIT_OFF_MS,
                "wait {at} in {system} took {:.0} ms and was measured as {:.0}, begun {:.0} ms later",
                expected.1 - expected.0,
                found.1 - found.0,
                found.0 - expected.0
            );
        }
        assert_eq!(found.len(), expected.len(), "{system}");
    }
    eprintln!("waits: {:.1} ms off at most, begun {:.1} ms off", worst.0, worst.1);
}

fn lost_work_is_that(program: &Program, store: &Path, done: &[Done]) {
    let outcomes = rows(program, store, "SELECT system, kind FROM spans WHERE outcome = 'lost'");
    assert_eq!(outcomes, [["oasys", "wait"]]);
    let found = rows(
        program,
        store,
        "SELECT DISTINCT rework_cause, system, screen, field FROM time_ledger WHERE rework_cause IS NOT NULL",
    );
    let found: BTreeSet<String> = found.into_iter().map(|row| row.join(" > ")).collect();
    let expected: BTreeSet<String> = done
        .iter()
        .filter(|one| one.is == "rework")
        .map(|one| {
            let cause = if one.system == "oasys" { "lost_work" } else { "correction" };
            format!("{cause} > {} > {} > {}", one.system, one.screen, one.field)
        })
        .collect();
    assert_eq!(found, expected);
}

fn hours_are_those(program: &Program, store: &Path, done: &[Done]) {
    let found = rows(program, store, "SELECT category, sum(seconds) FROM time_ledger GROUP BY category");
    let found: BTreeMap<String, f64> = found.into_iter().map(|row| (row[0].clone(), row[1].parse().unwrap())).collect();
    let mut expected = Seconds::default();
    for of_system in truth::cut(&interactions(done), &|span| category(done, span)).values() {
        for category in Category::ALL {
            expected.add(category, of_system.micros(category));
        }
    }
    let lost = |of: &dyn Fn(Category) -> f64| -> f64 {
        Category::ALL.into_iter().filter(|one| one.group() == "lost").map(of).sum()
    };
    let of = |category: Category| found.get(category.as_str()).copied().unwrap_or(0.0);
    for category in Category::ALL {
        eprintln!(
            "{:<15} {:8.2} s by the worker's clock, {:8.2} measured",
            category.as_str(),
            expected.of(category),
            of(category)
        );
    }
    for category in Category::ALL {
        let off = (of(category) - expected.of(category)).abs();
        assert!(off <= (HOURS_OFF * expected.of(category)).max(SECONDS_OFF), "{}: {off:.2} s off", category.as_str());
    }
    let (lost_found, lost_expected) = (lost(&of), lost(&|category| expected.of(category)));
    assert!(
        (lost_found - lost_expected).abs() <= HOURS_OFF * lost_expected,
        "{lost_found:.2} s lost, {lost_expected:.2}"
    );
    let (all_found, all_expected) = (found.values().sum::<f64>(), expected.total_micros() as f64 / 1e6);
    assert!((all_found - all_expected).abs() <= HOURS_OFF * all_expected, "{all_found:.2} s in all, {all_expected:.2}");
}

fn category(done: &[Done], span: &Interaction) -> Category {
    match done[usize::try_from(span.span).unwrap()].is.as_str() {
        "re_entry" => Category::ReEntry,
        "rework" => Category::Rework,
        "first_entry" => Category::FirstEntry,
        other => panic!("'{other}' is no kind of entry"),
    }
}

/// The log as the rules take it: its lines are the ids.
fn interactions(done: &[Done]) -> Vec<Interaction> {
    let estate = Estate::probation();
    let one = |(at, one): (usize, &Done)| Interaction {
        trace: 0,
        span: at as u64,
        parent: None,
        worker: 0,
        session: 0,
        system: estate.system_named(&one.system).unwrap(),
        screen: None,
        field: None,
        kind: Kind::parse(&one.kind),
        trigger: Trigger::User,
        started_at: (one.start * 1_000.0) as i64,
        ended_at: (one.end * 1_000.0) as i64,
        case: None,
        record: None,
        task: None,
        origin: None,
        keystrokes: ["entry", "choice", "search"].contains(&one.kind.as_str()).then_some(one.keys),
        corrections: None,
        continues: None,
        value: None,
        outcome: if one.outcome == "failed" { Outcome::Failed } else { Outcome::Ok },
    };
    done.iter().enumerate().map(one).collect()
}

fn spans_of_the_servers_are_below_the_waits(program: &Program, store: &Path) {
    let found = rows(
        program,
        store,
        "SELECT w.system, count(DISTINCT w.span_id) > 0, count(DISTINCT s.name) > 1 FROM spans w JOIN spans s \
         ON s.trace_id = w.trace_id AND s.parent_span_id = w.span_id AND s.system = w.system AND s.kind IS NULL \
         WHERE w.kind = 'wait' GROUP BY w.system ORDER BY w.system",
    );
    // Pages that are asked for by their address carry no trace.
    assert_eq!(found, [["cas", "true", "true"], ["oasys", "true", "true"]]);
}
