//! The measurement against a truth that is known second by second.
//!
//! Small estates in CI; `GILBRETH_TEST_STAFF=200 GILBRETH_TEST_WEEKS=4` is the long form. `GILBRETH_SCORE_SEEDS=50` counts how
//! often the interval of the headline holds the generator's mean; in CI, over a few seeds, only that it can be counted.

use std::path::{Path, PathBuf};
use std::process::Output;

use gilbreth_tests::program::text;

fn size(variable: &str, default: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| default.to_owned())
}

/// Simulates, ingests, refreshes, and returns the exit code of `score` with what it printed.
fn score(scenario: &str, seed: u64) -> (Option<i32>, String) {
    let output = score_as(scenario, seed, "table");
    (output.status.code(), format!("{}{}", text(&output.stdout), text(&output.stderr)))
}

fn score_as(scenario: &str, seed: u64, format: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let program = crate::program();
    let (staff, weeks) = (size("GILBRETH_TEST_STAFF", "60"), size("GILBRETH_TEST_WEEKS", "2"));
    program.succeed(
        ["simulate", "--out", &at("otlp"), "--truth", &at("truth"), "--scenario", scenario].into_iter().chain([
            "--seed",
            &seed.to_string(),
            "--staff",
            &staff,
            "--weeks",
            &weeks,
        ]),
    );
    let files = files(&folder.path().join("otlp"));
    program.succeed(["ingest", "--store", &at("store")].map(PathBuf::from).into_iter().chain(files));
    program.succeed(["refresh", "--store", &at("store")]);
    program.succeed(["report", "--store", &at("store"), "--out", &at("report")]);
    let report = std::fs::read_to_string(folder.path().join("report/report.html")).unwrap();
    assert!(report.contains("Simulated data."), "a simulation is named however it came into the store");
    program.run(["score", "--store", &at("store"), "--truth", &at("truth"), "--format", format])
}

#[test]
fn what_is_measured_on_a_clean_estate_is_what_happened() {
    for seed in [1, 2, 3] {
        let (code, said) = score("clean", seed);
        assert_eq!(code, Some(0), "seed {seed}\n{said}");
    }
}

#[test]
fn what_is_measured_on_a_hard_estate_is_what_happened() {
    for seed in [1, 2, 3] {
        let (code, said) = score("hard", seed);
        assert_eq!(code, Some(0), "seed {seed}\n{said}");
    }
}

#[test]
fn the_reference_data_of_a_simulation_load_and_go_with_its_spans() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let program = crate::program();
    let simulate = ["simulate", "--out", &at("otlp"), "--reference", &at("reference"), "--staff", "30", "--weeks", "1"];
    program.succeed(simulate.into_iter().chain(["--scenario", "hard", "--logins-apart"]));
    let files = files(&folder.path().join("otlp"));
    program.succeed(["ingest", "--store", &at("store")].map(PathBuf::from).into_iter().chain(files));
    let named = ["staffing", "directory", "holidays", "survey", "diary", "go_lives", "categories"]
        .map(|name| format!("{name}={}", at(&format!("reference/{name}.csv"))));
    let tasks = format!("tasks={}", at("reference/tasks.toml"));
    let load = ["reference".to_owned(), "--store".to_owned(), at("store")];
    program.succeed(load.into_iter().chain(named).chain([tasks]));
    program.succeed(["refresh", "--store", &at("store")]);
    let ask = |sql: &str| {
        let output = program.run(["sql", "--store", &at("store"), "--format", "csv", sql]);
        let said = text(&output.stdout);
        said.lines().last().unwrap().to_owned()
    };
    // Every login that was seen is in the directory, and staffing has a row for each place where anybody was seen.
    let strangers = "SELECT count(*) FROM spans s LEFT JOIN directory d ON d.system = s.system AND d.login = s.worker \
                     WHERE s.worker IS NOT NULL AND d.login IS NULL";
    assert_eq!(ask(strangers), "0");
    let unstaffed = "SELECT count(*) FROM spans s LEFT JOIN staffing t ON t.organisation = s.organisation AND \
                     t.role = s.role WHERE s.worker IS NOT NULL AND t.role IS NULL";
    assert_eq!(ask(unstaffed), "0");
    assert_eq!(ask("SELECT count(DISTINCT person) FROM directory"), "30");
    // What is resampled for a claim is what the claim says; few have a part in management.
    let resampled = "SELECT count(*), count(c.low) FROM claims c JOIN intervals i ON i.view_name = 'claims' AND \
                     i.measure = CASE c.number WHEN 1 THEN 're_entry_across_systems' \
                     WHEN 3 THEN 'fields_again_per_task' WHEN 7 THEN 'systems_per_task' \
                     WHEN 8 THEN 'share_of_management_functions' WHEN 10 THEN 'lost_work_and_unavailable' END \
                     WHERE c.figure > 0 AND abs(i.value / c.figure - 1) < 1e-6 AND (c.low IS NOT DISTINCT FROM i.low) \
                     AND coalesce(c.low < c.figure AND c.figure < c.high, true)";
    assert_eq!(ask(resampled), "5,4");
}

