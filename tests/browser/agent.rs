//! The browser agent in a real Chromium and in a real Firefox, as the collector serves it, and as an extension.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::PathBuf,
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use gilbreth_tests::program::{Program, Service, text};

use crate::Browser;

#[test]
fn the_agent_tells_what_it_promises_and_nothing_else() {
    let Some(browser) = Browser::find() else { return };
    keeps_its_promises(browser.script("agent.py"));
}

#[test]
fn the_agent_tells_the_same_in_firefox() {
    let Some(browser) = Browser::find() else { return };
    let Some(script) = browser.script_in_firefox("agent.py") else { return };
    keeps_its_promises(script);
}

/// Has the agent tested as a collector serves it.
fn keeps_its_promises(mut script: Command) {
    let folder = tempfile::tempdir().unwrap();
    let service = crate::program().serve(&folder.path().join("store"), &[]);
    let output = script.arg(format!("http://{}/agent.js", service.otlp())).output().unwrap();
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
fn the_extension_tells_the_same_in_firefox() {
    let Some(browser) = Browser::find() else { return };
    let Some(mut script) = browser.script_in_firefox("extension.py") else { return };
    let output = script.output().unwrap();
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
    let estate = Estate::new();
    let service = estate.serve(&[]);
    let working = Working::begin(browser, &estate, &service, way);
    working.end();
    assert!(service.stop());
    assert_eq!(
        estate.rows(
            "SELECT kind, screen, field, keystrokes, value_kind, value_digest IS NOT NULL, worker IS NOT NULL, cardinality(case_refs) \
             FROM spans WHERE kind IN ('entry', 'action', 'wait') AND day >= DATE '2026-01-01' ORDER BY started_at"
        ),
        [
            "wait,Contact,,,,false,true,1",
            "entry,Contact,Surname,6,name,true,true,1",
            "entry,Contact,Date of birth,10,name,true,true,1",
            "action,Contact,Save,,,false,true,1",
            "wait,Saved,,,,false,true,1",
            "entry,Saved,Surname,2,name,true,true,1",
        ]
    );
}

#[test]
fn what_is_done_while_the_collector_is_away_for_a_minute_is_in_the_store_once() {
    let Some(browser) = Browser::find() else { return };
    let estate = Estate::new();
    let service = estate.serve(&[]);
    let address = service.otlp().to_string();
    let mut working = Working::begin(&browser, &estate, &service, &["away"]);
    working.hear();
    assert!(service.stop());
    let gone = Instant::now();
    working.say("it is gone");
    working.hear();
    std::thread::sleep(Duration::from_mins(1).saturating_sub(gone.elapsed()));
    let service = estate.serve(&["--otlp-http", &address]);
    working.say("it is there");
    working.end();
    assert!(service.stop());
    let found =
        estate.rows("SELECT field, keystrokes, count(*) FROM spans WHERE kind = 'entry' GROUP BY field, keystrokes ORDER BY field, keystrokes");
    let turns = [
        ["Date of birth,1,4"].as_slice(),
        &["Surname,1,4", "Surname,2,1", "Surname,3,1", "Surname,4,1", "Surname,5,1", "Surname,6,2"],
    ];
    assert_eq!(found, turns.concat());
    assert_eq!(estate.rows("SELECT count(*) FROM spans WHERE kind = 'action'"), ["4"]);
    assert_eq!(estate.rows("SELECT count(*) FROM spans WHERE outcome = 'lost' AND screen = 'Contact'"), ["1"]);
}

/// A store, and the configuration of the collector that fills it.
struct Estate {
    folder: tempfile::TempDir,
    program: Program,
}

impl Estate {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let rules = folder.path().join("rules");
        std::fs::create_dir(&rules).unwrap();
        std::fs::write(rules.join("ndelius.json"), r#"{"fields": [{"on": "input", "kind": "name"}]}"#).unwrap();
        let config = format!("[collector]\nagent_rules = {rules:?}\npage_key = \"estate\"\n");
        std::fs::write(folder.path().join("gilbreth.toml"), config).unwrap();
        Self { folder, program: crate::program() }
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    fn serve(&self, more: &[&str]) -> Service {
        let config = self.folder.path().join("gilbreth.toml");
        self.program.serve(&self.store(), &[&["--config", &config.to_string_lossy()], more].concat())
    }

    /// What a query finds, each row as text.
    fn rows(&self, sql: &str) -> Vec<String> {
        let found = self.program.succeed(["sql", "--store", &self.store().to_string_lossy(), "--format", "csv", sql]);
        found.lines().skip(1).map(str::to_owned).collect()
    }
}

/// `send.py` at work.
struct Working {
    script: Child,
    says: BufReader<ChildStdout>,
}

impl Working {
    /// Has it begin, with a token for its page.
    fn begin(browser: &Browser, estate: &Estate, service: &Service, way: &[&str]) -> Self {
        let mut script = browser.script("send.py");
        script.arg(format!("http://{}", service.otlp())).args(way);
        let mut script = script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let says = BufReader::new(script.stdout.take().unwrap());
        let mut working = Self { script, says };
        let origin = working.hear();
        let store = estate.store();
        let at = store.to_string_lossy();
        let add = ["token", "add", "--store", &at, "--label", "pages", "--page", &origin, "--system", "ndelius"];
        working.say(estate.program.succeed(add).trim());
        working
    }

    fn hear(&mut self) -> String {
        let mut line = String::new();
        self.says.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }

    fn say(&mut self, line: &str) {
        writeln!(self.script.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    fn end(self) {
        let output = self.script.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
}
