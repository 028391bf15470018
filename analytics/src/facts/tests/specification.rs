//! What Rust takes from spans against what `sql/facts/` says of them.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, BinaryArray, Date32Array, Int64Array, RecordBatch, StringArray, new_null_array},
    datatypes::DataType,
};
use datafusion::{catalog::MemTable, prelude::SessionContext};
use futures::TryStreamExt;
use gilbreth_collector::schema::{SPANS, SPANS_SCHEMA};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{
    super::{
        Facts,
        assemble::{Context, Names, context as context_of, rows},
        correction,
        cutting::rows_of_day,
        days::{self, Pending},
        field_spans::{FieldSpan, FieldSpans, Is, NONE},
        known::known,
        microseconds, sql,
        writing::{case_links, clock_shifts},
    },
    estate::{self, Span},
    memory::lines,
};
use crate::{
    local_time::LocalTime,
    operators::{
        instances::{Instances, Pieces},
        ledger::{EntryFacts, activity::Rules, cut, parts},
    },
    parameters::Parameters,
    reference::tables::{DIRECTORY, HOLIDAYS},
    tables,
};

/// A busy estate in which traces have roots, spans name tasks, and cases have two numbers now and then.
fn spans(seed: u64) -> Vec<Span> {
    let mut random = ChaCha8Rng::seed_from_u64(1_000 + seed);
    let mut spans = estate::busy(seed, 400);
    for span in &mut spans {
        span.root = random.random_bool(0.1);
        span.task = random.random_bool(0.3).then(|| if random.random_bool(0.5) { "report" } else { "allocation" });
        if random.random_bool(0.02) {
            span.cases.push(random.random_range(0..12));
        }
        if random.random_bool(0.1) {
            span.cases.clear();
        }
        if random.random_bool(0.05) {
            span.kind = None;
        }
        if random.random_bool(0.02) {
            span.end = span.start + 13 * 3_600 * estate::S;
        }
    }
    spans
}

/// Workers 1 and 2 of system `a` are person 101, worker 1 only for a day.
fn directory(first_day: i32) -> RecordBatch {
    let id = |ids: [u64; 2]| -> ArrayRef { Arc::new(BinaryArray::from_iter_values(ids.map(u64::to_be_bytes))) };
    let schema = DIRECTORY.arrow_schema();
    let columns = schema.fields().iter().map(|field| match field.name().as_str() {
        "system" => Arc::new(StringArray::from(vec!["a", "a"])) as ArrayRef,
        "login" => id([1, 2]),
        "person" => id([101, 101]),
        "role" => Arc::new(StringArray::from(vec![Some("officer"), None])),
        "valid_from" => Arc::new(Date32Array::from(vec![Some(first_day), None])),
        "valid_to" => Arc::new(Date32Array::from(vec![Some(first_day), None])),
        _ => new_null_array(field.data_type(), 2),
    });
    RecordBatch::try_new(schema.clone(), columns.collect()).unwrap()
}

/// Rows as text, sorted.
fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}

async fn said(context: &SessionContext, sql: &str) -> Vec<String> {
    sorted(lines(&context.sql(sql).await.unwrap().collect().await.unwrap()))
}

fn register_spans(context: &SessionContext, spans: RecordBatch) {
    let spans = MemTable::try_new(SPANS_SCHEMA.clone(), vec![vec![spans]]).unwrap();
    context.register_table(SPANS.name, Arc::new(spans)).unwrap();
}

/// Registers what the SQL takes from spans, clock shifts, case links and directory, which the context has.
async fn register_taken(facts: &Facts<'_>) {
    for (name, text) in [
        ("task_roots", sql::TASK_ROOTS),
        ("task_names", sql::TASK_NAMES),
        ("corrected_spans", sql::CORRECTED_SPANS),
        ("activities", sql::ACTIVITIES),
        ("entries", sql::ENTRIES),
        ("holdings", sql::HOLDINGS),
        ("mishaps", sql::MISHAPS),
    ] {
        let query = facts.query(text).await.unwrap();
        facts.context.register_table(name, query.into_view()).unwrap();
    }
}

