//! What can be asked on the command line.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Measures the working time that people lose to the case systems they must use.
///
/// Without a command it runs the demo: a simulated probation estate sends real OTLP to a collector, the facts and the
/// report are made from what arrived, and the dashboards open.
#[derive(Debug, Parser)]
#[command(name = "gilbreth", version, after_help = "\
Examples:
  gilbreth                                            the main job, start to finish
  gilbreth serve --store estate                       take OTLP on 127.0.0.1:4318, dashboards on 127.0.0.1:8080
  gilbreth sql --store estate 'SELECT * FROM headline'
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 the check that was asked for does not hold.")]
pub struct Cli {
    /// What to do; without it, the demo with its defaults.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the main job on a simulated estate, start to finish.
    Demo(Demo),
    /// Run the service: collector, refresh of facts, dashboards.
    Serve(Serve),
    /// Write or send the OTLP of a simulated estate, and its truth.
    Simulate(Simulate),
    /// Read user-interaction logs by a mapping file.
    Import(Import),
    /// Read files of OTLP through the same gate as the network.
    Ingest(Ingest),
    /// Bring the facts up to date with the spans.
    Refresh(Refresh),
    /// Run SQL.
    Sql(Sql),
    /// Print the data dictionary.
    Schema(Schema),
    /// Write the report of a store.
    Report(Report),
    /// Hold what was measured against the truth of a simulation.
    Score(Score),
}

/// The simulated estate: how large, how long, which.
#[derive(Debug, Clone, Args)]
pub struct Estate {
    /// People in the estate.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub staff: u32,
    /// Weeks that are simulated.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=520))]
    pub weeks: u32,
    /// The same seed gives the same bytes.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// Options of `demo`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gilbreth demo --out demo                 about a minute; then the dashboards until Ctrl-C
  gilbreth demo --staff 50 --weeks 2 --no-serve")]
pub struct Demo {
    /// Folder for the store and the report; a demo that is there already is replaced.
    #[arg(long, value_name = "DIR", default_value = "demo")]
    pub out: PathBuf,
    /// The estate.
    #[command(flatten)]
    pub estate: Estate,
    /// End after the report instead of serving the dashboards.
    #[arg(long)]
    pub no_serve: bool,
    /// Where the dashboards listen.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub web: SocketAddr,
}

impl Default for Demo {
    fn default() -> Self {
        Self {
            out: PathBuf::from("demo"),
            estate: Estate { staff: 200, weeks: 4, seed: 1 },
            no_serve: false,
            web: SocketAddr::from(([127, 0, 0, 1], 0)),
        }
    }
}

/// Options of `serve`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gilbreth serve --store estate
  gilbreth serve --store estate --config gilbreth.toml --otlp-http 0.0.0.0:4318
SIGTERM and Ctrl-C drain: what was acknowledged is committed before the end.")]
pub struct Serve {
    /// The store; made if it is not there.
    #[arg(long, value_name = "DIR", default_value = "gilbreth-store")]
    pub store: PathBuf,
    /// The configuration file; gilbreth.example.toml shows every key.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where OTLP over HTTP is taken.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4318")]
    pub otlp_http: SocketAddr,
    /// Where the dashboards listen.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub web: SocketAddr,
}

/// Which world is simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// Right clocks, nothing lost, every attribute there.
    Clean,
    /// Faults of real life: clocks, repeats, late spans, values in other formats.
    Hard,
    /// Nothing is keyed again; decoys only.
    NoReEntry,
}

/// Options of `simulate`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gilbreth simulate --out otlp --truth truth --seed 7
  gilbreth simulate --endpoint http://127.0.0.1:4318 --staff 50 --weeks 2")]
#[group(id = "target", required = true, multiple = false, args = ["out", "endpoint"])]
pub struct Simulate {
    /// Folder for files of OTLP, one a day.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// A collector to send to, e.g. http://127.0.0.1:4318.
    #[arg(long, value_name = "URL")]
    pub endpoint: Option<String>,
    /// The estate.
    #[command(flatten)]
    pub estate: Estate,
    /// Which world.
    #[arg(long, value_enum, default_value_t = Scenario::Clean)]
    pub scenario: Scenario,
    /// Folder for what really happened.
    #[arg(long, value_name = "DIR")]
    pub truth: Option<PathBuf>,
}

