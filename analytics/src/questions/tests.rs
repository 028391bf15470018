//! The operators against their specification in SQL, over rows in any order, partition and batch.

use std::sync::Arc;

use arrow::{
    array::{
        ArrayRef, BinaryArray, BinaryBuilder, Int64Array, ListBuilder, StringArray, TimestampMicrosecondArray,
        new_null_array,
    },
    datatypes::{DataType, Field},
    record_batch::RecordBatch,
    util::pretty::pretty_format_batches,
};
use datafusion::{
    datasource::MemTable,
    execution::{memory_pool::GreedyMemoryPool, runtime_env::RuntimeEnvBuilder},
    prelude::{SessionConfig, SessionContext},
};
use gilbreth_collector::schema::SPANS;
use proptest::prelude::*;

use super::{Provider, Question};
use crate::{catalogue, parameters::Parameters, session};

/// A span, as far as the questions look at it.
#[derive(Debug, Clone)]
struct Said {
    kind: Option<&'static str>,
    trigger: &'static str,
    origin: Option<&'static str>,
    system: Option<&'static str>,
    worker: Option<u8>,
    cases: Option<Vec<Option<u8>>>,
    digest: Option<i64>,
    started: i64,
    length: i64,
}

// 2025-03-03 00:00 UTC.
const BEGIN: i64 = 1_740_960_000_000_000;

fn spans(rows: &[Said]) -> RecordBatch {
    let text =
        |of: fn(&Said) -> Option<&'static str>| -> ArrayRef { Arc::new(rows.iter().map(of).collect::<StringArray>()) };
    let instant = |of: fn(&Said) -> i64| -> ArrayRef {
        let instants = TimestampMicrosecondArray::from_iter_values(rows.iter().map(|row| BEGIN + of(row)));
        Arc::new(instants.with_timezone("UTC"))
    };
    let columns = SPANS.columns.iter().map(|column| -> ArrayRef {
        match column.name {
            "kind" => text(|row| row.kind),
            "trigger" => text(|row| Some(row.trigger)),
            "origin" => text(|row| row.origin),
            "system" => text(|row| row.system),
            "worker" => {
                Arc::new(rows.iter().map(|row| row.worker.map(|worker| vec![worker; 8])).collect::<BinaryArray>())
            }
            "case_refs" => {
                let item = Field::new("element", DataType::Binary, true);
                let mut lists = ListBuilder::new(BinaryBuilder::new()).with_field(item);
                for row in rows {
                    let numbers = row.cases.iter().flatten();
                    numbers.for_each(|number| lists.values().append_option(number.map(|number| vec![number; 8])));
                    lists.append(row.cases.is_some());
                }
                Arc::new(lists.finish())
            }
            "value_digest" => Arc::new(rows.iter().map(|row| row.digest).collect::<Int64Array>()),
            "started_at" => instant(|row| row.started),
            "ended_at" => instant(|row| row.started + row.length),
            _ => new_null_array(&column.kind.data_type(), rows.len()),
        }
    });
    RecordBatch::try_new(SPANS.arrow_schema(), columns.collect()).unwrap()
}

/// The context of a session, with these batches in two partitions.
async fn over(context: SessionContext, batches: &[Vec<Said>]) -> SessionContext {
    let mut partitions = vec![Vec::new(), Vec::new()];
    for (place, rows) in batches.iter().enumerate() {
        partitions[place % 2].push(spans(rows));
    }
    let parameters = Parameters::default();
    context.register_table("spans", Arc::new(MemTable::try_new(SPANS.arrow_schema(), partitions).unwrap())).unwrap();
    context.register_table("parameters", session::built_in::parameters(&parameters).unwrap()).unwrap();
    for question in Question::ALL {
        let provider = Provider::new(&context, question, &parameters).await.unwrap();
        context.register_table(question.table().name, Arc::new(provider)).unwrap();
    }
    context
}