#[tokio::test]
async fn what_is_taken_from_spans_is_what_the_sql_says() {
    let parameters = Parameters::default();
    for seed in 0..8 {
        let context = SessionContext::new();
        register_spans(&context, estate::batch(&spans(seed)));
        let facts =
            Facts { context: &context, parameters: &parameters, local: LocalTime::new(chrono_tz::Europe::London) };
        let days = facts.days().await.unwrap();
        context.register_batch(DIRECTORY.name, directory(days[0])).unwrap();
        let known = Arc::new(known(&context).await.unwrap());
        let gathered = facts.gather(&days, &known, None).await.unwrap();
        let outlines = gathered.iter().map(|(day, _)| day);
        let Context { correction, links, shifts } = context_of(outlines, known, &parameters, facts.local);
        let mut names_of = Names::default();
        let (outlines, of_days): (Vec<_>, Vec<_>) = gathered.into_iter().unzip();
        let spans = rows(outlines.iter().zip(of_days), &correction, &mut names_of).named(&names_of.lists());

        let clock = facts.query(sql::CLOCK_SHIFTS).await.unwrap().collect().await.unwrap();
        assert_eq!(
            sorted(lines(&[clock_shifts(&shifts).unwrap()])),
            sorted(lines(&clock)),
            "clock shifts, seed {seed}"
        );
        context.register_batch("clock_shifts", clock_shifts(&shifts).unwrap()).unwrap();
        context.register_batch("case_links", case_links(&links).unwrap()).unwrap();
        register_taken(&facts).await;

        let max = microseconds(parameters.activity_max_h * 3600.0);
        let (mut activities, mut of_days) = (Vec::new(), Vec::new());
        for &day in &days {
            let rows = facts.spans_of(day, &correction::COLUMNS).await.unwrap().try_collect::<Vec<_>>().await.unwrap();
            let row_of = rows_of_day(&spans, day);
            activities.extend(rows.iter().map(|rows| correction.activities(rows, day, max, &row_of).unwrap()));
            of_days.push(activities[activities.len() - rows.len()..].to_vec());
        }
        by_day_as_in_one_go(&days, &of_days, &activities, Rules::new(&parameters, facts.local), facts.local);
        let made = MemTable::try_new(activities[0].schema(), vec![activities]).unwrap();
        context.register_table("made", Arc::new(made)).unwrap();
        let columns = "worker, trace_id, span_id, started_us, ended_us, kind, system, organisation, team, role, screen,
            field, case_id, task, task_instance, delimiter, keystrokes, outcome, completes";
        let expected = said(&context, &format!("SELECT {columns} FROM activities")).await;
        assert_eq!(said(&context, &format!("SELECT {columns} FROM made")).await, expected, "activities, seed {seed}");
        assert!(expected.len() > 250, "too few activities to tell");

        let of = |wanted: &dyn Fn(&FieldSpan) -> bool, row: &dyn Fn(usize, &FieldSpan) -> String| {
            let rows = spans.rows.iter().enumerate().filter(|(_, span)| wanted(span));
            sorted(rows.map(|(place, span)| row(place, span)).collect())
        };
        let entered = of(&|span| span.is.has(Is::ENTERED), &|place, span| {
            let continues = spans.continues.get(&(place as u32)).map(|span| format!("{span:016x}"));
            let place = names(&spans, span);
            [common(&spans, span), place, said_or(continues), value(&spans, span, false)].join(",")
        });
        let text =
            "SELECT span_id, worker, started_us, case_id, system, screen, field, continues, value_digest FROM entries";
        assert_eq!(entered, said(&context, text).await, "entries, seed {seed}");
        let held = of(&|span| spans.holds(span), &|_, span| {
            let from = span.held_from().to_string();
            [common(&spans, span), from, names(&spans, span), value(&spans, span, true)].join(",")
        });
        let text = "SELECT span_id, worker, started_us, case_id, from_us, system, screen, field, value_digest,
            array_sort(array_distinct(value_parts)) FROM holdings";
        assert_eq!(held, said(&context, text).await, "holdings, seed {seed}");
        // Rows of one task instance, and of none, are those that the SQL says.
        let instances = "SELECT count(DISTINCT task_instance), count(*) FROM entries WHERE task_instance IS NOT NULL";
        let known: Vec<&FieldSpan> =
            spans.rows.iter().filter(|span| span.is.has(Is::ENTERED) && span.task != NONE).collect();
        let distinct: std::collections::BTreeSet<u32> = known.iter().map(|span| span.task).collect();
        assert_eq!(said(&context, instances).await, [format!("{},{}", distinct.len(), known.len())], "seed {seed}");
    }
}

