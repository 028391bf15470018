//! Facts that go on from what the last refresh left, against facts worked out in one go.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
    sync::Arc,
};

use arrow::{
    array::{AsArray, RecordBatch},
    datatypes::Date32Type,
};
use datafusion::{
    catalog::MemTable,
    prelude::{SessionConfig, SessionContext},
};
use gilbreth_collector::{
    schema::{INTAKE, SPANS, SPANS_SCHEMA},
    store::Writer,
};
use rand::{
    RngExt, SeedableRng,
    seq::{IndexedRandom, SliceRandom},
};
use rand_chacha::ChaCha8Rng;

use super::{
    super::{
        Extent, Keeping, compute,
        kept::{Kept, Mark},
        writing::{in_order, one},
    },
    estate::{self, S, Span, batch},
    everything, facts_by,
    memory::Memory,
    pins,
};
use crate::{parameters::Parameters, reference::tables::TASKS, refresh, scope::Scope, tables};

const DAY: i64 = 86_400 * S;

/// An estate of some weeks in which everything happens, now and then over midnight and between days.
fn weeks(seed: u64, days: i64, a_day: u64) -> Vec<Span> {
    let mut random = ChaCha8Rng::seed_from_u64(9_000 + seed);
    let mut spans = estate::busy(seed, days as u64 * a_day);
    let mut entries: Vec<Span> = Vec::new();
    for (place, span) in spans.iter_mut().enumerate() {
        let day = place as i64 / a_day as i64;
        let length = span.end - span.start;
        // Most of the work is done in a working day, some towards midnight.
        let second = if random.random_bool(0.03) { 53_000 } else { random.random_range(0..28_000) };
        span.start = day * DAY + second * S + random.random_range(0..60) * S;
        span.end = span.start + if random.random_bool(0.01) { 10 * 3_600 * S } else { length };
        span.trace = if random.random_bool(0.9) { 1_000 * day as u64 + span.trace } else { span.trace };
        // Cases live for some days.
        span.cases = vec![(day as u32 * 2 + random.random_range(0..14)) % 40];
        if random.random_bool(0.05) {
            span.cases.clear();
        }
        if random.random_bool(0.01) {
            span.cases.push(100 + random.random_range(0..9));
        }
        span.instance = random.random_bool(0.4).then(|| random.random_range(0..6) + day as u64 * 3);
        span.root = random.random_bool(0.05);
        span.task = random.random_bool(0.3).then(|| if random.random_bool(0.5) { "report" } else { "allocation" });
        if random.random_bool(0.02) {
            span.kind = None;
        }
        let (one, other) = (random.random_range(0..20), random.random_range(0..20));
        // Names are made up of parts, others are not; in some estates anything may be in any field, so that kinds of match
        // become possible late.
        let field = if seed % 5 == 4 { ["sex", "surname", "name"].choose(&mut random).copied() } else { span.field };
        span.value = random.random_bool(0.9).then(|| match field {
            Some("sex") => (one % 2, vec![]),
            Some("surname") => (one, vec![]),
            _ => (100 + one * 20 + other, vec![one, other]),
        });
        span.continues = random.random_bool(0.05).then(|| (place as u64).saturating_sub(random.random_range(0..60)));
        // Some entries do go on where another ended, be it the day before. Many of them tie all days together.
        let chained = [0.03, 0.15][seed as usize % 2];
        if let (Some("entry" | "choice"), true) = (span.kind, random.random_bool(chained)) {
            let before = entries.iter().rev().take(if random.random_bool(0.1) { 40 } else { 6 });
            if let Some(before) = before.collect::<Vec<_>>().choose(&mut random) {
                let before: &Span = before;
                span.continues = Some(before.span);
                (span.system, span.screen, span.field) = (before.system, before.screen, before.field);
                (span.worker, span.task, span.instance) = (before.worker, before.task, before.instance);
                span.cases.clone_from(&before.cases);
            }
        }
        if matches!(span.kind, Some("entry" | "choice")) {
            entries.push(span.clone());
        }
        // A session is off by what its worst export was late.
        span.offset = if random.random_bool(0.2) { (span.worker as i64 + 1) * 40 * S } else { 0 };
    }
    spans
}

