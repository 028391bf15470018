//! An OpenTelemetry SDK that is not ours exports into `serve`, and its spans can be queried.

use std::{path::PathBuf, process::Command};

/// `GILBRETH_TEST_PYTHON` names an interpreter that has the SDK (`.ci/run` makes one, and there the journey must run);
/// else any `python3` that has it.
fn python() -> Option<PathBuf> {
    if let Some(python) = std::env::var_os("GILBRETH_TEST_PYTHON") {
        return Some(PathBuf::from(python));
    }
    let probe = Command::new("python3").args(["-c", "import opentelemetry.exporter.otlp.proto.http"]).output().ok()?;
    probe.status.success().then(|| PathBuf::from("python3"))
}

#[test]
fn the_python_sdk_exports_into_serve_and_its_spans_are_queryable() {
    let Some(python) = python() else {
        eprintln!("not run: no Python with opentelemetry-sdk; .ci/run installs one and sets GILBRETH_TEST_PYTHON");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let program = crate::program();
    let service = program.serve(&store, &[]);
    let output = Command::new(python)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/journeys/sdk.py"))
        .arg(format!("http://{}", service.otlp()))
        .output()
        .unwrap();
    let said = gilbreth_tests::program::text(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(service.stop());
    let row = program.succeed([
        "sql",
        "--store",
        &store.to_string_lossy(),
        "--format",
        "csv",
        "SELECT count(*), count(DISTINCT field), count(DISTINCT value_digest), sum(keystrokes), count(DISTINCT worker), \
         min(system), min(release) FROM spans WHERE kind = 'entry' AND day >= DATE '2026-01-01'",
    ]);
    assert_eq!(row.lines().nth(1), Some("25,25,1,300,1,python-case-system,3.2"), "{row}");
}
