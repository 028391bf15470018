//! What can be asked on the command line.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use gilbreth_analytics::reference;

use crate::config::{self, Config};

mod token;

pub(crate) use token::{Role, Token, TokenAdd, TokenList, TokenRevoke, TokenRights};

/// Measures the working time that people lose to the case systems they must use.
///
/// Without a command it runs the demo: a simulated probation estate sends real OTLP to a collector, the facts and the
/// report are made from what arrived, and the dashboards open.
#[derive(Debug, Parser)]
#[command(
    name = "gilbreth",
    version,
    after_help = "\
Examples:
  gilbreth                                            the main job, start to finish
  gilbreth serve --store estate                       take OTLP on 127.0.0.1:4318 and 4317, dashboards on 127.0.0.1:8080
  gilbreth sql --store estate 'SELECT * FROM headline'
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 the check that was asked for does not hold."
)]
pub(crate) struct Cli {
    /// What to do; without it, the demo with its defaults.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
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
    /// Load reference data: staffing, directory, holidays, survey, diary, go-lives, tasks, categories.
    Reference(Reference),
    /// Bring the facts up to date with the spans.
    Refresh(Refresh),
    /// Run SQL.
    Sql(Sql),
    /// Print the data dictionary.
    Schema(Schema),
    /// List what can be pinned.
    Versions(Versions),
    /// Write the report of a store.
    Report(Report),
    /// Hold what was measured against the truth of a simulation.
    Score(Score),
    /// Make, list and revoke access tokens.
    #[command(subcommand)]
    Token(Token),
    /// Tidy a store that no service keeps: merge, expire, vacuum.
    Upkeep(Upkeep),
    /// Write one file from which the store can be restored; without its key.
    Backup(Backup),
    /// Make a store of a backup.
    Restore(Restore),
    /// Bring a store of an older format to today's.
    Migrate(Migrate),
}

/// The simulated estate: how large, how long, which.
#[derive(Debug, Clone, Args)]
pub(crate) struct Estate {
    /// People in the estate.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub(crate) staff: u32,
    /// Weeks that are simulated.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=520))]
    pub(crate) weeks: u32,
    /// The same seed gives the same bytes.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

/// Options of `demo`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gilbreth demo --out demo                 about a minute; then the dashboards until Ctrl-C
  gilbreth demo --staff 50 --weeks 2 --no-serve
  gilbreth demo --live                     four case systems to type into, and the dashboards beside them")]
pub(crate) struct Demo {
    /// Folder for the store and the report; a demo that is there already is replaced.
    #[arg(long, value_name = "DIR", default_value = "demo")]
    pub(crate) out: PathBuf,
    /// The estate.
    #[command(flatten)]
    pub(crate) estate: Estate,
    /// End after the report instead of serving the dashboards.
    #[arg(long)]
    pub(crate) no_serve: bool,
    /// Start four sample case systems beside the dashboards instead of simulating an estate: what is done in them shows. They listen on
    /// loopback alone.
    #[arg(long, conflicts_with_all = ["staff", "weeks", "seed", "no_serve"])]
    pub(crate) live: bool,
    /// Where the dashboards listen.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub(crate) web: SocketAddr,
}

/// Ends with exit code 2: what was asked for makes no sense, in a way that the definition of the options cannot tell.
pub(crate) fn wrong_usage(message: &str) -> ! {
    <Cli as CommandFactory>::command().error(clap::error::ErrorKind::ArgumentConflict, message).exit()
}

impl Cli {
    /// How our own spans are sent. A configuration that cannot be read says so when the command reads it.
    pub(crate) fn telemetry(&self) -> config::Telemetry {
        let file = match &self.command {
            Some(Command::Serve(options)) => options.config.as_deref(),
            Some(Command::Refresh(options)) => options.config.as_deref(),
            Some(Command::Import(options)) => options.config.as_deref(),
            Some(Command::Ingest(options)) => options.config.as_deref(),
            _ => None,
        };
        Config::load(file).map(|config| config.telemetry).unwrap_or_default()
    }

