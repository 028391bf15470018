//! `gilbreth reference`: reference data, checked and with people hashed.

use std::{collections::HashSet, path::Path, process::ExitCode};

use anyhow::Context as _;
use clap::{CommandFactory, error::ErrorKind};
use gilbreth_analytics::reference::{self, Error, Loaded};
use gilbreth_collector::{key::StoreKey, store::Store};

use crate::{cli, config::Config, progress::Step};

pub(crate) async fn run(options: cli::Reference) -> anyhow::Result<ExitCode> {
    let mut names = HashSet::new();
    if let Some(twice) = options.files.iter().find(|file| !names.insert(file.name)) {
        let message = format!("{} is named twice: one file holds all of a table", twice.name);
        <cli::Cli as CommandFactory>::command().error(ErrorKind::ArgumentConflict, message).print()?;
        return Ok(ExitCode::from(2));
    }
    let config = Config::load(options.config.as_deref())?;
    let files: Vec<(&str, &Path)> = options.files.iter().map(|file| (file.name, file.path.as_path())).collect();
    // Every file is checked before the store is touched: a wrong one leaves nothing behind.
    let checked = match reference::read(&files) {
        Ok(checked) => checked,
        Err(Error::Wrong(wrong)) => {
            for faults in &wrong {
                eprintln!("{faults}");
            }
            return Err(Error::Wrong(wrong).into());
        }
        Err(error) => return Err(error.into()),
    };
    let store = Store::open_or_create(&options.store, config.manifest())?;
    let writer = store.lock().context("reference data cannot be sent to a running service: stop it, then load them")?;
    let step = Step::begin(format!("load {} files", checked.len()), 0);
    let loaded = reference::store(&writer, &StoreKey::load_or_create(store.root())?, &checked).await?;
    step.done(&loaded.iter().map(said).collect::<Vec<_>>().join(", "));
    if loaded.iter().any(|table| table.changed) {
        eprintln!("they hold from the next refresh: gilbreth refresh --store {}", options.store.display());
    }
    Ok(ExitCode::SUCCESS)
}

fn said(loaded: &Loaded) -> String {
    let Loaded { table, rows, changed, .. } = loaded;
    let plural = if *rows == 1 { "" } else { "s" };
    let unchanged = if *changed { "" } else { " as before" };
    format!("{table} {rows} row{plural}{unchanged}")
}
