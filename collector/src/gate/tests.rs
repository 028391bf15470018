use arrow::{
    array::{Array, AsArray},
    datatypes::{Int64Type, TimestampMicrosecondType},
    util::pretty::pretty_format_batches,
};
use gilbreth_conventions::{attribute, kind::ValueKind};
use proptest::prelude::*;

use super::*;
use crate::decode::{Attribute, Batch, Plain, Span, Value};

const NOW_US: i64 = 1_700_000_000_000_000;
const NOW_NS: u64 = 1_700_000_000_000_000_000;

fn policy() -> Policy {
    Policy::new(&StoreKey::new([7; 32]), &Config { page_key: "page".to_owned(), ..Config::default() })
}

fn span(attributes: Vec<Attribute>) -> Span {
    Span {
        trace_id: vec![1; 16],
        span_id: vec![2; 8],
        parent_span_id: vec![3; 8],
        name: "enter".to_owned(),
        started_at_ns: NOW_NS - 2_000_000_999,
        ended_at_ns: NOW_NS - 1_000_000_000,
        failed: false,
        attributes,
    }
}

fn export(spans: Vec<Span>) -> Plain {
    let resource = vec![Attribute::text("service.name", "ndelius"), Attribute::text("host.name", "desk-1")];
    vec![Batch { resource, spans }].into()
}

fn admit(export: &Plain, policy: &Policy, source: Source<'_>) -> Admission {
    let decoded = export.to_columns().unwrap();
    super::admit(&decoded, policy, source, NOW_US, &Names::default()).unwrap()
}

fn admit_network(spans: Vec<Span>) -> Admission {
    admit(&export(spans), &policy(), Source::ANY_SENDER)
}

fn row_of(attributes: Vec<Attribute>) -> RecordBatch {
    admit_network(vec![span(attributes)]).admitted.rows().clone()
}

fn text(rows: &RecordBatch, column: &str) -> Option<String> {
    let column = rows.column_by_name(column).unwrap().as_string::<i32>();
    column.is_valid(0).then(|| column.value(0).to_owned())
}

fn hash(rows: &RecordBatch, column: &str) -> Option<Vec<u8>> {
    let column = rows.column_by_name(column).unwrap().as_binary::<i32>();
    column.is_valid(0).then(|| column.value(0).to_vec())
}

fn digest(rows: &RecordBatch) -> Option<i64> {
    let column = rows.column_by_name("value_digest").unwrap().as_primitive::<Int64Type>();
    column.is_valid(0).then(|| column.value(0))
}

fn parts(rows: &RecordBatch) -> usize {
    let column = rows.column_by_name("value_parts").unwrap().as_list::<i32>();
    if column.is_valid(0) { column.value(0).len() } else { 0 }
}

fn a(name: &str, value: &str) -> Attribute {
    Attribute::text(name, value)
}

/// Everything that an Arrow file of the rows would hold, names of columns aside.
fn everything(rows: &RecordBatch) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = arrow::ipc::writer::StreamWriter::try_new(&mut bytes, &rows.schema()).unwrap();
    writer.write(rows).unwrap();
    writer.finish().unwrap();
    drop(writer);
    bytes
}

#[test]
fn nothing_clear_comes_through() {
    let canary = "Quetzalcoatl-90210";
    let names = attribute::WORKER.into_iter().chain([
        attribute::SESSION_ID,
        attribute::CASE_ID,
        attribute::RECORD_ID,
        attribute::TASK_ID,
        attribute::VALUE_TEXT,
        attribute::VALUE_DIGEST,
        attribute::CONTINUES,
        attribute::INTERACTION,
        attribute::TRIGGER,
        attribute::INPUT_ORIGIN,
        attribute::OUTCOME,
        attribute::VALUE_KIND,
        attribute::INPUT_KEYSTROKES,
        "enduser.name",
        "casework.unheard.of",
        "exception.message",
    ]);
    let mut attributes: Vec<Attribute> = names.map(|name| a(name, canary)).collect();
    for list in [attribute::CASE_ID, attribute::VALUE_PARTS, "http.route"] {
        attributes.push(Attribute { name: list.to_owned(), value: Value::Texts(vec![canary.to_owned()]) });
    }
    for numbered in [
        "http.route",
        "error.type",
        "url.template",
        "db.operation.name",
        "deployment.environment.name",
        attribute::SCREEN[0],
        attribute::FIELD[0],
        attribute::TASK_NAME,
        attribute::FUNCTION,
        attribute::WORKER_ORGANISATION,
        attribute::WORKER_TEAM,
        attribute::WORKER_ROLE,
    ] {
        attributes.push(a(numbered, "of 90210"));
    }
    let mut sent = span(attributes);
    sent.name = "of 90210".to_owned();
    let mut export = export(vec![sent]);
    export.batches[0].resource.extend([a(attribute::SERVICE_NAME, "of 90210"), a("telemetry.sdk.name", "of 90210")]);
    let admission = admit(&export, &policy(), Source::ANY_SENDER);
    assert_eq!(admission.admitted.len(), 1);
    let rows = admission.admitted.rows();
    let bytes = everything(rows);
    for clear in ["Quetzal", "quetzal", "90210", "desk-1"] {
        assert!(!bytes.windows(clear.len()).any(|window| window == clear.as_bytes()), "{clear}");
    }
    for (column, hashed) in
        [("worker", true), ("session", true), ("record", true), ("task_instance", true), ("continues", false)]
    {
        assert_eq!(hash(rows, column).is_some(), hashed, "{column}");
    }
    assert!(digest(rows).is_some());
    assert_eq!(text(rows, "screen").as_deref(), Some("of #"));
    assert_eq!(admission.counts.names_masked, 9);
}

