//! The main job, start to finish, on a small estate; and the pages of a running service.

use std::collections::BTreeSet;

use gilbreth_tests::{http::Client, program::text};

#[test]
fn the_demo_writes_a_report_whose_figures_sql_gives_again() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("demo").to_string_lossy().into_owned();
    let program = crate::program();
    let demo = ["demo", "--out", &out, "--staff", "40", "--weeks", "2", "--no-serve"];
    program.succeed(demo);
    // A second demo replaces the first.
    let said = program.succeed(demo);
    assert_eq!(labels(&said), labels(readme_output()), "left: what the demo says; right: what README shows");
    assert!(said.contains("hours lost per person and week"), "{said}");
    assert!(said.contains("What to fix first"), "{said}");

    let report = std::fs::read_to_string(folder.path().join("demo/report/report.html")).unwrap();
    assert!(report.contains("Simulated data."));
    assert!(report.contains("<svg") && report.contains("<table") && report.contains("SELECT"));
    let store = folder.path().join("demo/store");
    let shown =
        program.sql_value(&store, "SELECT round(value, 2) FROM headline WHERE measure = 'lost_hours_per_person_week'");
    let line = said.lines().find(|line| line.contains("hours lost per person and week")).unwrap();
    let printed: f64 = line.split_whitespace().find_map(|word| word.parse().ok()).unwrap();
    assert!((printed - shown.parse::<f64>().unwrap()).abs() < 0.006, "{line} but SQL says {shown}");
    assert!(printed > 0.0);

    // The pages of a service on that store show the same.
    let service = program.serve(&store, &[]);
    let client = Client::new();
    let mut page = String::new();
    for _ in 0..100 {
        page = text(&client.get(service.web(), "/").unwrap().body);
        if page.contains("<svg") {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    assert!(page.contains("<svg"), "the page shows the figures: {page}");
    // While it is served, a demo into the same folder is refused and changes nothing.
    let refused = program.run(demo);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("being written by process"), "{}", text(&refused.stderr));
    assert!(store.join("store.toml").exists() && folder.path().join("demo/report/report.html").exists());
    let counted = text(&client.get(service.web(), "/metrics").unwrap().body);
    assert!(counted.contains("# TYPE gilbreth_spans_received_total counter"), "{counted}");
    for path in ["/re-entry", "/systems", "/tasks", "/fixes", "/quality", "/method", "/livez", "/readyz"] {
        assert_eq!(client.get(service.web(), path).unwrap().status, 200, "{path}");
    }
    assert_eq!(client.get(service.web(), "/nowhere").unwrap().status, 404);
    assert!(service.stop());
}

#[test]
fn a_folder_that_no_demo_made_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("thesis.txt"), "mine").unwrap();
    let output = crate::program().run(["demo", "--no-serve", "--out", &folder.path().to_string_lossy()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("not made by a demo"));
    assert!(folder.path().join("thesis.txt").exists());
}

/// What README shows of the demo's standard output.
fn readme_output() -> &'static str {
    let readme = include_str!("../../README.md");
    let shown = readme.split("$ cargo run --release\n").nth(1).unwrap().split("```").next().unwrap();
    let from = shown.find("simulated probation estate").unwrap();
    let to = shown.find("\nall of it").unwrap();
    &shown[from..to]
}

/// The lines that are the same in every demo, without their figures: no places, and no reasons below places.
fn labels(output: &str) -> BTreeSet<String> {
    let mut labels = BTreeSet::new();
    let mut below_place = false;
    for line in output.lines() {
        let is_place = line.contains('›') || line.contains(": ") && line.starts_with("   ");
        if !is_place && (!below_place || line.trim().is_empty()) {
            let words = line.split_whitespace().filter(|word| !word.contains(|c: char| c.is_ascii_digit()));
            labels.insert(words.collect::<Vec<_>>().join(" "));
        }
        below_place = is_place;
    }
    labels
}
