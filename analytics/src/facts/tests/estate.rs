//! Small estates as rows of `spans`.

use std::sync::Arc;

use arrow::{
    array::{
        ArrayRef, BinaryArray, BinaryBuilder, Date32Array, Int64Array, Int64Builder, ListBuilder, RecordBatch,
        StringArray, TimestampMicrosecondArray, new_null_array,
    },
    datatypes::{DataType, Field},
};
use gilbreth_collector::schema::SPANS_SCHEMA;
use rand::{RngExt, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;

/// A second.
pub(super) const S: i64 = 1_000_000;
/// Monday 3 March 2025, 09:00 in London.
const MORNING: i64 = 1_740_992_400 * S;

/// A span, as far as these tests tell spans apart. Times count from the morning.
#[derive(Debug, Clone)]
pub(super) struct Span {
    pub(super) span: u64,
    pub(super) trace: u64,
    pub(super) root: bool,
    pub(super) kind: Option<&'static str>,
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) system: &'static str,
    pub(super) worker: u64,
    pub(super) screen: &'static str,
    pub(super) field: Option<&'static str>,
    pub(super) cases: Vec<u32>,
    pub(super) task: Option<&'static str>,
    pub(super) instance: Option<u64>,
    pub(super) continues: Option<u64>,
    pub(super) value: Option<(i64, Vec<i64>)>,
    pub(super) outcome: &'static str,
    /// What the session's clock is slow by.
    pub(super) offset: i64,
}

impl Span {
    pub(super) fn new(span: u64, start: i64, length: i64) -> Self {
        Self {
            span,
            trace: 1,
            root: false,
            kind: Some("action"),
            start,
            end: start + length,
            system: "a",
            worker: 1,
            screen: "person",
            field: None,
            cases: vec![],
            task: None,
            instance: None,
            continues: None,
            value: None,
            outcome: "ok",
            offset: 0,
        }
    }
}

/// In each case, 100 s apart: surname and sex keyed into `a`, then both again into `b`, 6 s each. Half the cases are of
/// one sex.
pub(super) fn rekeyed(cases: u32) -> Vec<Span> {
    let mut spans = Vec::new();
    for case in 0..cases {
        let surname = 1_000 + i64::from(case);
        let sex = 1 + i64::from(case % 2);
        for (place, (system, field, digest)) in
            [("a", "surname", surname), ("a", "sex", sex), ("b", "surname", surname), ("b", "sex", sex)]
                .into_iter()
                .enumerate()
        {
            let begin = i64::from(case) * 100 * S + place as i64 * 10 * S;
            spans.push(Span {
                trace: 10 + u64::from(case),
                kind: Some(if field == "sex" { "choice" } else { "entry" }),
                system,
                field: Some(field),
                cases: vec![case],
                task: Some("allocation"),
                instance: Some(500 + u64::from(case)),
                value: Some((digest, vec![])),
                ..Span::new(u64::from(case) * 10 + place as u64, begin, 6 * S)
            });
        }
    }
    spans
}

/// A seeded estate in which everything happens: several workers and cases, waits, chains, failures, the same field
/// again, times that coincide.
pub(super) fn busy(seed: u64, count: u64) -> Vec<Span> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let kinds = ["entry", "entry", "choice", "view", "view", "action", "wait", "navigation", "sign_in", "hidden"];
    let mut one_of = |of: &[&'static str]| *of.choose(&mut random).expect("not empty");
    let mut spans: Vec<Span> = (0..count)
        .map(|span| Span {
            kind: Some(one_of(&kinds)),
            system: one_of(&["a", "b"]),
            screen: one_of(&["person", "plan"]),
            field: Some(one_of(&["surname", "name", "sex"])),
            outcome: one_of(&["ok", "ok", "ok", "failed", "rejected", "lost"]),
            ..Span::new(span, 0, 0)
        })
        .collect();
    for span in &mut spans {
        span.start = random.random_range(0..40_000) * 5 * S;
        span.end = span.start + random.random_range(0..8) * 5 * S;
        span.worker = random.random_range(0..4);
        span.trace = random.random_range(0..30);
        span.cases = vec![random.random_range(0..12)];
        span.offset = span.worker as i64 * 4 * S;
        let (one, other) = (random.random_range(0..6), random.random_range(0..6));
        span.value = Some(if one < 4 { (one, vec![]) } else { (one * 100 + other, vec![one, other]) });
        span.instance = random.random_bool(0.5).then(|| random.random_range(0..20));
        span.continues = random.random_bool(0.05).then(|| random.random_range(0..count));
    }
    spans
}

