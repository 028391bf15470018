//! Bad input gets a clear error, and the service stays up.

use std::process::Output;

use gilbreth_tests::{http::Client, program::text, spans};

type Header = (&'static str, &'static str);

#[test]
fn bad_requests_are_refused_in_their_own_encoding_and_the_service_stays_up() {
    let folder = tempfile::tempdir().unwrap();
    let service = crate::program().serve(&folder.path().join("store"), &[]);
    let client = Client::new();
    let to = service.otlp();
    let json = ("content-type", "application/json");
    let protobuf = ("content-type", "application/x-protobuf");
    let gzip = ("content-encoding", "gzip");
    let cases: Vec<(Vec<Header>, Vec<u8>, u16)> = vec![
        (vec![protobuf], b"\xff\xff\xff".to_vec(), 400),
        (vec![protobuf], b"{\"resourceSpans\":[]}".to_vec(), 400),
        (vec![json], b"{\"resourceSpans\":[".to_vec(), 400),
        (vec![json], b"{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"traceId\":\"zz\"}]}]}]}".to_vec(), 400),
        (vec![protobuf, gzip], b"not gzip".to_vec(), 400),
        (vec![protobuf, ("content-encoding", "br")], Vec::new(), 415),
        (vec![("content-type", "application/xml")], b"<spans/>".to_vec(), 415),
        (vec![], b"?".to_vec(), 415),
    ];
    for (headers, body, status) in cases {
        let answer = client.post(to, "/v1/traces", &headers, body).unwrap();
        assert_eq!(answer.status, status, "{headers:?}: {}", text(&answer.body));
        if headers.contains(&json) {
            let said: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
            assert!(!said["message"].as_str().unwrap().is_empty(), "a google.rpc.Status with a message");
        } else if headers.contains(&protobuf) {
            assert_eq!(answer.content_type, "application/x-protobuf");
        }
    }
    let good = spans::request("ndelius", Vec::new());
    assert_eq!(client.export(to, &good).unwrap().status, 200);
    assert_eq!(client.get(to, "/readyz").unwrap().status, 200);
    assert!(service.stop());
}

#[test]
fn a_store_that_is_absent_locked_or_newer_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let program = crate::program();
    let absent = folder.path().join("absent").to_string_lossy().into_owned();
    for command in ["sql", "refresh", "schema"] {
        let more: &[&str] = if command == "sql" { &["SELECT 1"] } else { &[] };
        let output = program.run([&[command, "--store", &absent], more].concat());
        says(&output, &["there is no store at", &absent]);
    }

    let store = folder.path().join("store");
    let service = program.serve(&store, &[]);
    let path = store.to_string_lossy().into_owned();
    says(&program.run(["refresh", "--store", &path]), &["being written by process", &path]);
    let port = service.otlp().to_string();
    let other = folder.path().join("other").to_string_lossy().into_owned();
    let busy = program.run([
        "serve",
        "--store",
        &other,
        "--otlp-http",
        &port,
        "--otlp-grpc",
        "127.0.0.1:0",
        "--web",
        "127.0.0.1:0",
    ]);
    says(&busy, &[&port, "in use"]);
    assert!(service.stop());

    let manifest = store.join("store.toml");
    let now = std::fs::read_to_string(&manifest).unwrap();
    let newer = now.replace("format = 2", "format = 99");
    assert_ne!(newer, now, "the manifest names its format");
    std::fs::write(&manifest, newer).unwrap();
    says(&program.run(["sql", "--store", &path, "SELECT 1"]), &["99", "newer"]);
}

#[test]
fn a_mapping_that_names_a_missing_column_says_which() {
    let folder = tempfile::tempdir().unwrap();
    let mapping = include_str!("../../sample-data/mappings/student-record.toml");
    assert!(mapping.contains("\"eventType\""), "the mapping names the recorder's column");
    let wrong = folder.path().join("wrong.toml");
    std::fs::write(&wrong, mapping.replace("\"eventType\"", "\"eventKind\"")).unwrap();
    let store = folder.path().join("store").to_string_lossy().into_owned();
    let output = crate::program().run([
        "import",
        "--store",
        &store,
        "--mapping",
        &wrong.to_string_lossy(),
        concat!(env!("CARGO_MANIFEST_DIR"), "/sample-data/recordings/StudentRecord.csv"),
    ]);
    says(&output, &["StudentRecord.csv", "eventKind"]);
}

#[test]
fn wrong_usage_is_exit_2_and_bad_sql_is_exit_1() {
    let folder = tempfile::tempdir().unwrap();
    let program = crate::program();
    assert_eq!(program.run(["serve", "--colour"]).status.code(), Some(2));
    let store = folder.path().join("store");
    assert!(program.serve(&store, &[]).stop());
    let path = store.to_string_lossy().into_owned();
    says(&program.run(["sql", "--store", &path, "SELECT nothing FROM spans"]), &["nothing"]);
    // A query that cannot be planned leaves the file of the one before.
    let file = folder.path().join("result.csv");
    let into = ["sql", "--store", &path, "--format", "csv", "--file", &file.to_string_lossy()].map(str::to_owned);
    program.succeed(into.iter().map(String::as_str).chain(["SELECT 1 AS one"]));
    says(&program.run(into.iter().map(String::as_str).chain(["SELECT nothing FROM spans"])), &["nothing"]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "one\n1\n");
    let names = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(names.into_iter().all(|name| !name.to_string_lossy().ends_with(".tmp")), "no half file is left");
    for writing in [
        "DROP TABLE spans",
        "CREATE TABLE t AS SELECT 1",
        "COPY spans TO 'x.csv'",
        "INSERT INTO spans SELECT * FROM spans",
    ] {
        assert_eq!(program.run(["sql", "--store", &path, writing]).status.code(), Some(1), "{writing}");
    }
}

/// Exit code 1, and every one of these words on standard error.
fn says(output: &Output, words: &[&str]) {
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for word in words {
        assert!(said.contains(word), "{word:?} is not in: {said}");
    }
}
