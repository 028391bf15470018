//! The server that is measured: `gilbreth` on a new store, or any other.

use std::{
    collections::BTreeMap,
    env, fs,
    io::{BufRead as _, BufReader},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};

use crate::{
    connection::Target,
    disk,
    footers::{self, Footers},
    options::{Options, Protocol},
    process,
};

/// Starting replays nothing and builds nothing; it takes a second.
const START_TIME_MAX: Duration = Duration::from_secs(60);
/// Everything that was acknowledged may have to be written out.
const END_TIME_MAX: Duration = Duration::from_secs(600);
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// A server rests that has used next to nothing for so long.
const REST: Duration = Duration::from_millis(500);
const REST_CPU_S: f64 = 0.02;
/// Simulated times are old, and a refresh of facts is another benchmark.
const CONFIG: &str = "[collector]\nreplay = true\n\n[serve]\nrefresh_every_s = 86400\n";

/// A server, there to be sent to.
pub(crate) struct Server {
    pub(crate) endpoint: String,
    process: Option<u32>,
    child: Option<Child>,
    data: Option<PathBuf>,
    store: Option<Store>,
}

/// Our own server's store, and what reads it.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) root: PathBuf,
    pub(crate) program: PathBuf,
    pub(crate) config: PathBuf,
}

/// What a server had used at some time.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Usage {
    pub(crate) cpu_s: Option<f64>,
    pub(crate) peak_mib: Option<f64>,
}

/// What is left of a server.
#[derive(Debug)]
pub(crate) struct After {
    pub(crate) usage: Usage,
    /// How long it took to end, everything written.
    pub(crate) took: Option<Duration>,
    /// What lies on the disk, by folder.
    pub(crate) bytes: BTreeMap<String, u64>,
    /// Another server's Parquet files, by folder.
    pub(crate) parquet: BTreeMap<String, Footers>,
    pub(crate) store: Option<Store>,
}

impl Server {
    pub(crate) fn start(options: &Options, scratch: &Path) -> anyhow::Result<Self> {
        let Some(endpoint) = options.endpoint.clone() else { return Self::start_ours(options, scratch) };
        let child = match &options.run {
            Some(command) => {
                let mut words = command.split_ascii_whitespace();
                let program = words.next().context("--run names no program")?;
                let mut command = on_cpus(options, Path::new(program));
                Some(
                    command
                        .args(words)
                        .stdin(Stdio::null())
                        .spawn()
                        .with_context(|| format!("{program} does not start"))?,
                )
            }
            None => None,
        };
        wait_for(&Target::new(&endpoint, options)?)?;
        let process = child.as_ref().map(Child::id).or(options.pid);
        Ok(Self { endpoint, process, child, data: options.data.clone(), store: None })
    }

    fn start_ours(options: &Options, scratch: &Path) -> anyhow::Result<Self> {
        let program = options.server.clone().map_or_else(built_beside, Ok)?;
        let config = scratch.join("gilbreth.toml");
        match &options.config {
            Some(given) => fs::copy(given, &config).map(|_| ()),
            None => fs::write(&config, CONFIG),
        }
        .context("the configuration cannot be put in place")?;
        let root = scratch.join("store");
        let help = Command::new(&program).args(["serve", "--help"]).output().context("the program does not start")?;
        let help = String::from_utf8_lossy(&help.stdout).into_owned();
        ensure!(options.protocol == Protocol::Http || help.contains("--otlp-grpc"), "this build takes no gRPC");
        let mut command = on_cpus(options, &program);
        command.arg("serve").arg("--store").arg(&root).arg("--config").arg(&config);
        // Older builds, which are measured too, do not know all of them.
        for address in ["--otlp-http", "--otlp-grpc", "--web", "--postgres", "--flight"] {
            if help.contains(address) {
                command.args([address, "127.0.0.1:0"]);
            }
        }
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let endpoint = said_endpoint(&mut child, options.protocol)?;
        let store = Store { root: root.clone(), program, config };
        let process = Some(child.id());
        Ok(Self { endpoint, process, child: Some(child), data: Some(root), store: Some(store) })
    }

