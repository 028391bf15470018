//! Holds a server to the table of OTLP conformance, row by row: passed, failed and how, or skipped.

use std::{
    io::Write as _,
    net::{SocketAddr, ToSocketAddrs as _},
    process::ExitCode,
};

use anyhow::{Context as _, bail};
use clap::Parser;
use gilbreth_tests::conformance::{self, Scope, Target, Verdict};

/// Sends every row of the table of OTLP conformance to a server.
///
/// Rows that show what only Gilbreth chose (and those that need it overloaded, or its disk full) are skipped, unless
/// --ours is given. Exit code 3 if a row fails.
#[derive(Debug, Parser)]
#[command(after_help = "\
Examples:
  conformance --endpoint http://127.0.0.1:4318
  conformance --endpoint http://127.0.0.1:4318 --grpc http://127.0.0.1:4317 --ours
`gilbreth serve` passes every row with --ours and cors_origins = [\"https://cases.example\"].")]
struct Options {
    /// Where OTLP over HTTP is taken.
    #[arg(long, value_name = "URL")]
    endpoint: String,
    /// Where OTLP over gRPC is taken; without it, those rows are skipped.
    #[arg(long, value_name = "URL")]
    grpc: Option<String>,
    /// Rows that show what Gilbreth chose, too.
    #[arg(long)]
    ours: bool,
}

fn main() -> anyhow::Result<ExitCode> {
    let options = Options::parse();
    let target = Target { http: address(&options.endpoint)?, grpc: options.grpc.as_deref().map(address).transpose()? };
    let mut out = std::io::stdout().lock();
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for row in conformance::rows() {
        let verdict = match row.scope {
            Scope::Everyone => row.run(target),
            Scope::Ours if options.ours => row.run(target),
            Scope::Ours | Scope::Overloaded | Scope::DiskFull => Verdict::Skipped,
        };
        match verdict {
            Verdict::Passed => {
                passed += 1;
                writeln!(out, "passed   {}", row.name)?;
            }
            Verdict::Failed(how) => {
                failed += 1;
                writeln!(out, "FAILED   {}: {how}", row.name)?;
            }
            Verdict::Skipped => {
                skipped += 1;
                writeln!(out, "skipped  {}", row.name)?;
            }
        }
    }
    writeln!(out, "{passed} passed, {failed} failed, {skipped} skipped")?;
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(3) })
}

fn address(url: &str) -> anyhow::Result<SocketAddr> {
    let Some(authority) = url.strip_prefix("http://") else { bail!("{url} does not begin with http://") };
    let authority = authority.trim_end_matches('/');
    let found = authority.to_socket_addrs().with_context(|| format!("{url} names no host and port"))?.next();
    found.with_context(|| format!("{url} leads nowhere"))
}
