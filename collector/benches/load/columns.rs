//! What a span takes in the store once its files are merged, column by column.

use std::{collections::BTreeMap, fs, fs::File, process::Stdio};

use anyhow::{Context as _, anyhow, ensure};
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use tokio::runtime::Runtime;
use url::Url;

use crate::{options::Options, process, server::Store};

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
        columns.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
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
    let child = std::process::Command::new(&store.program)
        .args(["ingest", "--store"])
        .arg(&store.root)
        .arg("--config")
        .arg(&store.config)
        .arg(&nothing)
        .stdout(Stdio::null())
        .spawn();
    let mut child = child.context("the program does not start")?;
    while !process::is_over(child.id()) {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let cpu_s = process::cpu_s(child.id())?;
    let status = child.wait()?;
    fs::remove_file(nothing)?;
    ensure!(status.success(), "files could not be merged: {status}");
    Ok(cpu_s)
}

#[derive(Debug, Default)]
struct Live {
    bytes: u64,
    files: usize,
    rows: u64,
    columns: BTreeMap<String, u64>,
}

fn live(runtime: &Runtime, store: &Store) -> anyhow::Result<Live> {
    let folder = store.root.join("spans");
    let url = Url::from_directory_path(&folder).map_err(|()| anyhow!("{} is no address", folder.display()))?;
    let table = runtime.block_on(deltalake::open_table(url)).context("the table spans cannot be read")?;
    let mut live = Live::default();
    for file in table.snapshot()?.log_data().iter() {
        let opened = File::open(folder.join(file.path().as_ref()))?;
        live.files += 1;
        live.bytes += opened.metadata()?.len();
        let reader = SerializedFileReader::new(opened)?;
        for group in reader.metadata().row_groups() {
            live.rows += u64::try_from(group.num_rows())?;
            for chunk in group.columns() {
                let column = chunk.column_path().parts().first().cloned().unwrap_or_default();
                *live.columns.entry(column).or_default() += u64::try_from(chunk.compressed_size())?;
            }
        }
    }
    Ok(live)
}
