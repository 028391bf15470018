//! `gilbreth schema`: the data dictionary.

use std::process::ExitCode;

use crate::{cli, config::Config, output};

pub(crate) async fn run(options: cli::Schema) -> anyhow::Result<ExitCode> {
    let scope = cli::Scope { as_of: options.as_of, ..cli::Scope::default() };
    let session = super::session(&options.store, &scope, &Config::load(None)?).await?;
    output::print(&session.dictionary(options.table.as_deref())?.to_string())?;
    Ok(ExitCode::SUCCESS)
}