    /// What was asked for; without a command, the demo with its defaults.
    pub(crate) fn command(self) -> Command {
        self.command.unwrap_or_else(|| {
            let demo = Self::parse_from(["gilbreth", "demo"]);
            demo.command.expect("a command was given")
        })
    }
}

/// Options of `serve`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gilbreth serve --store estate
  gilbreth serve --store estate --config gilbreth.toml --otlp-http 0.0.0.0:4318
SIGTERM and Ctrl-C drain: what was acknowledged is committed before the end.")]
pub(crate) struct Serve {
    /// The store; made if it is not there.
    #[arg(long, value_name = "DIR", default_value = "gilbreth-store")]
    pub(crate) store: PathBuf,
    /// The configuration file; gilbreth.example.toml shows every key.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Where OTLP over HTTP is taken.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4318")]
    pub(crate) otlp_http: SocketAddr,
    /// Where OTLP over gRPC is taken.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4317")]
    pub(crate) otlp_grpc: SocketAddr,
    /// Where the dashboards listen.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub(crate) web: SocketAddr,
}

/// Which world is simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    /// Right clocks, nothing lost, every attribute there.
    Clean,
    /// Faults of real life: clocks, repeats, late spans, values in other formats; planted effects.
    Hard,
    /// Nothing is keyed again; decoys only.
    NoReEntry,
}

/// Options of `simulate`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gilbreth simulate --out otlp --truth truth --seed 7
  gilbreth simulate --out otlp --truth truth --reference reference --scenario hard
  GILBRETH_COLLECTOR_REPLAY=true gilbreth serve --store estate
  gilbreth simulate --endpoint http://127.0.0.1:4318 --staff 50 --weeks 2
  GILBRETH_TOKEN=$(gilbreth token add --store estate --label simulation --all-systems --replay) \\
      gilbreth simulate --endpoint http://collector.example:4318
Simulated days lie in the past. A collector takes spans older than 30 days only from senders that may replay: their token
has that right; or there are no tokens and its environment has GILBRETH_COLLECTOR_REPLAY=true, or its configuration
`replay = true` under [collector].")]
#[group(id = "target", required = true, multiple = false, args = ["out", "endpoint"])]
pub(crate) struct Simulate {
    /// The configuration file (the collector's page key).
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Folder for files of OTLP, one a day.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// A collector to send to, e.g. http://127.0.0.1:4318.
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint: Option<String>,
    /// The collector's token; the environment variable GILBRETH_TOKEN keeps it out of lists of processes.
    #[arg(long, value_name = "T", requires = "endpoint")]
    pub(crate) token: Option<String>,
    /// The estate.
    #[command(flatten)]
    pub(crate) estate: Estate,
    /// Which world.
    #[arg(long, value_enum, default_value_t = Scenario::Clean)]
    pub(crate) scenario: Scenario,
    /// Folder for what really happened.
    #[arg(long, value_name = "DIR")]
    pub(crate) truth: Option<PathBuf>,
    /// Folder for the reference data that go with the people and the systems.
    #[arg(long, value_name = "DIR")]
    pub(crate) reference: Option<PathBuf>,
    /// Plant the estate's releases and go-lives; in the scenario hard they always are.
    #[arg(long)]
    pub(crate) effects: bool,
    /// Give people another login in each system, so that only the directory says who is who.
    #[arg(long)]
    pub(crate) logins_apart: bool,
}

/// Options of `import`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  gilbreth import --store students --mapping sample-data/mappings/student-record.toml \\
      sample-data/recordings/StudentRecord.csv")]
pub(crate) struct Import {
    /// The store; made if it is not there.
    #[arg(long, value_name = "DIR")]
    pub(crate) store: PathBuf,
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// What the recorder's event types and columns mean.
    #[arg(long, value_name = "FILE")]
    pub(crate) mapping: PathBuf,
    /// The logs (CSV, gzip too).
    #[arg(required = true, value_name = "LOG")]
    pub(crate) logs: Vec<PathBuf>,
}