    /// Waits until it has nothing more to do for its start, which is not what spans take.
    pub(crate) fn settle(&self) -> anyhow::Result<()> {
        let begun = Instant::now();
        let mut before = self.usage()?.cpu_s;
        while begun.elapsed() < START_TIME_MAX {
            sleep(REST);
            let now = self.usage()?.cpu_s;
            if now.zip(before).is_none_or(|(now, before)| now - before <= REST_CPU_S) {
                return Ok(());
            }
            before = now;
        }
        bail!("the server has not come to rest within {} s", START_TIME_MAX.as_secs());
    }

    /// What it has used so far.
    pub(crate) fn usage(&self) -> anyhow::Result<Usage> {
        let Some(process) = self.process else { return Ok(Usage::default()) };
        Ok(Usage { cpu_s: Some(process::cpu_s(process)?), peak_mib: process::peak_mib(process) })
    }

    /// Asks it to end, if it was started here, and says what it used until it was gone.
    pub(crate) fn end(mut self) -> anyhow::Result<After> {
        let mut usage = self.usage()?;
        let mut took = None;
        if let Some(child) = &mut self.child {
            took = Some(ended(child, &mut usage)?);
        }
        let bytes = self.data.as_deref().map(disk::bytes_by_entry).transpose()?.unwrap_or_default();
        let store = self.store.take();
        let theirs = self.data.as_deref().filter(|_| store.is_none());
        let parquet = theirs.map(footers::by_folder).transpose()?.unwrap_or_default();
        Ok(After { usage, took, bytes, parquet, store })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn ended(child: &mut Child, usage: &mut Usage) -> anyhow::Result<Duration> {
    let (process, begun) = (child.id(), Instant::now());
    let asked = Command::new("kill").args(["-TERM", &process.to_string()]).status()?;
    ensure!(asked.success(), "the server is gone already");
    while !process::is_over(process) {
        if begun.elapsed() > END_TIME_MAX {
            bail!("the server has not ended within {} s", END_TIME_MAX.as_secs());
        }
        usage.peak_mib = process::peak_mib(process).or(usage.peak_mib);
        sleep(LOOK_EVERY);
    }
    let took = begun.elapsed();
    // It has ended and nobody has waited for it: its times still stand there.
    usage.cpu_s = Some(process::cpu_s(process)?);
    let status = child.wait()?;
    ensure!(status.success(), "the server ended with {status}");
    Ok(took)
}

fn on_cpus(options: &Options, program: &Path) -> Command {
    let Some(cpus) = &options.server_cpus else { return Command::new(program) };
    // It puts the program in its own place, so that the process is the program's.
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", cpus]).arg(program);
    command
}

/// Benchmarks lie in `release/deps`, programs in `release`.
fn built_beside() -> anyhow::Result<PathBuf> {
    let program = env::current_exe()?.parent().and_then(Path::parent).map(|folder| folder.join("gilbreth"));
    program
        .filter(|path| path.exists())
        .context("no gilbreth is built beside this: build it, or name one with --server")
}

/// Where the server says that it listens. What it says later goes to our standard error.
fn said_endpoint(child: &mut Child, protocol: Protocol) -> anyhow::Result<String> {
    let begins = match protocol {
        Protocol::Http => "OTLP/HTTP ",
        Protocol::Grpc => "OTLP/gRPC ",
    };
    let stderr = child.stderr.take().context("standard error is piped")?;
    let (say, hear) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            eprintln!("serve: {line}");
            let _ = say.send(line);
        }
    });
    let begun = Instant::now();
    while let Some(left) = START_TIME_MAX.checked_sub(begun.elapsed()) {
        let line = hear.recv_timeout(left).context("the server did not say where it listens")?;
        if let Some(endpoint) = line.strip_prefix(begins) {
            return Ok(endpoint.trim().to_owned());
        }
    }
    bail!("the server did not say where it listens")
}

fn wait_for(target: &Target) -> anyhow::Result<()> {
    let begun = Instant::now();
    while TcpStream::connect(target.authority()).is_err() {
        ensure!(begun.elapsed() < START_TIME_MAX, "nothing listens on {}", target.authority());
        sleep(LOOK_EVERY);
    }
    Ok(())
}