#[test]
fn the_same_text_is_another_hash_in_each_domain_and_under_each_key() {
    let rows = row_of(vec![
        a("user.id", "x1"),
        a("session.id", "x1"),
        a("casework.case.id", "x1"),
        a("casework.record.id", "x1"),
        a("casework.task.id", "x1"),
    ]);
    let mut hashes: Vec<Vec<u8>> =
        ["worker", "session", "record", "task_instance"].iter().map(|column| hash(&rows, column).unwrap()).collect();
    let cases = rows.column_by_name("case_refs").unwrap().as_list::<i32>().value(0);
    hashes.push(cases.as_binary::<i32>().value(0).to_vec());
    assert!(hashes.iter().all(|hash| hash.len() == 8));
    hashes.sort();
    hashes.dedup();
    assert_eq!(hashes.len(), 5);
    let other = Hashes::new(&StoreKey::new([8; 32]));
    assert_ne!(other.worker("x1"), policy().hashes().worker("x1"));
}

#[test]
fn workers_and_cases_are_normalised_and_the_pseudonym_is_preferred() {
    let upper = row_of(vec![a("enduser.id", "ignored"), a("enduser.pseudo.id", " JDoe "), a("casework.case.id", "X1")]);
    let lower = row_of(vec![a("enduser.pseudo.id", "jdoe"), a("casework.case.id", " x1")]);
    assert_eq!(hash(&upper, "worker"), hash(&lower, "worker"));
    assert_eq!(upper.column_by_name("case_refs").unwrap(), lower.column_by_name("case_refs").unwrap());
}

#[test]
fn text_and_client_digest_of_one_value_are_one_stored_digest() {
    let page = Digester::new(b"page");
    let sent = client_digests_of(&page, "John Doe");
    let by_text = row_of(vec![a("casework.value.text", " JOHN  Doe"), a("casework.value.kind", "name")]);
    let by_digest = row_of(vec![
        a("casework.value.digest", &sent.0),
        Attribute { name: "casework.value.parts".into(), value: Value::Texts(sent.1) },
        a("casework.value.kind", "name"),
    ]);
    assert_eq!(digest(&by_text), digest(&by_digest));
    assert_eq!(by_text.column_by_name("value_parts").unwrap(), by_digest.column_by_name("value_parts").unwrap());
    assert_eq!(parts(&by_text), 2);
}

fn client_digests_of(page: &Digester, value: &str) -> (String, Vec<String>) {
    let digests = gilbreth_conventions::digest::client_digests(page, value, ValueKind::Name);
    (digests.whole.unwrap(), digests.parts)
}

#[test]
fn free_text_and_malformed_digests_leave_no_digest() {
    let long = "word ".repeat(20);
    for attributes in [
        vec![a("casework.value.text", &long)],
        vec![a("casework.value.text", &long), a("casework.value.kind", "text")],
        vec![a("casework.value.text", &"9".repeat(5_000)), a("casework.value.kind", "number")],
        vec![a("casework.value.text", "")],
        vec![a("casework.value.digest", "John")],
        vec![a("casework.value.digest", "00112233445566778")],
    ] {
        let rows = row_of(attributes);
        assert_eq!((digest(&rows), parts(&rows)), (None, 0));
    }
    assert!(digest(&row_of(vec![a("casework.value.digest", "00112233445566FF")])).is_some());
}

