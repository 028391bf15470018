//! `gilbreth migrate`: a store of an older format to today's.

use std::process::ExitCode;

use gilbreth_collector::store::Store;

use crate::cli;

pub(crate) fn run(options: &cli::Migrate) -> anyhow::Result<ExitCode> {
    let migrated = Store::migrate(&options.store, options.check)?;
    if migrated.steps.is_empty() {
        eprintln!("the store is of format {} already", migrated.from);
    } else {
        let verb = if options.check { "would be brought" } else { "was brought" };
        eprintln!("the store {verb} from format {} to {}:", migrated.from, migrated.to);
    }
    for step in migrated.steps {
        eprintln!("- {step}");
    }
    Ok(ExitCode::SUCCESS)
}
