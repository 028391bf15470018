//! Clear identifiers and values are sent in every attribute that can carry them; no file of the store holds any.

use std::path::{Path, PathBuf};

use datafusion::prelude::{ParquetReadOptions, SessionContext};
use gilbreth_conventions::attribute;
use gilbreth_tests::{http::Client, spans};
use opentelemetry_proto::tonic::trace::v1::{Span, Status, span};

/// Each would be found in any letter case.
const CANARIES: [&str; 14] = [
    "canaryworker",
    "canarycase",
    "canarysecond",
    "canarytask",
    "canarysession",
    "canaryrecord",
    "canaryvalue",
    "canarystatus",
    "canaryevent",
    "canarylink",
    "canaryunlisted",
    "canarystate",
    "7391046",
    "8264917",
];

#[test]
fn nothing_that_names_a_person_a_case_or_a_value_is_in_any_file() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let program = crate::program();
    let service = program.serve(&store, &[]);
    let client = Client::new();
    let mut request = spans::request("ndelius", (0..20).flat_map(|id| telling(id * 100)).collect());
    assert_eq!(client.export(service.otlp(), &request).unwrap().status, 200);
    // A system that names itself by a number, and a resource that tells more than it should.
    request = spans::request("ndelius of 7391046", telling(5_000));
    let resource = request.resource_spans[0].resource.as_mut().unwrap();
    resource.attributes.extend([
        spans::text("telemetry.sdk.name", "sdk 8264917"),
        spans::text("deployment.environment.name", "desk 8264917"),
        spans::text("host.name", "canaryunlisted"),
    ]);
    assert_eq!(client.export(service.otlp(), &request).unwrap().status, 200);
    let json = ("content-type", "application/json");
    let logs = client.post(service.otlp(), "/v1/logs", &[json], clicks().to_string().into_bytes()).unwrap();
    assert_eq!(logs.status, 200);

    // While the rows are in the log alone …
    service.kill();
    let log = raw(&store);
    assert!(files(&store).iter().any(|file| file.extension().is_some_and(|end| end == "log")), "there is a log");
    // … and when they are in the table.
    assert!(program.serve(&store, &[]).stop());
    program.succeed(["refresh", "--store", &store.to_string_lossy()]);
    assert_eq!(program.sql_value(&store, "SELECT count(*) FROM spans"), "358");
    assert_eq!(program.sql_value(&store, "SELECT count(*) FROM spans WHERE system = 'ndelius of #'"), "17");
    assert_eq!(program.sql_value(&store, "SELECT count(*) FROM spans WHERE organisation = 'Company #'"), "358");
    let table = decoded(&store);

    assert!(contains(&table, "ndelius") && contains(&log, "ndelius"), "the search finds what is there");
    for canary in CANARIES {
        for (place, bytes) in [("the log", &log), ("a table", &table), ("a file", &raw(&store))] {
            assert!(!contains(bytes, canary), "{canary} is in {place}");
        }
    }
}

