//! What can be asked.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// Sends prepared OTLP to a collector and says what that took.
#[derive(Debug, Parser)]
#[command(name = "load")]
pub(crate) struct Options {
    /// Files of trace exports, each with its length before it, as `gilbreth simulate --out` writes them; read in this
    /// order until there are enough spans, then again with other span ids.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// The program to measure; a new store is made for it. Default: the one built beside this.
    #[arg(long, value_name = "PATH", conflicts_with_all = ["endpoint", "run"])]
    pub(crate) server: Option<PathBuf>,
    /// Its configuration, which must allow replay: simulated times are old. Default: that, and no refresh of facts.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The CPUs that the server may use, as `taskset` takes them.
    #[arg(long, value_name = "LIST")]
    pub(crate) server_cpus: Option<String>,
    /// Where the store and the probe of the disk go: the disk that is to be measured.
    #[arg(long, value_name = "DIR", default_value = env!("CARGO_TARGET_TMPDIR"))]
    pub(crate) dir: PathBuf,
    /// Leave the store there and say where.
    #[arg(long)]
    pub(crate) keep: bool,

    /// Another server: `http://HOST:PORT`, with a path if it is not that of the standard.
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint: Option<String>,
    /// The command that starts it, split at spaces; it is sent SIGTERM at the end and measured until it is gone.
    #[arg(long, value_name = "COMMAND", requires = "endpoint")]
    pub(crate) run: Option<String>,
    /// Or its process, if it runs already.
    #[arg(long, value_name = "ID", requires = "endpoint", conflicts_with = "run")]
    pub(crate) pid: Option<u32>,
    /// The folder that it writes to.
    #[arg(long, value_name = "DIR", requires = "endpoint")]
    pub(crate) data: Option<PathBuf>,

    /// How spans are sent.
    #[arg(long, value_enum, default_value_t = Protocol::Http)]
    pub(crate) protocol: Protocol,
    /// With bodies packed.
    #[arg(long)]
    pub(crate) gzip: bool,
    /// Spans in a request.
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub(crate) batch: u32,
    /// Requests at once, each on a connection of its own.
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=1_024))]
    pub(crate) connections: u32,
    /// Spans to send; all of them are in memory, about 650 bytes each.
    #[arg(long, value_name = "N", default_value_t = 2_000_000)]
    pub(crate) spans: u64,
    /// Stop after so many seconds if not all are sent by then.
    #[arg(long, value_name = "S")]
    pub(crate) seconds: Option<f64>,
    /// Send so many spans a second instead of as many as are taken. Times then count from when a request was due, so that
    /// a server that stalls does not hide it.
    #[arg(long, value_name = "SPANS")]
    pub(crate) rate: Option<f64>,
    /// The number of the first pass over the files. All but pass 0 give every span another id: for a server that has
    /// had these files before.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) first_pass: u64,

    /// Print one JSON object instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
    /// What cargo says to every benchmark.
    #[arg(long, hide = true)]
    pub(crate) bench: bool,
}

/// A transport of OTLP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Protocol {
    /// Protobuf over HTTP/1.1.
    Http,
    /// Unary gRPC.
    Grpc,
}

impl Options {
    /// How spans are sent, in a word.
    pub(crate) fn sent_as(&self) -> &'static str {
        match (self.protocol, self.gzip) {
            (Protocol::Http, false) => "http",
            (Protocol::Http, true) => "http+gzip",
            (Protocol::Grpc, false) => "grpc",
            (Protocol::Grpc, true) => "grpc+gzip",
        }
    }
}