/// When each span arrives: most with their day, some late.
fn arrivals(spans: &[Span], seed: u64, late: f64) -> BTreeMap<i64, Vec<Span>> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut arrivals: BTreeMap<i64, Vec<Span>> = BTreeMap::new();
    for span in spans {
        let day = span.start.div_euclid(DAY);
        let after = if random.random_bool(late) { random.random_range(0..6) } else { 0 };
        arrivals.entry(day + after).or_default().push(span.clone());
        if random.random_bool(0.02) {
            // Sent twice.
            arrivals.entry(day + after + 1).or_default().push(span.clone());
        }
    }
    arrivals
}

/// Tells what came for each UTC day from anything else.
fn files(spans: &[Span]) -> BTreeMap<i32, u64> {
    let rows = batch(spans);
    let days = rows.column_by_name("day").unwrap().as_primitive::<Date32Type>();
    let mut files: BTreeMap<i32, u64> = BTreeMap::new();
    for (day, span) in days.values().iter().zip(spans) {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(format!("{span:?}"));
        let files = files.entry(*day).or_default();
        *files = files.wrapping_add(hash);
    }
    files
}

fn mark(number: u64) -> Mark {
    let tables = BTreeMap::from([("spans".to_owned(), number)]);
    Mark { tables, parameters: serde_json::Value::Null, facts_hash: String::new() }
}

const RULES: &str = "SELECT * FROM (VALUES
    ('transfer', 'start', 'navigation', 'a', 'person'), ('transfer', 'end', 'action', 'a', 'plan'),
    (NULL, 'completes', 'hidden', 'b', 'plan')
) AS t (task, edge, kind, system, screen)";

/// A store in memory that is refreshed now and then.
struct Refreshed {
    root: tempfile::TempDir,
    memory: Memory,
    number: u64,
}

impl Refreshed {
    async fn refresh(&mut self, spans: &[Span], partitions: usize) -> Extent {
        let config = SessionConfig::new().with_target_partitions(partitions).with_batch_size(64);
        let context = SessionContext::new_with_config(config);
        let all: Vec<RecordBatch> = spans.chunks(97).map(batch).collect();
        let table = MemTable::try_new(SPANS_SCHEMA.clone(), vec![all]).unwrap();
        context.register_table(SPANS.name, Arc::new(table)).unwrap();
        let rules = context.sql(RULES).await.unwrap().collect().await.unwrap();
        context.register_batch(TASKS.name, super::as_table(&TASKS, &rules[0])).unwrap();
        let kept = Arc::new(Kept::of(self.root.path(), (self.number > 0).then(|| mark(self.number)).as_ref()));
        for table in tables::FACTS.iter().filter(|_| !kept.is_empty()) {
            context.register_table(table.name, self.memory.table(table)).unwrap();
        }
        let leaving = Arc::new(kept.begin().unwrap());
        let keeping = Keeping { kept: &kept, leaving: &leaving, files: files(spans), share_max: 1.0 };
        let zone = chrono_tz::Europe::London;
        let extent = compute(&context, &Parameters::default(), zone, Some(&keeping), &mut self.memory).await.unwrap();
        self.number += 1;
        Arc::into_inner(leaving).unwrap().finish(mark(self.number)).unwrap();
        extent
    }
}

