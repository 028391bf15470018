//! The one binary. It wires the crates together and holds no logic of its own: [`cli`] says what can be asked,
//! `commands/` has one thin file for each command, [`config`] reads the one configuration file.

use std::process::ExitCode;

use clap::Parser as _;

mod cli;
mod commands;
mod config;
mod feed;
mod output;
mod progress;
mod send;
mod service;
mod summary;
mod telemetry;
mod tidy;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = cli::Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    let tracing = {
        let _inside = runtime.enter();
        telemetry::start(&arguments.telemetry())
    };
    let result = runtime.block_on(commands::run(arguments));
    runtime.block_on(async { tracing.stop() });
    match result {
        Ok(code) => code,
        Err(error) => failed(&error),
    }
}

/// What went wrong and why, on one line of standard error; exit code 1.
fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("gilbreth: {}", output::causes(error));
    ExitCode::from(1)
}
