//! `gilbreth restore`: a store from a backup.

use std::process::ExitCode;

use gilbreth_collector::{
    key::{self, StoreKey},
    store,
};

use crate::{cli, progress::Step};

pub(crate) fn run(options: &cli::Restore) -> anyhow::Result<ExitCode> {
    let step = Step::begin(format!("restore {}", options.backup.display()), 0);
    let restored = store::restore(&options.backup, &options.store)?;
    let version = restored.version.map_or_else(|| "no version yet".to_owned(), |number| format!("version {number}"));
    step.done(&format!("{} files, {} bytes of {}, {version}", restored.files, restored.bytes, restored.estate));
    let Some(check) = restored.key_check else { return Ok(ExitCode::SUCCESS) };
    let path = key::path_of(&options.store);
    match StoreKey::load(&options.store) {
        Ok(key) if key.fits(&check) => eprintln!("the store key is there, and is its own"),
        Ok(_) => eprintln!(
            "the store key at hand is of another store: the one whose check is {check} goes to {}, or into {}",
            path.display(),
            key::VARIABLE
        ),
        Err(_) => eprintln!(
            "the store key whose check is {check} goes to {} (mode 600), or into {}",
            path.display(),
            key::VARIABLE
        ),
    }
    Ok(ExitCode::SUCCESS)
}