/// Rows of `spans`.
pub(super) fn batch(spans: &[Span]) -> RecordBatch {
    let id = |id: u64| id.to_be_bytes();
    let binary = |of: &dyn Fn(&Span) -> Option<u64>| -> ArrayRef {
        Arc::new(BinaryArray::from_iter(spans.iter().map(|span| of(span).map(id))))
    };
    let text = |of: &dyn Fn(&Span) -> Option<&'static str>| -> ArrayRef {
        Arc::new(StringArray::from_iter(spans.iter().map(of)))
    };
    let instant = |of: &dyn Fn(&Span) -> i64| -> ArrayRef {
        Arc::new(
            TimestampMicrosecondArray::from_iter_values(spans.iter().map(|span| MORNING + of(span)))
                .with_timezone("UTC"),
        )
    };
    let columns = SPANS_SCHEMA
        .fields()
        .iter()
        .map(|field| match field.name().as_str() {
            "trace_id" => {
                Arc::new(BinaryArray::from_iter_values(spans.iter().map(|span| u128::from(span.trace).to_be_bytes())))
            }
            "span_id" => binary(&|span| Some(span.span)),
            "parent_span_id" => binary(&|span| (!span.root).then_some(1)),
            "name" => text(&|_| Some("interaction")),
            "kind" => text(&|span| span.kind),
            "trigger" => text(&|_| Some("user")),
            "started_at" => instant(&|span| span.start),
            "ended_at" => instant(&|span| span.end),
            "sent_at" => instant(&|span| span.end),
            "received_at" => instant(&|span| span.end + span.offset),
            "system" => text(&|span| Some(span.system)),
            "worker" => binary(&|span| Some(span.worker)),
            "session" => binary(&|span| Some(span.worker * 2 + u64::from(span.system == "b"))),
            "screen" => text(&|span| Some(span.screen)),
            "field" => text(&|span| span.field),
            "case_refs" => {
                let mut list =
                    ListBuilder::new(BinaryBuilder::new()).with_field(Field::new("element", DataType::Binary, true));
                for span in spans {
                    span.cases.iter().for_each(|case| list.values().append_value(id(u64::from(*case))));
                    list.append(!span.cases.is_empty());
                }
                Arc::new(list.finish())
            }
            "task" => text(&|span| span.task),
            "task_instance" => binary(&|span| span.instance),
            "continues" => binary(&|span| span.continues),
            "value_kind" => text(&|_| Some("name")),
            "value_digest" => {
                Arc::new(Int64Array::from_iter(spans.iter().map(|span| span.value.as_ref().map(|value| value.0))))
            }
            "value_parts" => {
                let mut list =
                    ListBuilder::new(Int64Builder::new()).with_field(Field::new("element", DataType::Int64, true));
                for span in spans {
                    let parts = span.value.iter().flat_map(|value| &value.1);
                    let count = parts.map(|part| list.values().append_value(*part)).count();
                    list.append(count > 0);
                }
                Arc::new(list.finish())
            }
            "outcome" => text(&|span| Some(span.outcome)),
            "day" => Arc::new(Date32Array::from_iter_values(
                spans.iter().map(|span| (MORNING + span.start).div_euclid(86_400 * S) as i32),
            )),
            _ => new_null_array(field.data_type(), spans.len()),
        })
        .collect();
    RecordBatch::try_new(SPANS_SCHEMA.clone(), columns).expect("each column has its type")
}
