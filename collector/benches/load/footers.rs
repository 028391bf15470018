//! What Parquet files say of themselves.

use std::{collections::BTreeMap, fs, fs::File, path::Path};

use anyhow::Context as _;
use parquet::file::reader::{FileReader as _, SerializedFileReader};

/// Sums over files.
#[derive(Debug, Default)]
pub(crate) struct Footers {
    pub(crate) files: usize,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    /// Packed bytes of each column, by its outermost name.
    pub(crate) columns: BTreeMap<String, u64>,
}

impl Footers {
    pub(crate) fn add(&mut self, file: &Path) -> anyhow::Result<()> {
        let opened = File::open(file).with_context(|| format!("cannot open {}", file.display()))?;
        self.files += 1;
        self.bytes += opened.metadata()?.len();
        let reader = SerializedFileReader::new(opened).with_context(|| format!("{} has no footer", file.display()))?;
        for group in reader.metadata().row_groups() {
            self.rows += u64::try_from(group.num_rows())?;
            for chunk in group.columns() {
                let column = chunk.column_path().parts().first().cloned().unwrap_or_default();
                *self.columns.entry(column).or_default() += u64::try_from(chunk.compressed_size())?;
            }
        }
        Ok(())
    }
}

/// The files below a folder, by the folder that they are in, named from the first.
pub(crate) fn by_folder(root: &Path) -> anyhow::Result<BTreeMap<String, Footers>> {
    let mut found = BTreeMap::new();
    search(root, root, &mut found)?;
    Ok(found)
}

fn search(root: &Path, folder: &Path, found: &mut BTreeMap<String, Footers>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            search(root, &path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "parquet") {
            let name = folder.strip_prefix(root).unwrap_or(folder).display().to_string();
            found.entry(name).or_default().add(&path)?;
        }
    }
    Ok(())
}
