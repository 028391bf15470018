//! `gilbreth schema`: the data dictionary.

use std::process::ExitCode;

use crate::{cli, config::Config};

pub(crate) async fn run(options: cli::Schema) -> anyhow::Result<ExitCode> {
    let session = super::session(&options.store, &cli::Scope::default(), &Config::load(None)?).await?;
    print!("{}", session.dictionary(options.table.as_deref())?);
    Ok(ExitCode::SUCCESS)
}
