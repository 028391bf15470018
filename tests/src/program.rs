//! The program under test, run from outside.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{Arc, Mutex, PoisonError, mpsc},
    time::Duration,
};

/// The built `gilbreth` program.
#[derive(Debug, Clone)]
pub struct Program(PathBuf);

impl Program {
    /// The program at a path (`env!("CARGO_BIN_EXE_gilbreth")` in a journey).
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// A command with nothing of the caller's environment that changes what it does.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.0);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("GILBRETH_") || name.to_string_lossy().starts_with("OTEL_") {
                command.env_remove(name);
            }
        }
        command.stdin(Stdio::null());
        command
    }

    /// Runs to the end.
    ///
    /// # Panics
    /// When the program cannot be started.
    pub fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Output {
        self.command().args(arguments).output().expect("the program starts")
    }

    /// Runs to the end and returns standard output.
    ///
    /// # Panics
    /// When it fails; the message holds its standard error.
    pub fn succeed<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> String {
        let output = self.run(arguments);
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "exit {:?}\n{err}\n{out}", output.status.code());
        out
    }

    /// The one value that a query gives, as text.
    ///
    /// # Panics
    /// When the query fails.
    pub fn sql_value(&self, store: &Path, sql: &str) -> String {
        let csv = self.succeed(["sql", "--store", &store.to_string_lossy(), "--format", "csv", sql]);
        csv.lines().nth(1).unwrap_or_default().to_owned()
    }

    /// Starts `gilbreth serve` on free ports and waits until it takes work.
    ///
    /// # Panics
    /// When it does not come up within a minute.
    pub fn serve(&self, store: &Path, more: &[&str]) -> Service {
        self.serve_in(store, more, &[])
    }

    /// The same, with variables of the environment.
    ///
    /// # Panics
    /// When it does not come up within a minute.
    pub fn serve_in(&self, store: &Path, more: &[&str], environment: &[(&str, &str)]) -> Service {
        let mut child = self
            .serving(store, more)
            .envs(environment.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let stderr = child.stderr.take().expect("standard error is piped");
        let (say, hear) = mpsc::channel();
        let said = Arc::new(Mutex::new(String::new()));
        let saying = Arc::clone(&said);
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                eprintln!("serve: {line}");
                let mut said = saying.lock().unwrap_or_else(PoisonError::into_inner);
                said.push_str(&line);
                said.push('\n');
                drop(said);
                // Once it is known where it listens, nobody hears any more; what is said is kept all the same.
                let _ = say.send(line);
            }
        });
        let mut service = Service { child, said, otlp: None, grpc: None, web: None };
        while service.otlp.is_none() || service.grpc.is_none() || service.web.is_none() {
            let line = hear.recv_timeout(Duration::from_mins(1)).expect("serve says where it listens");
            let otlp = |name: &str| {
                let address = line.strip_prefix(name)?.trim().split_once("://")?.1;
                address.parse().ok()
            };
            if line.starts_with("OTLP/HTTP") {
                service.otlp = otlp("OTLP/HTTP");
            } else if line.starts_with("OTLP/gRPC") {
                service.grpc = otlp("OTLP/gRPC");
            } else if let Some(address) = line.strip_prefix("dashboards http://") {
                service.web = address.trim().trim_end_matches('/').parse().ok();
            }
        }
        std::thread::spawn(move || hear.iter().for_each(drop));
        service
    }

    /// Starts `gilbreth serve` and kills it (`kill -9`) so soon after, whatever it has come to.
    ///
    /// # Panics
    /// When it cannot be started or killed.
    pub fn kill_starting(&self, store: &Path, more: &[&str], after: Duration) {
        let mut child = self.serving(store, more).stderr(Stdio::null()).spawn().expect("the program starts");
        std::thread::sleep(after);
        child.kill().expect("the process can be killed");
        child.wait().expect("the process ends");
    }

    fn serving(&self, store: &Path, more: &[&str]) -> Command {
        let mut command = self.command();
        command
            .args(["serve", "--otlp-grpc", "127.0.0.1:0", "--web", "127.0.0.1:0", "--store"])
            .arg(store)
            .args(if more.contains(&"--otlp-http") { &[][..] } else { &["--otlp-http", "127.0.0.1:0"] })
            .args(more)
            .stdout(Stdio::null());
        command
    }
}

/// A running `gilbreth serve`; killed when dropped.
#[derive(Debug)]
pub struct Service {
    child: Child,
    said: Arc<Mutex<String>>,
    otlp: Option<SocketAddr>,
    grpc: Option<SocketAddr>,
    web: Option<SocketAddr>,
}

impl Service {
    /// Where it takes OTLP over HTTP.
    ///
    /// # Panics
    /// Never: the service is made only once it has said so.
    pub fn otlp(&self) -> SocketAddr {
        self.otlp.expect("serve said where it listens")
    }

    /// Where it takes OTLP over gRPC.
    ///
    /// # Panics
    /// Never: the service is made only once it has said so.
    pub fn grpc(&self) -> SocketAddr {
        self.grpc.expect("serve said where it listens")
    }

    /// What it has in memory, in MiB, without what the system has read of the program's own file.
    ///
    /// # Panics
    /// When the system does not say.
    pub fn memory_mib(&self) -> u64 {
        self.status_mib("RssAnon:")
    }

    /// The most that it ever had in memory, in MiB.
    ///
    /// # Panics
    /// When the system does not say.
    pub fn peak_memory_mib(&self) -> u64 {
        self.status_mib("VmHWM:")
    }

    fn status_mib(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("the process runs");
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("the system says so");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("in KiB") / 1024
    }

    /// Where it serves pages.
    ///
    /// # Panics
    /// Never: the service is made only once it has said so.
    pub fn web(&self) -> SocketAddr {
        self.web.expect("serve said where it listens")
    }

    /// What it has said on standard error so far.
    pub fn said(&self) -> String {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// `kill -9`, and waits until it is gone.
    ///
    /// # Panics
    /// When the process cannot be killed.
    pub fn kill(mut self) {
        self.child.kill().expect("the process can be killed");
        self.child.wait().expect("the process ends");
    }

    /// SIGTERM, and waits for its orderly end; returns whether it ended with exit code 0.
    ///
    /// # Panics
    /// When `kill` cannot be run.
    pub fn stop(mut self) -> bool {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs").success());
        self.child.wait().expect("the process ends").success()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Bytes as text, for messages.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