#[test]
fn defaults_follow_the_conventions() {
    let check = |attributes: &[Attribute], failed: bool, expected: [Option<&str>; 4]| {
        let mut sent = span(attributes.to_vec());
        sent.failed = failed;
        let rows = admit_network(vec![sent]).admitted.rows().clone();
        let got = ["kind", "trigger", "origin", "outcome"].map(|column| text(&rows, column));
        assert_eq!(got, expected.map(|word| word.map(str::to_owned)), "{attributes:?}");
    };
    let kind = |word| a("casework.interaction", word);
    check(&[], true, [None, Some("user"), None, None]);
    check(&[kind("entry")], false, [Some("entry"), Some("user"), Some("typed"), Some("ok")]);
    check(&[kind("choice")], true, [Some("choice"), Some("user"), Some("selected"), Some("failed")]);
    check(&[kind("juggle")], false, [Some("other"), Some("user"), None, Some("ok")]);
    check(
        &[kind("wait"), a("casework.trigger", "system"), a("casework.outcome", "lost")],
        true,
        [Some("wait"), Some("system"), None, Some("lost")],
    );
    check(
        &[kind("entry"), a("casework.input.origin", "pasted"), a("casework.outcome", "?")],
        false,
        [Some("entry"), Some("user"), Some("pasted"), Some("ok")],
    );
}

#[test]
fn what_can_never_be_accepted_is_refused_with_its_reason_and_the_rest_is_kept() {
    let change = |how: fn(&mut Span)| {
        let mut changed = span(vec![]);
        how(&mut changed);
        changed
    };
    let admission = admit_network(vec![
        span(vec![]),
        change(|span| span.trace_id = vec![0; 16]),
        change(|span| span.trace_id = vec![1; 15]),
        change(|span| span.span_id = vec![]),
        change(|span| span.ended_at_ns = span.started_at_ns - 1),
        change(|span| span.started_at_ns = NOW_NS - 31 * 86_400 * 1_000_000_000),
        change(|span| {
            span.started_at_ns = NOW_NS + 2 * 86_400 * 1_000_000_000;
            span.ended_at_ns = span.started_at_ns;
        }),
        change(|span| span.parent_span_id = vec![0; 8]),
    ]);
    assert_eq!(admission.admitted.len(), 2);
    assert_eq!((admission.counts.received, admission.counts.refused), (8, 6));
    let reasons: Vec<(Refusal, u64)> = admission.refused.clone().into_iter().collect();
    assert_eq!(
        reasons,
        [
            (Refusal::TraceId, 2),
            (Refusal::SpanId, 1),
            (Refusal::EndsBeforeStart, 1),
            (Refusal::TooOld, 1),
            (Refusal::TooFarAhead, 1),
        ]
    );
    assert!(admission.refusal_message().unwrap().starts_with("2 × trace id not of 16 bytes"));
}

#[test]
fn only_replays_may_be_old_and_say_when_they_were_received() {
    let mut old = span(vec![]);
    old.started_at_ns = 1_000_000_000;
    old.ended_at_ns = 2_000_000_000;
    let mut export = export(vec![old]);
    export.batches[0]
        .resource
        .push(Attribute { name: attribute::CLOCK_RECEIVED.to_owned(), value: Value::Integer(3_000_000_999) });
    let run = |source| admit(&export, &policy(), source);
    let network = run(Source::ANY_SENDER);
    assert_eq!((network.admitted.len(), network.dropped.get(attribute::CLOCK_RECEIVED)), (0, Some(&1)));
    for source in [Source::Network { any_time: true, systems: &Systems::All }, Source::File] {
        let replay = run(source);
        let received = replay.admitted.rows().column_by_name("received_at").unwrap();
        assert_eq!(received.as_primitive::<TimestampMicrosecondType>().value(0), 3_000_000);
        assert_eq!(replay.counts.late, 0);
    }
}