/// Options of `ingest`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  gilbreth ingest --store estate otlp/*.pb")]
pub(crate) struct Ingest {
    /// The store; made if it is not there.
    #[arg(long, value_name = "DIR")]
    pub(crate) store: PathBuf,
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Files of OTLP: .pb (length-delimited), .json, .jsonl; .gz and .zst too.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

/// Options of `reference`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  gilbreth reference --store estate staffing=staffing.csv directory=directory.csv tasks=tasks.toml
Either every file is good and each table named is replaced, or nothing is. People in them are hashed. What is loaded
holds from the next refresh. docs/reference-data.md shows each format.")]
pub(crate) struct Reference {
    /// The store; made if it is not there.
    #[arg(long, value_name = "DIR")]
    pub(crate) store: PathBuf,
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The table and its file: staffing, directory, holidays, survey, diary, go_lives and categories are CSV, tasks is
    /// TOML.
    #[arg(required = true, value_name = "NAME=FILE", value_parser = ReferenceFile::parse)]
    pub(crate) files: Vec<ReferenceFile>,
}

/// A table of reference data, and the file that holds it.
#[derive(Debug, Clone)]
pub(crate) struct ReferenceFile {
    /// The table.
    pub(crate) name: &'static str,
    /// The file.
    pub(crate) path: PathBuf,
}

impl ReferenceFile {
    fn parse(text: &str) -> Result<Self, String> {
        let (name, path) = text.split_once('=').ok_or("write NAME=FILE, such as staffing=staffing.csv")?;
        let name = reference::names().into_iter().find(|known| *known == name);
        let name = name.ok_or_else(|| reference::Error::UnknownTable.to_string())?;
        if path.is_empty() { Err("it names no file".to_owned()) } else { Ok(Self { name, path: path.into() }) }
    }
}

/// Options of `refresh`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  gilbreth refresh --store estate")]
pub(crate) struct Refresh {
    /// The store.
    #[arg(long, value_name = "DIR")]
    pub(crate) store: PathBuf,
    /// The configuration file (its parameters of the measurement).
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Compute everything again, changed or not.
    #[arg(long)]
    pub(crate) full: bool,
}

/// What part of a store is looked at.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Scope")]
pub(crate) struct Scope {
    /// First day, e.g. 2026-01-05.
    #[arg(long, value_name = "DAY")]
    pub(crate) from: Option<String>,
    /// Last day.
    #[arg(long, value_name = "DAY")]
    pub(crate) to: Option<String>,
    /// One case system.
    #[arg(long)]
    pub(crate) system: Option<String>,
    /// One organisation.
    #[arg(long)]
    pub(crate) organisation: Option<String>,
    /// One role.
    #[arg(long)]
    pub(crate) role: Option<String>,
    /// One task.
    #[arg(long)]
    pub(crate) task: Option<String>,
    /// A version of the store, by its number in `gilbreth versions`; without it, the newest.
    #[arg(long, value_name = "VERSION")]
    pub(crate) as_of: Option<String>,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
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
  gilbreth sql --store estate < script.sql     several statements, parted by semicolons
  gilbreth sql --store estate                  an interactive prompt, on a terminal
SET gilbreth.from = '2026-01-05' (and to, system, organisation, role, task, as_of) narrows what follows it; RESET takes
it back, SHOW gilbreth.* shows it.")]
pub(crate) struct Sql {
    /// The store.
    #[arg(long, value_name = "DIR")]
    pub(crate) store: PathBuf,
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The scope.
    #[command(flatten)]
    pub(crate) scope: Scope,
    /// How results are printed.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
    /// Write to a file instead of standard output.
    #[arg(long, value_name = "F")]
    pub(crate) file: Option<PathBuf>,
    /// The query, or several parted by semicolons; without it, an interactive prompt, or standard input when that is no terminal.
    pub(crate) sql: Option<String>,
}

/// Options of `versions`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  gilbreth versions --store estate
  gilbreth sql --store estate --as-of 3 'SELECT * FROM headline'")]
pub(crate) struct Versions {
    /// The store.
    #[arg(long, value_name = "DIR")]
    pub(crate) store: PathBuf,
    /// How versions are printed.
    #[arg(long, value_enum, default_value_t = ListFormat::Table)]
    pub(crate) format: ListFormat,
}

/// Options of `schema`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  gilbreth schema --store estate ledger")]
pub(crate) struct Schema {
    /// The store.
    #[arg(long, value_name = "DIR")]
    pub(crate) store: PathBuf,
    /// A version of the store, by its number in `gilbreth versions`; without it, the newest.
    #[arg(long, value_name = "VERSION")]
    pub(crate) as_of: Option<String>,
    /// A table or view; without it, all.
    pub(crate) table: Option<String>,
}

/// Options of `report`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  gilbreth report --store estate --out report")]
pub(crate) struct Report {
    /// The store.
    #[arg(long, value_name = "DIR")]
    pub(crate) store: PathBuf,
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The folder to write to.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// The scope.
    #[command(flatten)]
    pub(crate) scope: Scope,
}

/// Options of `score`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  gilbreth simulate --out otlp --truth truth && gilbreth ingest --store estate otlp/*.pb &&
  gilbreth refresh --store estate && gilbreth score --store estate --truth truth
Exit code 3 when a bound does not hold.")]
pub(crate) struct Score {
    /// The store.
    #[arg(long, value_name = "DIR")]
    pub(crate) store: PathBuf,
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The truth that `simulate` wrote.
    #[arg(long, value_name = "DIR")]
    pub(crate) truth: PathBuf,
    /// A version of the store, by its number in `gilbreth versions`; without it, the newest.
    #[arg(long, value_name = "VERSION")]
    pub(crate) as_of: Option<String>,
    /// Print the rows as JSON.
    #[arg(long, value_enum, default_value_t = ListFormat::Table)]
    pub(crate) format: ListFormat,
}

/// Options of `upkeep`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  gilbreth upkeep --store estate --config gilbreth.toml
A running service does this by itself. Small files are merged; rows beyond [retention] are removed, the facts are brought
up to date where there were any, and their absence is proven; what no kept version needs is removed ([upkeep]).
Exit code 3 when something that has expired is still there.")]
pub(crate) struct Upkeep {
    /// The store.
    #[arg(long, value_name = "DIR")]
    pub(crate) store: PathBuf,
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// Options of `backup`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  gilbreth backup --store estate --out estate-2026-11-27.tar.zst
A service may be writing the store meanwhile. The backup holds what was acknowledged before it began, the newest version
of the facts and the pinned ones, and the hashes of access tokens. It does not hold the store key: keep that elsewhere,
since without it nothing new agrees with what the backup holds.")]
pub(crate) struct Backup {
    /// The store.
    #[arg(long, value_name = "DIR")]
    pub(crate) store: PathBuf,
    /// The file to write; it must not be there.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

/// Options of `restore`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  gilbreth restore estate-2026-11-27.tar.zst --store estate
  cp estate.key.kept estate.key && chmod 600 estate.key")]
pub(crate) struct Restore {
    /// The backup.
    #[arg(value_name = "FILE")]
    pub(crate) backup: PathBuf,
    /// The store to make; the folder must be empty, or not there.
    #[arg(long, value_name = "DIR")]
    pub(crate) store: PathBuf,
}

/// Options of `migrate`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gilbreth migrate --store estate --check
  gilbreth migrate --store estate
Take a backup of the folder first: an older gilbreth cannot open the store afterwards.")]
pub(crate) struct Migrate {
    /// The store.
    #[arg(long, value_name = "DIR")]
    pub(crate) store: PathBuf,
    /// Only say what would be done.
    #[arg(long)]
    pub(crate) check: bool,
}

/// How scores and versions are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    /// For people.
    Table,
    /// For programs.
    Json,
}

#[cfg(test)]
mod tests {
    use gilbreth_sample_data::Options;

    use super::*;

    #[test]
    fn no_command_is_the_demo_with_its_defaults() {
        let Command::Demo(demo) = Cli::parse_from(["gilbreth"]).command() else { panic!("it is another command") };
        let Estate { staff, weeks, seed } = demo.estate;
        let simulated = Options::default();
        assert_eq!((staff, weeks, seed), (simulated.staff, simulated.weeks, simulated.seed));
        assert_eq!((demo.out, demo.no_serve), (PathBuf::from("demo"), false));
    }

    #[test]
    fn no_more_people_are_asked_for_than_can_be_simulated() {
        for staff in [20_000, 20_001] {
            let asked = Cli::try_parse_from(["gilbreth", "demo", "--staff", &staff.to_string()]);
            assert_eq!(asked.is_ok(), Options { staff, ..Options::default() }.check().is_ok(), "{staff}");
        }
        let refused = Cli::try_parse_from(["gilbreth", "simulate", "--out", "x", "--staff", "100000"]).unwrap_err();
        assert_eq!(refused.exit_code(), 2);
    }
}
