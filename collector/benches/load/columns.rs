//! What a span takes in the store once its files are merged, column by column.

use std::{
    cmp::Reverse,
    fs,
    process::{Command, Stdio},
    thread::sleep,
    time::Duration,
};

use anyhow::{Context as _, anyhow, ensure};
use tokio::runtime::Runtime;
use url::Url;

use crate::{footers::Footers, options::Options, process, server::Store};

const LOOK_EVERY: Duration = Duration::from_millis(5);

/// The live files of `spans`.
#[derive(Debug)]
pub(crate) struct Stored {
    /// Before they are merged.
    pub(crate) bytes_before: u64,
    pub(crate) files_before: usize,
    pub(crate) bytes: u64,
    pub(crate) files: usize,
    pub(crate) rows: u64,
    /// Packed bytes by column, the largest first; last what is no column's: footers, indexes and filters.
    pub(crate) columns: Vec<(String, u64)>,
    /// Seconds of processors that merging took.
    pub(crate) merging_cpu_s: f64,
}

impl Stored {
    /// Has the program merge files, as it does after each `ingest`, and looks at them.
    pub(crate) fn after_compaction(runtime: &Runtime, options: &Options, store: &Store) -> anyhow::Result<Self> {
        let before = live(runtime, store)?;
        let merging_cpu_s = compact(options, store)?;
        let after = live(runtime, store)?;
        let mut columns: Vec<(String, u64)> = after.columns.into_iter().collect();
        columns.sort_by_key(|(_, bytes)| Reverse(*bytes));
        let in_columns: u64 = columns.iter().map(|(_, bytes)| bytes).sum();
        columns.push(("(footers)".to_owned(), after.bytes - in_columns));
        Ok(Self {
            bytes_before: before.bytes,
            files_before: before.files,
            bytes: after.bytes,
            files: after.files,
            rows: after.rows,
            columns,
            merging_cpu_s,
        })
    }
}

/// An `ingest` of nothing ends with everything merged.
fn compact(options: &Options, store: &Store) -> anyhow::Result<f64> {
    let nothing = options.dir.join(format!("nothing-{}.pb", std::process::id()));
    fs::write(&nothing, [])?;
    let child = Command::new(&store.program)
        .args(["ingest", "--store"])
        .arg(&store.root)
        .arg("--config")
        .arg(&store.config)
        .arg(&nothing)
        .stdout(Stdio::null())
        .spawn();
    let mut child = child.context("the program does not start")?;
    while !process::is_over(child.id()) {
        sleep(LOOK_EVERY);
    }
    let cpu_s = process::cpu_s(child.id())?;
    let status = child.wait()?;
    fs::remove_file(nothing)?;
    ensure!(status.success(), "files could not be merged: {status}");
    Ok(cpu_s)
}

fn live(runtime: &Runtime, store: &Store) -> anyhow::Result<Footers> {
    let folder = store.root.join("spans");
    let url = Url::from_directory_path(&folder).map_err(|()| anyhow!("{} is no address", folder.display()))?;
    let table = runtime.block_on(deltalake::open_table(url)).context("the table spans cannot be read")?;
    let mut live = Footers::default();
    for file in table.snapshot()?.log_data().iter() {
        live.add(&folder.join(file.path().as_ref()))?;
    }
    Ok(live)
}