#[test]
fn a_sender_bound_to_systems_writes_no_other_and_none_unnamed() {
    let mine = Systems::These(["ndelius".to_owned(), "crc-#".to_owned()].into());
    let resource =
        |system: Option<&str>| system.map(|name| Attribute::text("service.name", name)).into_iter().collect();
    let batch = |system, spans| Batch { resource: resource(system), spans: vec![span(vec![]); spans] };
    let export: Plain = vec![
        batch(Some("ndelius"), 1),
        batch(Some("oasys"), 2),
        // As it is stored, which is what the token is for.
        batch(Some("crc-1234"), 4),
        batch(None, 8),
    ]
    .into();
    let source = Source::Network { any_time: false, systems: &mine };
    let admission = admit(&export, &policy(), source);
    assert_eq!((admission.admitted.len(), admission.counts.received, admission.counts.refused), (5, 15, 10));
    assert_eq!(admission.refused, BTreeMap::from([(Refusal::OtherSystem, 10)]));
    assert_eq!(admission.refusal_message().unwrap(), "10 × of a system that the token may not write");
    for source in [Source::ANY_SENDER, Source::File] {
        assert_eq!(admit(&export, &policy(), source).admitted.len(), 15);
    }
}

#[test]
fn a_file_that_tells_no_time_of_receipt_tells_nothing_of_the_clock() {
    for (received, sent_is_kept) in [(false, false), (true, true)] {
        let mut export = export(vec![span(vec![])]);
        let clock = |name: &str| Attribute { name: name.to_owned(), value: Value::Integer(5_000) };
        export.batches[0].resource.push(clock(attribute::CLOCK_SENT));
        export.batches[0].resource.extend(received.then(|| clock(attribute::CLOCK_RECEIVED)));
        let admission = admit(&export, &policy(), Source::File);
        let sent = admission.admitted.rows().column_by_name("sent_at").unwrap();
        assert_eq!(sent.is_valid(0), sent_is_kept);
    }
}

#[test]
fn attributes_stay_by_exact_name_and_others_are_counted() {
    let mut attributes = vec![
        a("http.route", "/case/123456/contact"),
        Attribute { name: "http.response.status_code".into(), value: Value::Integer(500) },
        a("http.routes", "x"),
        a("error.type", &"e".repeat(1_000)),
    ];
    attributes.extend((0..300).map(|index| a(&format!("n{}", char::from_u32(0x4e00 + index).unwrap()), "v")));
    let admission = admit_network(vec![span(attributes)]);
    let shown = pretty_format_batches(&[admission.admitted.rows().project(&[32]).unwrap()]).unwrap().to_string();
    assert!(shown.contains("/case/#/contact") && shown.contains("500") && !shown.contains("http.routes"), "{shown}");
    assert!(!shown.contains(&"e".repeat(81)));
    assert_eq!(admission.counts.attributes_dropped, 302);
    assert_eq!(admission.dropped.values().sum::<u64>(), 302);
    assert!(admission.dropped.len() <= 201 && admission.dropped["http.routes"] == 1);
}

#[test]
fn a_span_names_at_most_eight_cases_each_once() {
    let ids = (0..20).map(|index| format!("c{}", index / 2)).collect();
    let rows = row_of(vec![Attribute { name: "casework.case.id".into(), value: Value::Texts(ids) }]);
    assert_eq!(rows.column_by_name("case_refs").unwrap().as_list::<i32>().value(0).len(), 8);
}

#[test]
fn retaining_keeps_the_rows_asked_for() {
    let admission = admit_network(vec![span(vec![]), span(vec![])]);
    let one = admission.admitted.retain(&BooleanArray::from(vec![true, false])).unwrap();
    assert_eq!((one.len(), admission.admitted.len()), (1, 2));
}

proptest! {
    #[test]
    fn any_span_is_admitted_or_refused_and_counted_once(
        trace in prop::collection::vec(any::<u8>(), 0..20),
        id in prop::collection::vec(any::<u8>(), 0..10),
        start in any::<u64>(),
        end in any::<u64>(),
        names in prop::collection::vec(prop::sample::select(vec![
            "casework.interaction", "casework.case.id", "casework.value.text", "casework.value.digest", "casework.continues",
            "app.screen.name", "casework.value.kind", "casework.input.keystrokes", "http.route", "x",
        ]), 0..10),
        value in any::<String>(),
        number in any::<i64>(),
        replay in any::<bool>(),
    ) {
        let attributes = names
            .into_iter()
            .enumerate()
            .map(|(index, name)| Attribute {
                name: name.to_owned(),
                value: if index % 3 == 0 { Value::Integer(number) } else { Value::Text(value.clone()) },
            })
            .collect();
        let sent = Span { trace_id: trace, span_id: id, started_at_ns: start, ended_at_ns: end, attributes, ..Span::default() };
        let source = if replay { Source::File } else { Source::ANY_SENDER };
        let admission = admit(&export(vec![sent]), &policy(), source);
        prop_assert_eq!(admission.admitted.len() as u64 + admission.counts.refused, 1);
    }
}
