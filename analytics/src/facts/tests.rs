//! Spans in, facts out: the whole way through SQL and operators, in memory.

mod estate;
mod incremental;
mod memory;
mod pins;
mod sensitivity;
mod slt;
mod specification;

use std::{collections::BTreeMap, sync::Arc};

use arrow::array::RecordBatch;
use datafusion::{
    catalog::MemTable,
    dataframe::DataFrame,
    error::Result,
    prelude::{SessionConfig, SessionContext},
    scalar::ScalarValue,
};
use gilbreth_collector::schema::{SPANS, SPANS_SCHEMA, Table};
use rand::{SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

use crate::{
    parameters::Parameters,
    reference::tables::{DIRECTORY, HOLIDAYS, TASKS},
    tables,
};
use estate::{S, Span, batch};
use memory::Memory;

impl super::Facts<'_> {
    /// A query with the parameters that it names bound.
    pub(crate) async fn query(&self, text: &str) -> Result<DataFrame> {
        let parameters = [
            ("activity_max_us", self.parameters.activity_max_h * 3600.0),
            ("clock_tolerance_us", self.parameters.clock_tolerance_s),
            ("clock_replay_us", self.parameters.clock_replay_h * 3600.0),
            ("idle_us", self.parameters.idle_threshold_s),
            ("switch_us", self.parameters.switch_s),
        ];
        let named: Vec<(&str, ScalarValue)> = parameters
            .into_iter()
            .filter(|(name, _)| text.contains(&format!("${name}")))
            .map(|(name, seconds)| (name, ScalarValue::Int64(Some(super::microseconds(seconds)))))
            .collect();
        let query = self.context.sql(text).await?;
        if named.is_empty() { Ok(query) } else { query.with_param_values(named) }
    }
}

/// The facts of spans that come in these batches.
async fn facts(batches: Vec<RecordBatch>, partitions: usize) -> Memory {
    facts_by(&Parameters::default(), batches, partitions, &[]).await
}

/// The same with other parameters.
async fn facts_with(batches: Vec<RecordBatch>, partitions: usize, parameters: &Parameters) -> Memory {
    facts_by(parameters, batches, partitions, &[]).await
}