#[test]
fn intervals_of_95_percent_hold_the_generators_mean_about_so_often() {
    let seeds: u32 = size("GILBRETH_SCORE_SEEDS", "2").parse().unwrap();
    let (mut truths, mut intervals) = (Vec::new(), Vec::new());
    for seed in 1..=seeds {
        let output = score_as("clean", u64::from(seed) + 1_000, "json");
        let scores: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let rows = scores["rows"].as_array().unwrap();
        let lost = rows.iter().find(|row| row["figure"] == "lost hours per person-week").unwrap();
        truths.push(lost["truth"].as_f64().unwrap());
        let figure = "interval of lost hours per person-week";
        match rows.iter().find(|row| row["figure"] == figure) {
            Some(row) => intervals.push((row["low"].as_f64().unwrap(), row["high"].as_f64().unwrap())),
            None => assert!(scores["skipped"].to_string().contains(figure), "{scores}"),
        }
    }
    // The mean over the seeds stands for the generator's: it is that mean's best estimate, and each seed weighs little.
    let mean = truths.iter().sum::<f64>() / f64::from(seeds);
    if seeds >= 50 {
        let held = intervals.iter().filter(|(low, high)| (*low..=*high).contains(&mean)).count();
        let share = held as f64 / f64::from(seeds);
        eprintln!("{held} of {seeds} intervals hold {mean}, {} seeds have one", intervals.len());
        assert!((0.90..=1.0).contains(&share), "{held} of {seeds} intervals hold {mean}");
    }
}

#[test]
fn nothing_is_called_re_entry_where_nothing_was_keyed_again() {
    let (code, said) = score("no-re-entry", 1);
    assert_eq!(code, Some(0), "{said}");
}

/// Every fact table, as text in an order of its own.
const FACTS: [&str; 6] = ["ledger", "matches", "pair_counts", "task_instances", "worker_weeks", "case_links"];

#[test]
fn facts_do_not_depend_on_how_the_input_is_split_or_in_which_order_it_comes() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let program = crate::program();
    program.succeed(["simulate", "--out", &at("otlp"), "--staff", "14", "--weeks", "1", "--seed", "5"]);
    let in_order = files(&folder.path().join("otlp"));
    assert!(in_order.len() >= 5);

    let ingest = |store: &str, files: &[PathBuf]| {
        program.succeed(["ingest", "--store", store].map(PathBuf::from).into_iter().chain(files.iter().cloned()));
    };
    ingest(&at("once"), &in_order);
    program.succeed(["refresh", "--store", &at("once")]);

    // The same estate has the same key.
    std::fs::copy(at("once.key"), at("pieces.key")).unwrap();
    let mut backwards = in_order.clone();
    backwards.reverse();
    for (turn, piece) in backwards.chunks(2).enumerate() {
        ingest(&at("pieces"), piece);
        if turn == 0 {
            program.succeed(["refresh", "--store", &at("pieces")]);
        }
    }
    ingest(&at("pieces"), &in_order[..2]);
    program.succeed(["refresh", "--store", &at("pieces")]);

    let (once, pieces) = (facts(&program, &at("once")), facts(&program, &at("pieces")));
    for (table, (once, pieces)) in FACTS.into_iter().zip(once.into_iter().zip(pieces)) {
        assert!(once.lines().count() > 1, "{table} has rows");
        assert!(once == pieces, "{table} differs");
    }
}

fn facts(program: &gilbreth_tests::program::Program, store: &str) -> Vec<String> {
    FACTS
        .into_iter()
        .map(|table| {
            let csv = program.succeed(["sql", "--store", store, "--format", "csv", &format!("SELECT * FROM {table}")]);
            let mut lines: Vec<_> = csv.lines().collect();
            lines[1..].sort_unstable();
            lines.join("\n")
        })
        .collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}
