//! What processes and the machine have used, as Linux says it in `/proc`.

use std::{fs, io};

use anyhow::Context as _;

/// The unit in which `/proc` counts time, whatever the kernel's own: a hundredth of a second (`USER_HZ`).
const TICKS_A_SECOND: f64 = 100.0;

/// Seconds of processors that a process has used so far, by all its threads, those that ended included. It can be asked
/// until the process is waited for, also after its end.
pub(crate) fn cpu_s(process: u32) -> anyhow::Result<f64> {
    let stat = stat(process)?;
    let tick = |at: usize| stat.get(at).and_then(|ticks| ticks.parse::<f64>().ok()).context("a stat without times");
    Ok((tick(11)? + tick(12)?) / TICKS_A_SECOND)
}

/// Whether a process has ended.
pub(crate) fn is_over(process: u32) -> bool {
    stat(process).map_or(true, |stat| matches!(stat.first().map(String::as_str), Some("Z" | "X") | None))
}

/// The fields of `/proc/ID/stat` from the state on: the name before it may hold anything.
fn stat(process: u32) -> io::Result<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    let after_name = stat.rsplit_once(") ").map_or("", |(_, after)| after);
    Ok(after_name.split_ascii_whitespace().map(str::to_owned).collect())
}

/// The peak of a process's resident memory so far, MiB; nothing once it has ended.
pub(crate) fn peak_mib(process: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches("kB").trim().parse::<f64>().ok()? / 1_024.0)
}

/// What the machine did for a while.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Machine {
    /// Seconds of processors that were not idle, those that the host took away included.
    pub(crate) busy_s: f64,
    /// Of these, what this program itself took.
    pub(crate) sender_s: f64,
}

impl Machine {
    /// While `work` is done.
    pub(crate) fn during<T>(work: impl FnOnce() -> T) -> anyhow::Result<(T, Self)> {
        let before = Self::so_far()?;
        let done = work();
        let after = Self::so_far()?;
        Ok((done, Self { busy_s: after.busy_s - before.busy_s, sender_s: after.sender_s - before.sender_s }))
    }

    fn so_far() -> anyhow::Result<Self> {
        let stat = fs::read_to_string("/proc/stat").context("the machine does not say what it does")?;
        let ticks =
            |line: &str| -> Vec<f64> { line.split_ascii_whitespace().filter_map(|tick| tick.parse().ok()).collect() };
        let times = stat.lines().next().map(ticks).unwrap_or_default();
        // user nice system idle iowait irq softirq steal; what follows is counted in these
        let busy: f64 =
            times.iter().take(8).enumerate().filter(|(at, _)| !matches!(at, 3 | 4)).map(|(_, ticks)| ticks).sum();
        Ok(Self { busy_s: busy / TICKS_A_SECOND, sender_s: cpu_s(std::process::id())? })
    }
}
