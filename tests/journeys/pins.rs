//! An auditor's questions: pinned versions, scripts that narrow, formats, and errors that say where.

use std::io::Write as _;

use gilbreth_tests::program::{Program, text};

/// A store that was refreshed twice, the second time over more days.
fn store(program: &Program, folder: &std::path::Path) -> String {
    let at = |name: &str| folder.join(name).to_string_lossy().into_owned();
    program.succeed(["simulate", "--out", &at("otlp"), "--staff", "12", "--weeks", "1", "--seed", "3"]);
    let mut files: Vec<_> =
        std::fs::read_dir(folder.join("otlp")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let (first, rest) = files.split_at(2);
    for part in [first, rest] {
        let mut ingest = program.command();
        let done = ingest.args(["ingest", "--store", &at("store")]).args(part).output().unwrap();
        assert!(done.status.success(), "{}", text(&done.stderr));
        program.succeed(["refresh", "--store", &at("store")]);
    }
    at("store")
}

#[test]
fn a_pinned_answer_stays_and_a_script_narrows_what_follows() {
    let folder = tempfile::tempdir().unwrap();
    let program = crate::program();
    let store = store(&program, folder.path());
    let sql = |more: &[&str]| program.run([&["sql", "--store", &store, "--format", "csv"], more].concat());
    let value = |more: &[&str]| text(&sql(more).stdout).lines().last().unwrap_or_default().to_owned();

    let versions: serde_json::Value =
        serde_json::from_str(&program.succeed(["versions", "--store", &store, "--format", "json"])).unwrap();
    let numbers: Vec<_> =
        versions.as_array().unwrap().iter().map(|version| version["version"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [1, 2]);
    assert!(versions[0]["tables"]["intake"].is_u64() && versions[0]["tables"]["spans"].is_u64());
    assert!(program.succeed(["versions", "--store", &store]).starts_with("version  written (UTC)"));

    let days = "SELECT count(DISTINCT day) FROM ledger";
    assert_eq!((value(&["--as-of", "1", days]), value(&[days])), ("2".to_owned(), "5".to_owned()));
    let script = format!("SET gilbreth.as_of = 1;\n{days};\nRESET gilbreth.as_of; {days}");
    let said = text(&sql(&[&script]).stdout);
    assert_eq!(said.lines().filter(|line| !line.contains("count")).collect::<Vec<_>>(), ["2", "5"], "{said}");

    for (arguments, words) in [
        (vec!["--as-of", "7", days], vec!["there is no version 7", "1 to 2"]),
        (vec!["--system", "no-such", days], vec!["no time was measured of system `no-such`", "ndelius"]),
        (
            vec!["SELECT 1;\nSELECT day,\n  nothing FROM ledger"],
            vec!["statement 2, from line 2", "line 3, column 3", "nothing"],
        ),
        (vec!["SET gilbreth.to = 'x'; SELECT 1"], vec!["statement 1", "`to` is `x`"]),
        (vec!["/* nothing */\n;"], vec!["there is no query to run"]),
    ] {
        let output = sql(&arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(words.iter().all(|word| said.contains(word)), "{words:?}: {said}");
    }
    assert_eq!(program.run(["report", "--store", &store, "--out", &store, "--as-of", "7"]).status.code(), Some(1));
    assert!(program.succeed(["schema", "--store", &store, "--as-of", "1", "waits"]).contains("p95_s"));
}

#[test]
fn every_format_holds_the_rows_and_a_failing_query_leaves_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let program = crate::program();
    let store = folder.path().join("store").to_string_lossy().into_owned();
    assert!(program.serve(std::path::Path::new(&store), &[]).stop());
    let query = "SELECT * FROM (VALUES (1, 'a,b'), (2, NULL)) AS t (n, label) ORDER BY n";
    let run = |format: &str| program.run(["sql", "--store", &store, "--format", format, query]).stdout;
    assert_eq!(text(&run("csv")), "n,label\n1,\"a,b\"\n2,\n");
    assert_eq!(text(&run("json")), "[{\"n\":1,\"label\":\"a,b\"},{\"n\":2,\"label\":null}]\n");
    assert_eq!(text(&run("ndjson")), "{\"n\":1,\"label\":\"a,b\"}\n{\"n\":2,\"label\":null}\n");
    assert!(text(&run("table")).contains("| 1 | a,b   |"));
    assert!(run("parquet").starts_with(b"PAR1") && run("parquet").ends_with(b"PAR1"));
    assert!(run("arrow").starts_with(&[0xff, 0xff, 0xff, 0xff]));

    let file = folder.path().join("rows.csv").to_string_lossy().into_owned();
    let to_file =
        |sql: &str| program.run(["sql", "--store", &store, "--format", "csv", "--file", &file, sql]).status.code();
    assert_eq!(to_file(query), Some(0));
    assert_eq!(to_file("SELECT nothing FROM spans"), Some(1));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "n,label\n1,\"a,b\"\n2,\n");
    assert_eq!(
        std::fs::read_dir(folder.path())
            .unwrap()
            .filter(|entry| { entry.as_ref().unwrap().file_name().to_string_lossy().ends_with(".part") })
            .count(),
        0
    );

    let mut child = program
        .command()
        .args(["sql", "--store", &store, "--format", "csv"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"SELECT 1 AS one;").unwrap();
    assert_eq!(text(&child.wait_with_output().unwrap().stdout), "one\n1\n");
}