/// The pieces that a day of a busy estate falls into, with names that tie and names left out.
fn pieces(seed: u64) -> RecordBatch {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let rows = 200;
    let mut number = |most: u64| -> Vec<u64> { (0..rows).map(|_| random.random_range(0..most)).collect() };
    let columns = parts::SCHEMA
        .fields()
        .iter()
        .map(|field| -> ArrayRef {
            match (field.name().as_str(), field.data_type()) {
                ("day", _) => Arc::new(Date32Array::from_iter_values(number(3).into_iter().map(|day| day as i32))),
                ("case_id", _) => Arc::new(BinaryArray::from_iter(
                    number(4).into_iter().map(|case| (case > 0).then(|| case.to_be_bytes())),
                )),
                (_, DataType::Binary) => {
                    Arc::new(BinaryArray::from_iter_values(number(15).into_iter().map(u64::to_be_bytes)))
                }
                ("delimiter", _) => Arc::new(StringArray::from_iter_values(number(1).into_iter().map(|_| "run"))),
                (_, DataType::Utf8) => Arc::new(StringArray::from_iter(
                    number(4).into_iter().map(|name| (name > 0).then(|| format!("n{name}"))),
                )),
                _ => {
                    Arc::new(Int64Array::from_iter_values(number(3).into_iter().map(|count| count as i64 * 1_000_000)))
                }
            }
        })
        .collect();
    RecordBatch::try_new(parts::SCHEMA.clone(), columns).unwrap()
}

#[tokio::test]
async fn instances_add_up_as_the_sql_says() {
    for seed in 0..40 {
        let context = SessionContext::new();
        context.register_batch("task_parts", pieces(seed)).unwrap();
        let mut gathered = Pieces::default();
        gathered.add(&pieces(seed).slice(0, 90)).unwrap();
        gathered.add(&pieces(seed).slice(90, 110)).unwrap();
        let made = Instances::new(gathered);
        let made = made.batch(0..made.len()).unwrap();
        let columns: Vec<String> = made.schema().fields().iter().map(|field| format!("\"{}\"", field.name())).collect();
        context.register_batch("made", made).unwrap();
        let expected = context.sql(sql::TASK_INSTANCES).await.unwrap();
        context.register_table("expected", expected.into_view()).unwrap();
        let columns = columns.join(", ");
        let of = async |table: &str| said(&context, &format!("SELECT {columns} FROM {table}")).await;
        assert_eq!(of("made").await, of("expected").await, "seed {seed}");
    }
}

/// A worker's time cut day by day is what it is when it is cut in one go.
fn by_day_as_in_one_go(
    days: &[i32],
    of_days: &[Vec<RecordBatch>],
    all: &[RecordBatch],
    rules: Rules,
    local: LocalTime,
) {
    let entries = EntryFacts::default();
    let ledger = |batch: &RecordBatch, groups: &[_]| lines(&[cut(batch, groups, &rules, &entries).unwrap().ledger]);
    let whole = days::sorted(all).unwrap();
    let expected = ledger(&whole, &days::workers(&whole).unwrap());
    let mut pending = Pending::new(rules, local, 60 * estate::S, None);
    let (mut got, mut stretches) = (Vec::new(), 0);
    for (place, batches) in of_days.iter().enumerate() {
        batches.iter().for_each(|batch| pending.add(batch).unwrap());
        while let Some(done) = pending.complete(days.get(place + 1).copied()).unwrap() {
            stretches += done.groups.len();
            got.extend(ledger(&done.batch, &done.groups));
        }
    }
    assert_eq!(sorted(got), sorted(expected));
    assert!(stretches > 4, "no worker's time was cut in days: {stretches}");
}

fn said_or(value: Option<String>) -> String {
    value.unwrap_or_else(|| "NULL".to_owned())
}

fn hash(of: &[u64], number: u32) -> String {
    said_or(of.get(number as usize).map(|hash| format!("{hash:016x}")))
}

fn common(spans: &FieldSpans, span: &FieldSpan) -> String {
    let worker = hash(&spans.workers, span.worker);
    format!("{:016x},{worker},{},{}", span.key.span, span.start, hash(&spans.cases, span.case))
}

fn names(spans: &FieldSpans, span: &FieldSpan) -> String {
    spans.places[span.place as usize].clone().map(said_or).join(",")
}

fn value(spans: &FieldSpans, span: &FieldSpan, parts: bool) -> String {
    let value = spans.values.get(span.value as usize);
    let digest = said_or(value.map(|value| value.digest.to_string()));
    if !parts {
        return digest;
    }
    // Parts as sent: sorted, each once.
    let parts = value.filter(|value| !value.parts.is_empty()).map(|value| format!("{:?}", value.parts));
    format!("{digest},{}", said_or(parts))
}

