//! The browser agent in a real Chromium, as the collector serves it, and as an extension.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::Stdio,
};

use gilbreth_tests::program::text;

use crate::Browser;

#[test]
fn the_agent_tells_what_it_promises_and_nothing_else() {
    let Some(browser) = Browser::find() else { return };
    let folder = tempfile::tempdir().unwrap();
    let service = crate::program().serve(&folder.path().join("store"), &[]);
    let output = browser.script("agent.py").arg(format!("http://{}/agent.js", service.otlp())).output().unwrap();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    assert!(service.stop());
}

#[test]
fn the_extension_tells_of_pages_that_nobody_may_change_and_of_no_others() {
    let Some(browser) = Browser::find() else { return };
    let output = browser.script("extension.py").output().unwrap();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}

#[test]
fn what_is_done_in_a_page_with_a_token_is_in_the_store() {
    let Some(browser) = Browser::find() else { return };
    is_in_the_store(&browser, &[]);
}

#[test]
fn what_is_done_in_a_page_that_the_extension_measures_is_in_the_store() {
    let Some(browser) = Browser::find() else { return };
    is_in_the_store(&browser, &["extension"]);
}

/// A worker fills in a form whose page may send with a token, whichever way it is measured.
fn is_in_the_store(browser: &Browser, way: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let rules = folder.path().join("rules");
    std::fs::create_dir(&rules).unwrap();
    std::fs::write(rules.join("ndelius.json"), r#"{"fields": [{"on": "input", "kind": "name"}]}"#).unwrap();
    let config = folder.path().join("gilbreth.toml");
    std::fs::write(&config, format!("[collector]\nagent_rules = {rules:?}\npage_key = \"estate\"\n")).unwrap();
    let program = crate::program();
    let service = program.serve(&store, &["--config", &config.to_string_lossy()]);
    let collector = format!("http://{}", service.otlp());
    let mut working = browser.script("send.py");
    working.arg(collector).args(way).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut working = working.spawn().unwrap();
    let mut origin = String::new();
    BufReader::new(working.stdout.take().unwrap()).read_line(&mut origin).unwrap();
    let at = store.to_string_lossy();
    let token = program.succeed([
        "token",
        "add",
        "--store",
        &at,
        "--label",
        "pages",
        "--page",
        origin.trim(),
        "--system",
        "ndelius",
    ]);
    working.stdin.take().unwrap().write_all(token.as_bytes()).unwrap();
    let output = working.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(service.stop());

    let rows = program.succeed([
        "sql",
        "--store",
        &at,
        "--format",
        "csv",
        "SELECT kind, screen, field, keystrokes, value_kind, value_digest IS NOT NULL, worker IS NOT NULL, cardinality(case_refs) \
         FROM spans WHERE kind IN ('entry', 'action', 'wait') AND day >= DATE '2026-01-01' ORDER BY started_at",
    ]);
    assert_eq!(
        rows.lines().skip(1).collect::<Vec<_>>(),
        [
            "wait,Contact,,,,false,true,1",
            "entry,Contact,Surname,6,name,true,true,1",
            "entry,Contact,Date of birth,10,name,true,true,1",
            "action,Contact,Save,,,false,true,1",
            "wait,Saved,,,,false,true,1",
            "entry,Saved,Surname,2,name,true,true,1",
        ],
        "{rows}"
    );
}
