//! `gilbreth schema`: the data dictionary.

use std::process::ExitCode;

use crate::{cli, config::Config, output};

pub(crate) async fn run(options: cli::Schema) -> anyhow::Result<ExitCode> {
    let session = super::session(&options.store, &cli::Scope::default(), &Config::load(None)?).await?;
    output::print(&session.dictionary(options.table.as_deref())?.to_string())?;
    Ok(ExitCode::SUCCESS)
}