async fn rows(context: &SessionContext, sql: &str, question: Question) -> String {
    let columns: Vec<&str> = question.table().columns.iter().map(|column| column.name).collect();
    let sql = format!("SELECT * FROM ({sql}) ORDER BY {}", columns.join(", "));
    pretty_format_batches(&context.sql(&sql).await.unwrap().collect().await.unwrap()).unwrap().to_string()
}

async fn answer(context: &SessionContext, question: Question) -> String {
    rows(context, &format!("SELECT * FROM {}", question.table().name), question).await
}

async fn specification(context: &SessionContext, question: Question) -> String {
    rows(context, catalogue::specification(question.table().name).text, question).await
}

const DAY: i64 = 86_400_000_000;

prop_compose! {
    /// Few values of each, so that they meet; instants that differ by exactly what the rules ask about.
    fn any_span()(
        kind in prop::option::weighted(0.95, prop::sample::select(vec!["entry", "entry", "choice", "view", "view", "search"])),
        trigger in prop::sample::select(vec!["user", "user", "user", "system"]),
        origin in prop::option::of(prop::sample::select(vec!["typed", "pasted", "selected", "prefilled", "autofilled", "odd"])),
        system in prop::option::weighted(0.95, prop::sample::select(vec!["nd", "oa", "cas"])),
        worker in prop::option::weighted(0.9, 0_u8..3),
        cases in prop::option::weighted(0.95, prop::collection::vec(prop::option::weighted(0.9, 0_u8..3), 0..3)),
        digest in prop::option::weighted(0.95, -1_i64..2),
        day in prop::sample::select(vec![0_i64, 0, 1, 89, 90, 90, 91]),
        second in 0_i64..200,
        micros in prop::sample::select(vec![0_i64, 0, 1, 999_999]),
        length in prop::sample::select(vec![0_i64, 1_000_000, 30_000_000]),
    ) -> Said {
        Said { kind, trigger, origin, system, worker, cases, digest, started: day * DAY + second * 1_000_000 + micros, length }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn the_operators_answer_what_their_sql_says(batches in prop::collection::vec(prop::collection::vec(any_span(), 0..40), 1..5)) {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let context = over(session::context().unwrap(), &batches).await;
            for question in Question::ALL {
                prop_assert_eq!(answer(&context, question).await, specification(&context, question).await, "{:?}", question);
            }
            Ok(())
        })?;
    }
}

/// Rows of many cases and workers: enough to weigh something.
fn many() -> Vec<Vec<Said>> {
    let said = |number: i64| Said {
        kind: Some(if number % 3 == 0 { "view" } else { "entry" }),
        trigger: "user",
        origin: None,
        system: Some(["nd", "oa", "cas"][number as usize % 3]),
        worker: Some((number % 250) as u8),
        cases: Some(vec![Some((number / 7 % 251) as u8)]),
        digest: Some(number / 7 % 13),
        started: number * 7_000_000,
        length: 1_000_000,
    };
    (0..20_i64).map(|batch| (0..1_000).map(|row| said(batch * 1_000 + row)).collect()).collect()
}

#[tokio::test]
async fn answers_do_not_depend_on_how_much_memory_there_is() {
    let batches = many();
    let roomy = over(session::context().unwrap(), &batches).await;
    for question in Question::ALL {
        let whole = answer(&roomy, question).await;
        assert!(whole.lines().count() > 6, "{whole}");
        for bytes in [64, 8 << 10, 64 << 10, 512 << 10] {
            let runtime =
                RuntimeEnvBuilder::new().with_memory_pool(Arc::new(GreedyMemoryPool::new(bytes))).build_arc().unwrap();
            let config = SessionConfig::new().with_target_partitions(2);
            let tight = over(SessionContext::new_with_config_rt(config, runtime), &batches).await;
            match tight.table(question.table().name).await.unwrap().collect().await {
                Ok(rows) => assert_eq!(pretty_format_batches(&rows).unwrap().to_string(), whole, "{bytes} bytes"),
                Err(error) => {
                    assert_eq!(bytes, 64, "{question:?}: {error}");
                    assert!(error.to_string().contains("Resources exhausted"), "{error}");
                }
            }
        }
    }
}