async fn in_steps_as_at_once(seed: u64, late: f64) -> [usize; 2] {
    let spans = weeks(seed, 12, 60);
    let mut store = Refreshed { root: tempfile::tempdir().unwrap(), memory: Memory::default(), number: 0 };
    let mut arrived: Vec<Span> = Vec::new();
    let [mut in_part, mut steps] = [0, 0];
    // What comes in the first days is one step: a kind of match that becomes possible makes everything be worked out.
    let mut arrivals = arrivals(&spans, seed, late);
    let first: Vec<Span> = (0..5).flat_map(|day| arrivals.remove(&day).unwrap_or_default()).collect();
    arrivals.insert(0, first);
    for (day, mut more) in arrivals {
        more.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        arrived.extend(more);
        let extent = store.refresh(&arrived, 1 + seed as usize % 3).await;
        steps += 1;
        in_part += usize::from(matches!(extent, Extent::Days(_)));
        let all = facts_by(&Parameters::default(), vec![batch(&arrived)], 2, &[(&TASKS, RULES)]).await;
        let (got, expected) = (everything(&store.memory).await, everything(&all).await);
        for table in tables::FACTS {
            let (got, expected) = (&got[table.name], &expected[table.name]);
            let only = |one: &[String], other: &[String]| -> Vec<String> {
                one.iter().filter(|row| !other.contains(row)).take(5).cloned().collect()
            };
            assert!(
                got == expected,
                "{} after day {day}, seed {seed}, {extent:?}: {} rows, {} expected\nonly in steps: {:#?}\nonly at once: {:#?}",
                table.name,
                got.len(),
                expected.len(),
                only(got, expected),
                only(expected, got)
            );
        }
    }
    [in_part, steps]
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_that_go_on_from_the_last_ones_are_those_worked_out_at_once() {
    let seeds = std::env::var("GILBRETH_REFRESH_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(6);
    let ([mut in_part, mut steps], mut by_seed) = ([0, 0], Vec::new());
    for seed in 0..seeds {
        let late = [0.0, 0.02, 0.3][seed as usize % 3];
        let [some, all] = in_steps_as_at_once(seed, late).await;
        by_seed.push([some, all]);
        (in_part, steps) = (in_part + some, steps + all);
    }
    assert!(in_part * 2 > steps, "{in_part} of {steps} refreshes went on from the last: {by_seed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_new_is_nothing_to_work_out() {
    let spans = weeks(3, 4, 40);
    let mut store = Refreshed { root: tempfile::tempdir().unwrap(), memory: Memory::default(), number: 0 };
    assert_eq!(store.refresh(&spans, 2).await, Extent::Everything);
    let before = everything(&store.memory).await;
    assert_eq!(store.refresh(&spans, 2).await, Extent::Nothing);
    assert_eq!(store.refresh(&spans, 2).await, Extent::Nothing, "what was left was handed on");
    assert_eq!(everything(&store.memory).await, before);
    // A file of any kind that was damaged makes everything be worked out; then all is as it was.
    let mut more = spans.clone();
    for (number, kind) in ["day-", "trials-", "outcomes-", "pieces-", "estate", "days."].into_iter().enumerate() {
        let folder = store.root.path().join("refresh");
        for path in std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.file_name().unwrap().to_str().unwrap().starts_with(kind) {
                std::fs::write(path, b"no").unwrap();
            }
        }
        more.push(Span { span: 90_000 + number as u64, ..more[0].clone() });
        assert_eq!(store.refresh(&more, 2).await, Extent::Everything, "{kind}");
        assert_eq!(store.refresh(&more, 2).await, Extent::Nothing, "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_takes_the_place_of_a_span_is_not_what_was_there() {
    let mut spans = weeks(2, 4, 40);
    let mut store = Refreshed { root: tempfile::tempdir().unwrap(), memory: Memory::default(), number: 0 };
    assert_eq!(store.refresh(&spans, 2).await, Extent::Everything);
    // Sent once more, with another value and a second later; the first is gone.
    let span = spans.iter_mut().find(|span| matches!(span.kind, Some("entry")) && span.value.is_some()).unwrap();
    span.value = Some((77_777, vec![]));
    span.offset += S;
    assert_ne!(store.refresh(&spans, 2).await, Extent::Nothing);
    let all = facts_by(&Parameters::default(), vec![batch(&spans)], 2, &[(&TASKS, RULES)]).await;
    assert_eq!(everything(&store.memory).await, everything(&all).await);
}

/// Adds a day's spans to a store, and some that came late for the day before.
async fn one_more_day(writer: &Writer, spans: &[Span], day: i64) {
    let of = |day: i64| spans.iter().filter(move |span| span.start.div_euclid(DAY) == day);
    let late = of(day - 1).filter(|span| span.span % 7 == 0).cloned();
    for (place, rows) in [(day - 1, of(day - 1).cloned().collect::<Vec<_>>()), (day, of(day).cloned().collect())] {
        // What is late for a day comes with the next: until then the day lacks it.
        let rows: Vec<Span> = if place == day {
            rows.into_iter().filter(|span| span.span % 7 != 0).collect()
        } else {
            rows.into_iter().filter(|span| span.span % 7 != 0).chain(late.clone()).collect()
        };
        let rows = batch(&rows);
        let days = rows.column_by_name("day").unwrap().as_primitive::<Date32Type>().values().iter().copied().collect();
        let rows = in_order(&SPANS, &[rows]).unwrap();
        writer.replace_days(&SPANS, &days, vec![one(&SPANS, rows)]).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_goes_on_day_by_day_is_one_worked_out_at_once_whatever_was_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let writer = pins::store(folder.path());
    let mut spans = weeks(2, 14, 50);
    // Chains, traces with roots, sessions over all days and cases that become one tie the days of so small an estate
    // together.
    for span in &mut spans {
        (span.continues, span.root, span.offset, span.task) = (None, false, 0, span.task.map(|_| "report"));
        span.cases.truncate(1);
    }
    // A case becomes known by another number, too.
    spans.iter_mut().rfind(|span| !span.cases.is_empty()).unwrap().cases.push(700);
    let first: Vec<Span> = spans.iter().filter(|span| span.start < 9 * DAY && span.span % 7 != 0).cloned().collect();
    pins::put(&writer, &SPANS, vec![batch(&first)]).await;
    pins::put(&writer, &INTAKE, vec![]).await;
    let parameters = Parameters::default();
    assert_eq!(refresh::run(&writer, &parameters, false).await.unwrap().extent, Extent::Everything);
    let facts = async |writer: &Writer| {
        let mut rows = pins::rows(&pins::open(writer.store().root(), &Scope::default()).await).await;
        rows.retain(|table, _| tables::FACTS.iter().any(|fact| fact.name == *table));
        rows
    };
    let mut in_part = 0;
    for day in 9..14 {
        one_more_day(&writer, &spans, day).await;
        if day == 11 {
            // A refresh that was given up half-way has written some tables.
            let known = writer.store().snapshot(&tables::MATCH_LISTS).await.unwrap().unwrap();
            let context = SessionContext::new();
            let lists = context.read_table(known.provider).unwrap().collect().await.unwrap();
            let lists = one(&tables::MATCH_LISTS, in_order(&tables::MATCH_LISTS, &lists).unwrap());
            writer.replace_days(&tables::MATCH_LISTS, &BTreeSet::new(), vec![lists]).await.unwrap();
        }
        let extent = refresh::run(&writer, &parameters, false).await.unwrap().extent;
        in_part += usize::from(matches!(extent, Extent::Days(_)));
        assert!(day != 11 || extent == Extent::Everything, "nothing goes on from what was given up");
        let got = facts(&writer).await;
        assert_eq!(refresh::run(&writer, &parameters, true).await.unwrap().extent, Extent::Everything);
        for (table, expected) in facts(&writer).await {
            assert!(got[table] == expected, "{table} after day {day}, {extent:?}");
        }
    }
    assert!(in_part > 2, "{in_part} refreshes went on from what was left");
}
