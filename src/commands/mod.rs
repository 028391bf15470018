//! One thin file a command.

use std::{path::Path, process::ExitCode};

use gilbreth_analytics::{scope::Scope, session::Session};
use gilbreth_collector::store::Store;

use crate::{
    cli::{self, Cli, Command},
    config::Config,
};

mod backup;
mod demo;
mod import;
mod ingest;
mod live;
mod migrate;
mod reference;
mod refresh;
mod report;
mod restore;
mod schema;
mod score;
mod serve;
mod simulate;
mod sql;
mod token;
mod upkeep;
mod versions;

/// Does what was asked.
pub(crate) async fn run(arguments: Cli) -> anyhow::Result<ExitCode> {
    match arguments.command() {
        Command::Demo(options) => demo::run(options).await,
        Command::Serve(options) => serve::run(options).await,
        Command::Simulate(options) => simulate::run(options).await,
        Command::Import(options) => import::run(options).await,
        Command::Ingest(options) => ingest::run(options).await,
        Command::Reference(options) => reference::run(options).await,
        Command::Refresh(options) => refresh::run(options).await,
        Command::Sql(options) => sql::run(options).await,
        Command::Schema(options) => schema::run(options).await,
        Command::Versions(options) => versions::run(options).await,
        Command::Report(options) => report::run(options).await,
        Command::Score(options) => score::run(options).await,
        Command::Token(options) => token::run(options).await,
        Command::Upkeep(options) => upkeep::run(options).await,
        Command::Backup(options) => backup::run(options).await,
        Command::Restore(options) => restore::run(&options),
        Command::Migrate(options) => migrate::run(&options),
    }
}

/// A session over a store that is there.
async fn session(store: &Path, scope: &cli::Scope, config: &Config) -> anyhow::Result<Session> {
    Ok(Session::open(&Store::open(store)?, &scope_of(scope), &config.measurement, Vec::new()).await?)
}

fn scope_of(scope: &cli::Scope) -> Scope {
    Scope {
        from: scope.from.clone(),
        to: scope.to.clone(),
        system: scope.system.clone(),
        organisation: scope.organisation.clone(),
        role: scope.role.clone(),
        task: scope.task.clone(),
        as_of: scope.as_of.clone(),
    }
}