/// A span of each kind of value, with a canary wherever a sender could put one.
fn telling(first: u64) -> Vec<Span> {
    let now = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
    let mut made = Vec::new();
    for (at, kind) in
        ["name", "date", "number", "identifier", "postcode", "phone", "email", "choice", "text", "unknown kind"]
            .into_iter()
            .enumerate()
    {
        made.push((at, vec![spans::text(attribute::VALUE_KIND, kind)]));
    }
    for (at, worker) in attribute::WORKER.into_iter().enumerate() {
        made.push((10 + at, vec![spans::text(worker, "Canaryworker")]));
    }
    made.push((14, vec![spans::texts(attribute::CASE_ID, &["CANARYCASE", "CanarySecond"])]));
    made.push((15, vec![spans::text("some.attribute.canaryunlisted", "canaryunlisted")]));
    made.push((
        16,
        vec![
            spans::text(attribute::VALUE_DIGEST, "canaryvalue"),
            spans::texts(attribute::VALUE_PARTS, &["canaryvalue", "8264917"]),
        ],
    ));
    made.into_iter()
        .map(|(at, mut more)| {
            more.extend([
                spans::text(attribute::SESSION_ID, "CANARYSESSION"),
                spans::text(attribute::RECORD_ID, "canaryrecord"),
                spans::text(attribute::TASK_ID, "CanaryTask"),
                spans::text(attribute::VALUE_TEXT, "Canaryvalue 7391046"),
                // The less preferred name is what is kept where there is no other.
                spans::text(attribute::SCREEN[at % 2], "Person 7391046"),
                spans::text(attribute::FIELD[at % 2], "Field 8264917"),
                spans::text(attribute::WORKER_ORGANISATION, "Company 8264917"),
                spans::text(attribute::WORKER_TEAM, "Team of 7391046"),
                spans::text(attribute::WORKER_ROLE, "Role 8264917"),
                spans::text("error.type", "no case X7391046"),
                spans::text("db.operation.name", "select 8264917"),
                spans::text("url.template", "/case/7391046"),
                spans::number("http.response.status_code", 8_264_917),
                spans::text(attribute::FUNCTION, "function 8264917"),
                spans::text(attribute::TASK_NAME, "Task 7391046"),
                spans::text(attribute::CONTINUES, "canaryvalue"),
            ]);
            if !more.iter().any(|attribute| attribute.key == attribute::CASE_ID) {
                more.push(spans::text(attribute::CASE_ID, "CanaryCase"));
            }
            let id = first + u64::try_from(at).unwrap();
            let mut span = spans::interaction(id, "entry", now - 2_000, now, more);
            span.name = "entry of 8264917".to_owned();
            span.trace_state = "canarystate=1".to_owned();
            span.status = Some(Status { message: "canarystatus".to_owned(), code: 2 });
            span.events = vec![span::Event { name: "canaryevent".to_owned(), ..span::Event::default() }];
            span.links = vec![span::Link { trace_state: "canarylink".to_owned(), ..span::Link::default() }];
            span
        })
        .collect()
}

/// A log record that becomes a row, with a canary wherever one could be put.
fn clicks() -> serde_json::Value {
    let attributes: Vec<_> = [
        (attribute::WORKER[0], "Canaryworker"),
        (attribute::SESSION_ID, "canarysession"),
        (attribute::CASE_ID, "canarycase"),
        (attribute::VALUE_TEXT, "canaryvalue"),
        (attribute::WORKER_ORGANISATION, "Company 8264917"),
        (attribute::SCREEN[1], "Person 7391046"),
        (attribute::FIELD[1], "Field 8264917"),
        ("error.type", "no case X7391046"),
        ("some.attribute", "canaryunlisted"),
    ]
    .map(|(key, value)| serde_json::json!({"key": key, "value": {"stringValue": value}}))
    .into();
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos();
    serde_json::json!({"resourceLogs": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "ndelius"}}]},
        "scopeLogs": [{"logRecords": [{
            "eventName": "app.widget.click",
            "timeUnixNano": now.to_string(),
            "body": {"stringValue": "canaryvalue 7391046"},
            "attributes": attributes,
        }]}],
    }]})
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// Every file's bytes, and every file's name.
pub(crate) fn raw(store: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for file in files(store) {
        all.extend(file.to_string_lossy().as_bytes());
        all.extend(std::fs::read(&file).unwrap());
    }
    all
}

/// The rows of every Parquet file, as Arrow writes them without compression: text and binary alike lie there in clear.
pub(crate) fn decoded(store: &Path) -> Vec<u8> {
    let parquet: Vec<_> =
        files(store).into_iter().filter(|file| file.extension().is_some_and(|end| end == "parquet")).collect();
    assert!(!parquet.is_empty());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let context = SessionContext::new();
        let mut all = Vec::new();
        for file in parquet {
            let frame = context.read_parquet(file.to_str().unwrap(), ParquetReadOptions::default()).await.unwrap();
            let schema = frame.schema().as_arrow().clone();
            let mut writer = arrow::ipc::writer::StreamWriter::try_new(&mut all, &schema).unwrap();
            for batch in frame.collect().await.unwrap() {
                writer.write(&batch).unwrap();
            }
            writer.finish().unwrap();
        }
        all
    })
}

pub(crate) fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window.eq_ignore_ascii_case(text.as_bytes()))
}