/// Options of `import`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  gilbreth import --store students --mapping sample-data/mappings/student-record.toml \\
      sample-data/recordings/StudentRecord.csv")]
pub struct Import {
    /// The store; made if it is not there.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What the recorder's event types and columns mean.
    #[arg(long, value_name = "FILE")]
    pub mapping: PathBuf,
    /// The logs (CSV, gzip too).
    #[arg(required = true, value_name = "LOG")]
    pub logs: Vec<PathBuf>,
}

/// Options of `ingest`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  gilbreth ingest --store estate otlp/*.pb")]
pub struct Ingest {
    /// The store; made if it is not there.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Files of OTLP: .pb (length-delimited), .json, .jsonl; .gz and .zst too.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

/// Options of `refresh`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  gilbreth refresh --store estate")]
pub struct Refresh {
    /// The store.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// The configuration file (its parameters of the measurement).
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Compute everything again, changed or not.
    #[arg(long)]
    pub full: bool,
}

/// What part of a store is looked at.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Scope")]
pub struct Scope {
    /// First day, e.g. 2026-01-05.
    #[arg(long, value_name = "DAY")]
    pub from: Option<String>,
    /// Last day.
    #[arg(long, value_name = "DAY")]
    pub to: Option<String>,
    /// One case system.
    #[arg(long)]
    pub system: Option<String>,
    /// One organisation.
    #[arg(long)]
    pub organisation: Option<String>,
    /// One role.
    #[arg(long)]
    pub role: Option<String>,
    /// One task.
    #[arg(long)]
    pub task: Option<String>,
    /// A version of the store.
    #[arg(long, value_name = "VERSION")]
    pub as_of: Option<String>,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// Comma-separated, with a header.
    Csv,
    /// One JSON array.
    Json,
    /// One JSON object a line.
    Ndjson,
    /// Parquet.
    Parquet,
    /// Arrow IPC stream.
    Arrow,
}

/// Options of `sql`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gilbreth sql --store estate 'SELECT * FROM headline'
  gilbreth sql --store estate --format csv --file hotspots.csv 'SELECT * FROM re_entry_hotspots ORDER BY rank'
  gilbreth sql --store estate            an interactive prompt, on a terminal")]
pub struct Sql {
    /// The store.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The scope.
    #[command(flatten)]
    pub scope: Scope,
    /// How results are printed.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
    /// Write to a file instead of standard output.
    #[arg(long, value_name = "F")]
    pub file: Option<PathBuf>,
    /// The query; without it, an interactive prompt, or standard input when that is no terminal.
    pub sql: Option<String>,
}

/// Options of `schema`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  gilbreth schema --store estate ledger")]
pub struct Schema {
    /// The store.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// A table or view; without it, all.
    pub table: Option<String>,
}

/// Options of `report`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  gilbreth report --store estate --out report")]
pub struct Report {
    /// The store.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The folder to write to.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// The scope.
    #[command(flatten)]
    pub scope: Scope,
}

/// Options of `score`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  gilbreth simulate --out otlp --truth truth && gilbreth ingest --store estate otlp/*.pb &&
  gilbreth refresh --store estate && gilbreth score --store estate --truth truth
Exit code 3 when a bound does not hold.")]
pub struct Score {
    /// The store.
    #[arg(long, value_name = "DIR")]
    pub store: PathBuf,
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The truth that `simulate` wrote.
    #[arg(long, value_name = "DIR")]
    pub truth: PathBuf,
    /// Print the rows as JSON.
    #[arg(long, value_enum, default_value_t = ScoreFormat::Table)]
    pub format: ScoreFormat,
}

/// How scores are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ScoreFormat {
    /// For people.
    Table,
    /// For programs.
    Json,
}
