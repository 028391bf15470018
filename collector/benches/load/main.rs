//! How fast a collector takes spans, for what, and what it leaves on the disk: prepared bodies are sent to the real program
//! (or to any other OTLP server), and what came of it is printed. `docs/benchmarks.md` says how to run it.
//!
//! ```text
//! files of exports ─▶ input ─▶ bodies ─▶ drive ─▶ report
//!                                          │▲
//!                         connection, answer ┘└ server, process, disk, columns: what is measured around it
//! ```
//!
//! Everything is encoded before the clock starts, so that the sender takes little of the machine; nothing is asserted.

mod answer;
mod bodies;
mod columns;
mod connection;
mod disk;
mod drive;
mod footers;
mod input;
mod options;
mod process;
mod report;
mod server;
mod wire;

use anyhow::Context as _;
use clap::Parser as _;

use crate::{
    bodies::Bodies,
    drive::Sent,
    options::Options,
    report::Report,
    server::{After, Server},
};

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let bodies = Bodies::prepare(&options)?;
    eprintln!("prepared {bodies}");
    // One thread: what a sender does is to hand bytes to the kernel.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let scratch = tempfile::tempdir_in(&options.dir).context("no folder to work in")?;
    let server = Server::start(&options, scratch.path())?;
    server.settle()?;

    let mut syncs = disk::fdatasyncs(scratch.path())?;
    let before = server.usage()?;
    let (sent, machine) = process::Machine::during(|| runtime.block_on(drive::send_all(&options, &server, bodies)))?;
    let sent: Sent = sent?;
    let when_sent = server.usage()?;
    let after = server.end()?;
    syncs.extend(disk::fdatasyncs(scratch.path())?);

    let stored = match &after {
        After { store: Some(store), .. } => Some(columns::Stored::after_compaction(&runtime, &options, store)?),
        _ => None,
    };
    let report = Report::of(&options, &sent, [before, when_sent], &after, machine, &syncs, stored);
    if options.json {
        println!("{}", report.json());
    } else {
        print!("{report}");
    }
    if options.keep {
        eprintln!("kept {}", scratch.keep().display());
    }
    Ok(())
}