/// The same with reference data: tables by name, with columns that are null where they are not given.
async fn facts_by(
    parameters: &Parameters,
    batches: Vec<RecordBatch>,
    partitions: usize,
    reference: &[(&'static Table, &str)],
) -> Memory {
    let config = SessionConfig::new().with_target_partitions(partitions).with_batch_size(64);
    let context = SessionContext::new_with_config(config);
    let spans = MemTable::try_new(SPANS_SCHEMA.clone(), vec![batches]).unwrap();
    context.register_table(SPANS.name, Arc::new(spans)).unwrap();
    for (table, sql) in reference {
        let rows = context.sql(sql).await.unwrap().collect().await.unwrap();
        context.register_batch(table.name, as_table(table, &rows[0])).unwrap();
    }
    let mut memory = Memory::default();
    super::compute(&context, parameters, chrono_tz::Europe::London, None, &mut memory).await.unwrap();
    memory
}

/// Rows with the columns of a table, null where they are not given.
fn as_table(table: &Table, rows: &RecordBatch) -> RecordBatch {
    let schema = table.arrow_schema();
    let columns = schema.fields().iter().map(|field| match rows.column_by_name(field.name()) {
        Some(given) => arrow::compute::cast(given, field.data_type()).unwrap(),
        None => arrow::array::new_null_array(field.data_type(), rows.num_rows()),
    });
    RecordBatch::try_new(schema.clone(), columns.collect()).unwrap()
}

async fn check(facts: &Memory, sql: &str, expected: &str) {
    let context = SessionContext::new();
    for table in tables::FACTS {
        context.register_table(table.name, facts.table(table)).unwrap();
    }
    let rows = context.sql(sql).await.unwrap().collect().await.unwrap();
    assert_eq!(memory::lines(&rows).join("\n"), expected, "{sql}");
}

#[tokio::test]
async fn a_value_keyed_into_two_systems_is_a_match_and_the_rest_is_none() {
    let facts = facts(vec![batch(&estate::rekeyed(12))], 2).await;
    // Each case has its surname keyed in `a` and again in `b`; `sex` is one of two values on both.
    check(
        &facts,
        "SELECT scope, \"match\", from_system, from_field, to_system, to_field, count(*) FROM matches
         WHERE to_field = 'surname' GROUP BY ALL",
        "cross_system,whole,a,surname,b,surname,12",
    )
    .await;
    // n (C_f - 1) = 12 × 11. Of the other cases, none has the surname; of the sexes, six have each.
    check(
        &facts,
        "SELECT from_field, to_field, sum(n), sum(m), sum(all_hits), sum(all_trials), sum(disagreements)
         FROM pair_totals WHERE from_field = to_field AND to_system = 'b' AND \"match\" = 'whole'
         GROUP BY ALL ORDER BY 1",
        "sex,sex,12,12,60,132,0\nsurname,surname,12,12,0,132,0",
    )
    .await;
    check(
        &facts,
        "SELECT count(*), count(target_span_id), sum(seconds) FROM ledger WHERE category = 'matched'",
        "24,24,144.0",
    )
    .await;
    check(
        &facts,
        "SELECT delimiter, task, systems, entries, re_entries, switches, count(*) FROM task_instances GROUP BY ALL",
        "task_id,allocation,2,4,2,1,12",
    )
    .await;
    check(
        &facts,
        "SELECT (SELECT sum(seconds) FROM ledger) = (SELECT sum(seconds) FROM worker_weeks), count(DISTINCT week)
         FROM worker_weeks",
        "true,1",
    )
    .await;
}

#[tokio::test]
async fn a_match_says_when_its_field_held_the_value_last() {
    // Keyed into `a` at 0 s (for 6 s), shown there again at 8 s, after that with another name at 9 s, keyed into `b` at
    // 20 s and shown in `a` once more later.
    let mut spans = estate::rekeyed(1);
    for (place, (digest, at)) in [(1_000, 8), (9_999, 9), (1_000, 40)].into_iter().enumerate() {
        let view =
            Span { kind: Some("view"), start: at * S, end: at * S, span: 100 + place as u64, ..spans[0].clone() };
        spans.push(Span { value: Some((digest, vec![])), ..view });
    }
    check(
        &facts(vec![batch(&spans)], 2).await,
        "SELECT date_part('epoch', from_at) - 1740992400 AS a, date_part('epoch', latest_from_at) - 1740992400 AS b
         FROM matches WHERE to_field = 'surname'",
        "6.0,8.0",
    )
    .await;
}

#[tokio::test]
async fn one_case_under_two_numbers_is_one_case_once_a_span_names_both() {
    let mut spans = estate::rekeyed(3);
    for span in spans.iter_mut().filter(|span| span.system == "b") {
        span.cases[0] += 1_000;
    }
    check(&facts(vec![batch(&spans)], 2).await, "SELECT count(*) FROM matches", "0").await;
    for case in 0..3 {
        let cases = vec![case, case + 1_000];
        spans.push(Span { kind: Some("view"), cases, ..Span::new(90_000 + u64::from(case), 4_000 * S, 0) });
    }
    let linked = facts(vec![batch(&spans)], 2).await;
    check(&linked, "SELECT count(*) FROM matches WHERE to_field = 'surname'", "3").await;
    check(&linked, "SELECT numbers, linked, count(*) FROM case_links GROUP BY ALL", "2,true,6").await;
}

#[tokio::test]
async fn a_session_with_a_wrong_clock_shifts_its_worker_day() {
    let mut spans = estate::rekeyed(1);
    // System b's clock is two minutes slow; a's is right to a second.
    for span in &mut spans {
        span.offset = if span.system == "b" { 120 * S } else { S };
        if span.system == "b" {
            (span.start, span.end) = (span.start - 120 * S, span.end - 120 * S);
        }
    }
    let shifted = facts(vec![batch(&spans)], 2).await;
    check(&shifted, "SELECT shift_us FROM clock_shifts ORDER BY 1", "1000000\n120000000").await;
    check(&shifted, "SELECT count(*) FROM matches WHERE to_field = 'surname'", "1").await;
    // Within the tolerance nobody is shifted, and beyond a day it is a replay.
    for offset in [4 * S, 90_000 * S] {
        spans.iter_mut().for_each(|span| span.offset = offset);
        check(&facts(vec![batch(&spans)], 2).await, "SELECT count(*) FROM clock_shifts", "0").await;
    }
}

#[tokio::test]
async fn a_trace_whose_root_names_a_task_is_an_instance_and_what_nobody_names_is_a_run() {
    let mut spans = estate::rekeyed(2);
    for span in &mut spans {
        (span.task, span.instance) = (None, None);
    }
    let first_trace = spans[0].trace;
    spans.push(Span {
        kind: None,
        trace: first_trace,
        task: Some("transfer"),
        root: true,
        cases: vec![],
        ..Span::new(91_000, 0, 0)
    });
    check(
        &facts(vec![batch(&spans)], 2).await,
        "SELECT delimiter, task, count(*) FROM task_instances GROUP BY ALL ORDER BY 1",
        "run,NULL,1\ntrace,transfer,1",
    )
    .await;
}

#[tokio::test]
async fn a_task_that_nobody_names_is_told_by_where_it_starts_and_ends() {
    let mut spans = estate::rekeyed(2);
    for span in &mut spans {
        (span.task, span.instance) = (None, None);
    }
    // Around the work on the first case; its screens and its case count as the task's.
    for (span, kind, screen, start) in [(800, "navigation", "begin", -10), (801, "action", "finish", 50)] {
        spans.push(Span { kind: Some(kind), screen, cases: vec![0], ..Span::new(span, start * S, S) });
    }
    let rules = "SELECT * FROM (VALUES
        ('transfer', 'start', 'navigation', 'a', 'begin'), ('transfer', 'end', 'action', 'a', 'finish')
    ) AS t (task, edge, kind, system, screen)";
    let told = facts_by(&Parameters::default(), vec![batch(&spans)], 2, &[(&TASKS, rules)]).await;
    let instances =
        "SELECT delimiter, task, entries, screens, re_entries, count(*) FROM task_instances GROUP BY ALL ORDER BY 1";
    check(&told, instances, "rule,transfer,4,4,2,1\nrun,NULL,4,2,2,1").await;
    // A step that completes ends the run of work: without it both cases' work, and what is between, are two runs.
    let completes = "SELECT 'completes' AS edge, 'choice' AS kind, 'a' AS system, 'person' AS screen";
    let cut = facts_by(&Parameters::default(), vec![batch(&spans)], 2, &[(&TASKS, completes)]).await;
    check(&cut, "SELECT count(*) FROM task_instances WHERE delimiter = 'run'", "4").await;
    check(&facts(vec![batch(&spans)], 2).await, "SELECT count(*) FROM task_instances", "2").await;
}

#[tokio::test]
async fn logins_of_one_person_are_one_worker_while_they_hold() {
    let mut spans = estate::rekeyed(3);
    for span in spans.iter_mut().filter(|span| span.system == "b") {
        span.worker = 2;
    }
    let workers =
        "SELECT count(DISTINCT worker), count(*) FILTER (WHERE category = 'switching'), min(role) FROM ledger";
    check(&facts(vec![batch(&spans)], 2).await, workers, "2,0,NULL").await;
    let login = |valid_to: &str| {
        format!(
            "SELECT 'b' AS system, decode('0000000000000002', 'hex') AS login, decode('0000000000000001', 'hex') AS person,
             'officer' AS role, DATE '{valid_to}' AS valid_to"
        )
    };
    let one = facts_by(&Parameters::default(), vec![batch(&spans)], 2, &[(&DIRECTORY, &login("2025-03-03"))]).await;
    // From one system to the other once in each case; between cases are more than 60 s.
    check(&one, workers, "1,3,officer").await;
    let left = facts_by(&Parameters::default(), vec![batch(&spans)], 2, &[(&DIRECTORY, &login("2025-03-02"))]).await;
    check(&left, workers, "2,0,NULL").await;
}

#[tokio::test]
async fn a_week_that_begins_with_a_holiday_is_whole_from_its_first_working_day() {
    // All on Monday 3 March 2025: the week is whole if no other day of it was a working day.
    let spans = estate::rekeyed(2);
    let whole = "SELECT DISTINCT whole_week FROM worker_weeks";
    check(&facts(vec![batch(&spans)], 2).await, whole, "false").await;
    let shut = "SELECT day FROM (VALUES (DATE '2025-03-04'), (DATE '2025-03-05'), (DATE '2025-03-06'), (DATE '2025-03-07')) AS t (day)";
    check(&facts_by(&Parameters::default(), vec![batch(&spans)], 2, &[(&HOLIDAYS, shut)]).await, whole, "true").await;
}

#[tokio::test]
async fn counts_by_worker_add_up_to_those_by_day_and_to_totals() {
    let facts = facts(vec![batch(&estate::busy(11, 400))], 2).await;
    for (counts, other) in
        [("sum(n), sum(m), sum(near_trials)", "pair_counts"), ("sum(all_hits), sum(near_hits)", "pair_totals")]
    {
        let sums = |table: &str| {
            format!(
                "SELECT from_system, from_screen, from_field, to_system, to_screen, to_field, scope, \"match\", {counts}
                 FROM {table} GROUP BY ALL"
            )
        };
        let (others, workers) = (sums(other), sums("pair_workers"));
        check(
            &facts,
            &format!(
                "SELECT (SELECT count(*) FROM ({others} EXCEPT {workers})) AS a,
                 (SELECT count(*) FROM ({workers} EXCEPT {others})) AS b,
                 (SELECT count(*) > 100 FROM pair_workers) AS c, (SELECT count(DISTINCT worker) FROM pair_workers) AS d"
            ),
            "0,0,true,4",
        )
        .await;
    }
}

#[tokio::test]
async fn an_instance_on_two_cases_is_of_the_one_that_took_longer() {
    // One task instance on one screen: 6 s on case 1, then 20 s on case 2 in two fields.
    let spans: Vec<Span> = [(1, 0, 6), (2, 10, 10), (2, 25, 10)]
        .into_iter()
        .enumerate()
        .map(|(place, (case, start, length))| Span {
            kind: Some("action"),
            cases: vec![case],
            task: Some("allocation"),
            instance: Some(500),
            ..Span::new(place as u64, start * S, length * S)
        })
        .collect();
    check(
        &facts(vec![batch(&spans)], 2).await,
        "SELECT encode(case_id, 'hex'), screens, systems, active_seconds FROM task_instances",
        "0000000000000002,1,1,35.0",
    )
    .await;
}

#[tokio::test]
async fn no_spans_give_empty_facts() {
    let facts = facts(vec![], 2).await;
    check(&facts, "SELECT (SELECT count(*) FROM ledger) + (SELECT count(*) FROM pair_counts)", "0").await;
}

#[tokio::test]
async fn any_split_and_order_of_arrival_ends_in_the_same_facts() {
    let spans = estate::busy(7, 400);
    let expected = everything(&facts(vec![batch(&spans)], 1).await).await;
    assert!(expected["matches"].len() > 50 && expected["ledger"].len() > 300, "the estate is too dull to tell");
    assert!(expected["ledger"].iter().any(|row| row.contains("rework")), "no rework to tell");
    for seed in 0..6 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        // A tenth of the spans came twice.
        let mut arrived = spans.clone();
        arrived.shuffle(&mut random);
        arrived.extend_from_within(..40);
        arrived.shuffle(&mut random);
        let batches = arrived.chunks(1 + 37 * seed as usize).map(batch).collect();
        assert_eq!(everything(&facts(batches, 1 + seed as usize % 3).await).await, expected, "seed {seed}");
    }
}

/// Every row of every table, sorted.
async fn everything(facts: &Memory) -> BTreeMap<&'static str, Vec<String>> {
    tables::FACTS
        .iter()
        .map(|table| {
            let mut lines = memory::lines(&facts.tables[table.name]);
            lines.sort();
            (table.name, lines)
        })
        .collect()
}
