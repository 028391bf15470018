//! The disk itself: how long it takes to sync, and what a folder holds.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Write as _,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Context as _;

/// As much as a log writes between two syncs, about.
const WRITE_BYTES: usize = 256 << 10;
const WRITES: usize = 200;

/// How long each of some `fdatasync` took, each after an append, with nothing else to do.
pub(crate) fn fdatasyncs(folder: &Path) -> anyhow::Result<Vec<Duration>> {
    let path = folder.join("probe");
    let mut file = File::create(&path).context("the disk cannot be probed")?;
    let written = vec![0x5a; WRITE_BYTES];
    let mut times = Vec::with_capacity(WRITES);
    for _ in 0..WRITES {
        file.write_all(&written)?;
        let begun = Instant::now();
        file.sync_data()?;
        times.push(begun.elapsed());
    }
    fs::remove_file(path)?;
    Ok(times)
}

/// The bytes of all files below each entry of a folder.
pub(crate) fn bytes_by_entry(folder: &Path) -> anyhow::Result<BTreeMap<String, u64>> {
    let mut bytes = BTreeMap::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let entry = entry?;
        bytes.insert(entry.file_name().to_string_lossy().into_owned(), bytes_below(&entry.path())?);
    }
    Ok(bytes)
}

fn bytes_below(path: &Path) -> anyhow::Result<u64> {
    let metadata = fs::symlink_metadata(path)?;
    if !metadata.is_dir() {
        return Ok(metadata.len());
    }
    fs::read_dir(path)?.try_fold(0, |sum, entry| Ok(sum + bytes_below(&entry?.path())?))
}

/// That of which so many in a hundred are no longer; nought if there is none.
pub(crate) fn percentile(times: &[Duration], hundredths: usize) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * hundredths).div_ceil(100).saturating_sub(1);
    sorted.get(rank).copied().unwrap_or_default()
}
