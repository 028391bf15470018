//! Reference data, loaded as an auditor loads them.

use std::path::Path;

use gilbreth_conventions::attribute;
use gilbreth_tests::{
    http::Client,
    program::{Program, text},
    spans,
};

use crate::canary::{contains, decoded, raw};

/// Names of people, each of which would be found in any letter case.
const CANARIES: [&str; 4] = ["canarylogin", "canaryperson", "canaryrespondent", "canaryobserved"];

const DIRECTORY: &str = "system,login,person,organisation,team,role,valid_from,valid_to\n\
                         ndelius,CanaryLogin,Canaryperson,NPS,east,officer,2026-01-01,\n";
const SURVEY: &str =
    "respondent,organisation,role,system,hours_per_week,asked_on\nCanaryRespondent,NPS,officer,ndelius,5,\n";
const DIARY: &str = "person,day,activity,minutes,organisation,role\nCanaryobserved,2026-10-05,contact,90,NPS,officer\n";
const STAFFING: &str = "organisation,role,headcount,hourly_cost\nNPS,officer,410,27.5\n";
const TASKS: &str = "[[tasks]]\nname = \"assess\"\n\
                     start = { kind = \"navigation\", system = \"oasys\", screen = \"form\" }\n\
                     end = { kind = \"action\", system = \"oasys\", screen = \"sign\" }\n";

/// `NAME=FILE` of a file with that text.
fn file(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(format!("{name}.csv"));
    std::fs::write(&path, text).unwrap();
    format!("{name}={}", path.display())
}

fn one_span(program: &Program, store: &Path) {
    let service = program.serve(store, &[]);
    let now = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
    let worker = vec![spans::text(attribute::WORKER[0], "canarylogin ")];
    let request = spans::request("ndelius", vec![spans::interaction(1, "entry", now - 2_000, now, worker)]);
    assert_eq!(Client::new().export(service.otlp(), &request).unwrap().status, 200);
    assert!(service.stop());
}

#[test]
fn reference_data_are_loaded_without_the_names_in_them_and_hold_from_the_next_refresh() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let path = store.to_string_lossy().into_owned();
    let program = crate::program();
    let files =
        [("directory", DIRECTORY), ("survey", SURVEY), ("diary", DIARY), ("staffing", STAFFING), ("tasks", TASKS)];
    let files = files.map(|(name, text)| file(folder.path(), name, text));
    let load = || program.run(["reference", "--store", &path].into_iter().map(str::to_owned).chain(files.clone()));

    // There is no store yet: this makes it.
    let output = load();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(output.stdout.is_empty());
    for words in ["directory 1 row", "tasks 2 rows", "gilbreth refresh --store"] {
        assert!(said.contains(words), "{words:?} is not in: {said}");
    }
    one_span(&program, &store);
    program.succeed(["refresh", "--store", &path]);
    let value = |sql: &str| program.sql_value(&store, sql);
    assert_eq!(value("SELECT headcount FROM staffing WHERE organisation = 'NPS' AND role = 'officer'"), "410");
    assert_eq!(value("SELECT count(*) FROM spans JOIN directory ON worker = login"), "1");
    assert_eq!(value("SELECT sum(minutes) FROM diary WHERE activity = 'contact'"), "90.0");

    // The same files again change nothing; another one is recorded beside the facts.
    assert!(text(&load().stderr).contains("directory 1 row as before"));
    assert!(text(&program.run(["refresh", "--store", &path]).stderr).contains("already up to date, version 1"));
    let more = file(folder.path(), "staffing", &STAFFING.replace("410", "411"));
    program.succeed(["reference", "--store", &path, &more]);
    assert!(text(&program.run(["refresh", "--store", &path]).stderr).contains("version 2, with other reference data"));
    assert_eq!(value("SELECT sum(headcount) FROM staffing"), "411");

    let meanings = program.succeed(["schema", "--store", &path, "staffing"]);
    assert!(meanings.contains("staffing (table): an organisation and a role"), "{meanings}");
    assert!(meanings.contains("people employed"), "{meanings}");

    let rows = decoded(&store);
    assert!(contains(&rows, "officer"), "the search finds what is there");
    for canary in CANARIES {
        for (place, bytes) in [("a table", &rows), ("a file", &raw(&store))] {
            assert!(!contains(bytes, canary), "{canary} is in {place}");
        }
    }
}

#[test]
fn a_bad_file_is_named_by_line_and_column_and_nothing_is_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let path = store.to_string_lossy().into_owned();
    let program = crate::program();
    let good = file(folder.path(), "staffing", STAFFING);
    let bad = file(folder.path(), "directory", &DIRECTORY.replace("2026-01-01", "canary"));
    let output = program.run(["reference", "--store", &path, &good, &bad]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for words in ["directory.csv: line 2, column valid_from: must be a day", "nothing is loaded: 1 fault in"] {
        assert!(said.contains(words), "{words:?} is not in: {said}");
    }
    assert!(!contains(said.as_bytes(), "canary"), "{said}");
    assert!(!store.exists() && !folder.path().join("store.key").exists(), "a bad file leaves nothing behind");

    let output = program.run(["reference", "--store", &path, "staffing=absent.csv"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("cannot read absent.csv"));

    for (files, words) in [
        (
            ["staff=a.csv", "holidays=b.csv"],
            "staffing, directory, holidays, survey, diary, go_lives, tasks, categories",
        ),
        (["staffing=a.csv", "staffing=b.csv"], "staffing is named twice"),
        (["staffing.csv", "holidays=b.csv"], "NAME=FILE"),
        (["staffing=", "holidays=b.csv"], "it names no file"),
    ] {
        let output = program.run(["reference", "--store", &path].into_iter().chain(files));
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(words), "{words:?} is not in: {said}");
    }

    let service = program.serve(&store, &[]);
    let output = program.run(["reference", "--store", &path, &good]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("cannot be sent to a running service") && said.contains("process"), "{said}");
    assert!(service.stop());
}
