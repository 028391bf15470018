//! `gilbreth schema`: the data dictionary.

use std::process::ExitCode;

use crate::{cli, config::Config};

pub(crate) async fn run(options: cli::Schema) -> anyhow::Result<ExitCode> {
    let scope = cli::Scope { as_of: options.as_of, ..cli::Scope::default() };
    let session = super::session(&options.store, &scope, &Config::load(None)?).await?;
    print!("{}", session.dictionary(options.table.as_deref())?);
    Ok(ExitCode::SUCCESS)
}
