//! `gilbreth backup`: one file from which the store can be restored.

use std::process::ExitCode;

use gilbreth_collector::store::Store;

use crate::{cli, progress::Step, tidy};

pub(crate) async fn run(options: cli::Backup) -> anyhow::Result<ExitCode> {
    let store = Store::open(&options.store)?;
    let step = Step::begin(format!("backup to {}", options.out.display()), 0);
    let done = store.backup(&tidy::tables(), &options.out, tidy::now_us()).await?;
    let version = done.version.map_or_else(|| "no version yet".to_owned(), |number| format!("version {number}"));
    step.done(&format!("{} files, {} bytes, {version}; without the store key", done.files, done.bytes));
    Ok(ExitCode::SUCCESS)
}
