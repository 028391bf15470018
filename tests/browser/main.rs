//! What is done in a real browser: the agent's promises, the extension's, and a worker in four case systems.
#![allow(clippy::unwrap_used, reason = "a journey that cannot go on fails, and says where")]

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, MutexGuard, PoisonError},
};

use gilbreth_tests::program::Program;

mod agent;
mod worker;

/// The program that cargo built for this run.
fn program() -> Program {
    Program::new(env!("CARGO_BIN_EXE_gilbreth"))
}

/// A Python that has Playwright, where there is a Chromium too. Nothing else of these tests runs beside who holds it: a
/// browser that shares its processors with others is another browser, and what is measured in it is told by milliseconds.
struct Browser {
    python: PathBuf,
    _alone: MutexGuard<'static, ()>,
}

impl Browser {
    /// `.ci/run` says by `GILBRETH_TEST_CHROMIUM` that both are there, and then the tests must run.
    fn find() -> Option<Self> {
        static ALONE: Mutex<()> = Mutex::new(());
        let python = std::env::var_os("GILBRETH_TEST_PYTHON").map_or_else(|| PathBuf::from("python3"), PathBuf::from);
        let probe = Command::new(&python).args(["-c", "import playwright"]).output().ok()?;
        let said = std::env::var_os("GILBRETH_TEST_CHROMIUM");
        let chromium = said.clone().map_or_else(|| PathBuf::from("/usr/bin/chromium"), PathBuf::from);
        let is_there = probe.status.success() && chromium.exists();
        if !is_there {
            assert!(said.is_none(), "{} is said to be there: {probe:?}", chromium.display());
            eprintln!("not run: no Python with playwright, or no /usr/bin/chromium; .ci/run installs both");
        }
        // Another that failed has left nothing behind that matters here.
        is_there.then(|| Self { python, _alone: ALONE.lock().unwrap_or_else(PoisonError::into_inner) })
    }

    /// One of the scripts beside this file.
    fn script(&self, name: &str) -> Command {
        let mut command = Command::new(&self.python);
        command.arg(format!("{}/tests/browser/{name}", env!("CARGO_MANIFEST_DIR"))).env("PYTHONDONTWRITEBYTECODE", "1");
        // The scripts use Firefox wherever this says that there is one.
        command.env_remove("GILBRETH_TEST_FIREFOX");
        command
    }

    /// The same script, in Firefox; `None` unless `GILBRETH_TEST_FIREFOX` says where that is, as `.ci/run` does.
    fn script_in_firefox(&self, name: &str) -> Option<Command> {
        let Some(firefox) = std::env::var_os("GILBRETH_TEST_FIREFOX") else {
            eprintln!("not run: GILBRETH_TEST_FIREFOX is not set; .ci/run installs Firefox and sets it");
            return None;
        };
        assert!(Path::new(&firefox).exists(), "GILBRETH_TEST_FIREFOX says {}", firefox.display());
        let mut command = self.script(name);
        command.env("GILBRETH_TEST_FIREFOX", firefox);
        Some(command)
    }
}