/// Sums of facts against what the SQL says of the facts, and of the values held, that they are made of.
#[tokio::test]
async fn sums_are_what_the_sql_says() {
    for seed in 0..6 {
        // The estate ends on a Wednesday: its week is whole if that Thursday and Friday are holidays.
        let shut =
            format!("SELECT column1 AS day FROM (VALUES (DATE '2025-03-06'), (DATE '2025-03-0{}'))", 6 + seed % 2);
        let spans = estate::batch(&estate::busy(seed, 1_500));
        let made = super::facts_by(&Parameters::default(), vec![spans.clone()], 2, &[(&HOLIDAYS, &shut)]).await;
        let context = SessionContext::new();
        let shut = context.sql(&shut).await.unwrap().into_view();
        for table in tables::FACTS {
            context.register_table(table.name, made.table(table)).unwrap();
        }
        context.register_table(HOLIDAYS.name, shut).unwrap();
        register_spans(&context, spans);
        context.register_batch(DIRECTORY.name, RecordBatch::new_empty(DIRECTORY.arrow_schema())).unwrap();
        let parameters = Parameters::default();
        let facts =
            Facts { context: &context, parameters: &parameters, local: LocalTime::new(chrono_tz::Europe::London) };
        register_taken(&facts).await;
        let query = facts.query(sql::TRIED_VALUES).await.unwrap();
        let names = "week, organisation, role, system, task, parameter, value, microseconds";
        context.register_table("tried", query.into_view()).unwrap();
        let tried = said(&context, &format!("SELECT {names} FROM tried")).await;
        assert!(tried.len() > 10, "too few values to tell");
        assert_eq!(said(&context, &format!("SELECT {names} FROM tried_values")).await, tried, "values, seed {seed}");
        let whole = said(&context, "SELECT DISTINCT whole_week FROM worker_weeks").await;
        assert_eq!(whole, [(seed % 2 == 1).to_string()], "seed {seed}");
        // The values in force give what the ledger says.
        let in_force = "SELECT parameter, sum(microseconds) FROM tried_values
            WHERE parameter = 'idle_threshold_s' AND value = 60 OR parameter = 'switch_s' AND value = 5
                OR parameter = 'tolerated_wait_s' AND value = 1 GROUP BY parameter";
        let of_ledger = "SELECT column1, sum(microseconds) FROM weekly_times JOIN (VALUES
            ('idle_threshold_s', 'switching'), ('switch_s', 'switching'), ('tolerated_wait_s', 'wait'))
            ON column2 = category GROUP BY column1";
        let expected = said(&context, of_ledger).await;
        assert_eq!(expected.len(), 3, "switching and waits are there");
        assert_eq!(said(&context, in_force).await, expected, "values in force, seed {seed}");
        for (table, text, least) in [
            (&tables::WORKER_WEEKS, sql::WORKER_WEEKS, 20),
            (&tables::MATCH_LISTS, sql::MATCH_LISTS, 100),
            (&tables::MATCHED_TIMES, sql::MATCHED_TIMES, 100),
            (&tables::WEEKLY_TIMES, sql::WEEKLY_TIMES, 100),
            (&tables::PAIR_TOTALS, sql::PAIR_TOTALS, 50),
        ] {
            let columns =
                table.columns.iter().map(|column| format!("\"{}\"", column.name)).collect::<Vec<_>>().join(", ");
            let of = |from: &str| format!("SELECT {columns} FROM {from}");
            let expected = said(&context, &of(&format!("({text})"))).await;
            assert!(expected.len() > least, "{}: {} rows are too few to tell", table.name, expected.len());
            assert_eq!(said(&context, &of(table.name)).await, expected, "{}, seed {seed}", table.name);
        }
        let listed =
            "SELECT count(*), count(match_list), count(*) FILTER (WHERE match_list IS DISTINCT FROM list) FROM ledger l
            LEFT JOIN (SELECT DISTINCT worker, span_id, list FROM matches) t
            ON t.worker = l.worker AND t.span_id = l.target_span_id AND l.category = 'matched'";
        let listed = said(&context, listed).await[0].clone();
        assert!(listed.ends_with(",0") && !listed.contains(",0,"), "lists of the ledger, seed {seed}: {listed}");
        // Lists have other names there: targets share one or do not, and sources have the same places.
        let lists = |from: &str| {
            format!(
                "SELECT worker, span_id, from_span_id, from_screen, from_field, \"match\", place, microseconds,
                 min(concat(encode(worker, 'hex'), encode(span_id, 'hex'))) OVER (PARTITION BY list) FROM {from}"
            )
        };
        let expected = said(&context, &lists(&format!("({})", sql::LISTED_MATCHES))).await;
        assert_eq!(said(&context, &lists("matches")).await, expected, "lists, seed {seed}");
    }
}
