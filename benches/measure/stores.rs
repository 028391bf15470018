//! Simulated stores, made by the program as its users make them, and what a run of it took.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};

use crate::sizes::Estate;

/// What a run of the program took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Took {
    pub(crate) seconds: f64,
    /// Peak of its resident memory, MiB; nought where the system does not tell.
    pub(crate) peak_mib: f64,
}

/// Runs `gilbreth` to its end.
pub(crate) fn gilbreth<S: AsRef<OsStr>>(arguments: &[S]) -> anyhow::Result<Took> {
    let begun = Instant::now();
    let mut process = Command::new(env!("CARGO_BIN_EXE_gilbreth"))
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("the program does not start")?;
    let status = PathBuf::from(format!("/proc/{}/status", process.id()));
    let mut peak_mib: f64 = 0.0;
    let ended = loop {
        // The highest so far, by the system's own count: nothing is missed but what the last moments add.
        peak_mib = peak_mib.max(peak(&status).unwrap_or_default());
        match process.try_wait()? {
            Some(ended) => break ended,
            None => sleep(Duration::from_millis(5)),
        }
    };
    let arguments: Vec<_> = arguments.iter().map(|argument| argument.as_ref().display().to_string()).collect();
    ensure!(ended.success(), "gilbreth {} ended with {ended}", arguments.join(" "));
    Ok(Took { seconds: begun.elapsed().as_secs_f64(), peak_mib })
}

fn peak(status: &Path) -> Option<f64> {
    let said = fs::read_to_string(status).ok()?;
    let line = said.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches("kB").trim().parse::<f64>().ok()? / 1024.0)
}

/// The files of a simulated estate, one a working day, in order.
pub(crate) fn simulate(folder: &Path, estate: Estate) -> anyhow::Result<Vec<PathBuf>> {
    let (staff, weeks) = (estate.staff.to_string(), estate.weeks.to_string());
    let out = folder.display().to_string();
    let took = gilbreth(&["simulate", "--staff", &staff, "--weeks", &weeks, "--seed", "1", "--out", &out])?;
    println!("simulated             {staff} people, {weeks} weeks ({:.1} s)", took.seconds);
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "pb"));
    files.sort();
    Ok(files)
}

/// Adds files to a store.
pub(crate) fn ingest(store: &Path, files: &[PathBuf]) -> anyhow::Result<Took> {
    let arguments = [OsStr::new("ingest"), OsStr::new("--store"), store.as_os_str()].into_iter();
    gilbreth(&arguments.chain(files.iter().map(|file| file.as_os_str())).collect::<Vec<_>>())
}

/// Brings the facts of a store up to date.
pub(crate) fn refresh(store: &Path, options: &[&str]) -> anyhow::Result<Took> {
    let arguments = [OsStr::new("refresh"), OsStr::new("--store"), store.as_os_str()].into_iter();
    gilbreth(&arguments.chain(options.iter().map(OsStr::new)).collect::<Vec<_>>())
}

/// A refreshed store of a simulated estate.
pub(crate) fn simulated(store: &Path, estate: Estate) -> anyhow::Result<PathBuf> {
    let files = simulate(&store.with_extension("otlp"), estate)?;
    let took = ingest(store, &files)?;
    println!("ingested              {} files ({:.1} s)", files.len(), took.seconds);
    refresh(store, &[])?;
    Ok(store.to_owned())
}
