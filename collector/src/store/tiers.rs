//! Which small files are to be merged, so that each row is rewritten few times.
//!
//! **The present day** gets a file with each commit. Files are of a tier by their size: up to 64 KiB, and eight times as
//! much for each further one. Once a tier has [`FAN_IN`] files they (and smaller ones) become one, which is then of a
//! higher tier: a row is rewritten once a tier at most, four times from 64 KiB to 256 MiB, and files of half that size
//! are left alone.
//!
//! **A past day** becomes one sorted run once nothing came for [`QUIET_US`]. What comes later is small beside it, and
//! would rewrite it for each late row: it waits until it is an eighth of the run, or a day old. A row of a run is
//! rewritten for late ones once a day at most.
//!
//! Pure: sizes and times in, places out.

use deltalake::kernel::Remove;

/// Microseconds of a day.
pub(super) const DAY_US: i64 = 86_400_000_000;
/// Nothing came for a past day for so long: it is whole, but for stragglers.
const QUIET_US: i64 = 3_600_000_000;
/// The size up to which files are of the lowest tier.
const TIER_BYTES: u64 = 64 << 10;
/// Files of a tier that become one of a higher tier: more leaves more files to be read, less rewrites rows more often.
const FAN_IN: usize = 8;
/// The same for a table without days, whose files are tiny.
const UNDATED_FAN_IN: usize = 64;
/// Files of this size are not merged while their day lasts.
const FULL_BYTES: u64 = 128 << 20;
/// Files merged at once: each is open while it is read. What is more waits for the next turn.
const FILES_MAX: usize = 512;

/// A file that might be merged.
#[derive(Debug, Clone, Default)]
pub(super) struct Candidate {
    pub(super) bytes: u64,
    /// When it was written, Unix microseconds.
    pub(super) written_us: i64,
    /// The run that it is part of, if one merge wrote all of its partition.
    pub(super) run: Option<String>,
    /// What stands for its rows.
    pub(super) content: u64,
    /// Its removal.
    pub(super) remove: Remove,
}

/// What is to be expected of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Kind {
    /// A day that goes on, or is to come.
    #[default]
    Present,
    /// A day that is over.
    Past,
    /// A table without days.
    Undated,
}

/// The places of the files of one partition that are to become one; none if nothing is due.
pub(super) fn due(kind: Kind, files: &[Candidate], now_us: i64) -> Vec<usize> {
    let all = 0..files.len();
    match kind {
        Kind::Present => tiered(files, all.collect(), FAN_IN),
        Kind::Undated => tiered(files, all.collect(), UNDATED_FAN_IN),
        Kind::Past => past(files, now_us),
    }
}

fn past(files: &[Candidate], now_us: i64) -> Vec<usize> {
    let Some(run) = largest_run(files) else {
        let newest = files.iter().map(|file| file.written_us).max().unwrap_or_default();
        return match files.len() {
            0 | 1 => Vec::new(),
            _ if now_us - newest >= QUIET_US => (0..files.len()).collect(),
            _ => tiered(files, (0..files.len()).collect(), FAN_IN),
        };
    };
    let is_late = |place: &usize| files[*place].run.as_deref() != Some(run);
    let (late, in_run): (Vec<usize>, Vec<usize>) = (0..files.len()).partition(is_late);
    let bytes = |places: &[usize]| places.iter().map(|&place| files[place].bytes).sum::<u64>();
    let oldest = late.iter().map(|&place| files[place].written_us).min().unwrap_or(i64::MAX);
    let newest = late.iter().map(|&place| files[place].written_us).max().unwrap_or(i64::MAX);
    let is_much = bytes(&late) * 8 >= bytes(&in_run) && now_us.saturating_sub(newest) >= QUIET_US;
    match late.len() {
        0 => Vec::new(),
        _ if is_much || now_us.saturating_sub(oldest) >= DAY_US => (0..files.len()).collect(),
        _ => tiered(files, late, FAN_IN),
    }
}

/// Whether one merge wrote all of these: they are as few as they can be.
pub(super) fn is_one_run(files: &[Candidate]) -> bool {
    largest_run(files).is_some_and(|run| files.iter().all(|file| file.run.as_deref() == Some(run)))
}

/// The run that has most bytes.
fn largest_run(files: &[Candidate]) -> Option<&str> {
    let runs = files.iter().filter_map(|file| file.run.as_deref());
    let bytes =
        |run: &str| files.iter().filter(|file| file.run.as_deref() == Some(run)).map(|file| file.bytes).sum::<u64>();
    runs.max_by_key(|run| bytes(run))
}

/// Of some places, those of the lowest tier that is full, and of the tiers below.
fn tiered(files: &[Candidate], places: Vec<usize>, fan_in: usize) -> Vec<usize> {
    let mut small: Vec<usize> = places.into_iter().filter(|&place| files[place].bytes < FULL_BYTES).collect();
    small.sort_by_key(|&place| files[place].bytes);
    let full = (0..=tier(FULL_BYTES))
        .find(|&at| small.iter().filter(|&&place| tier(files[place].bytes) == at).count() >= fan_in);
    let Some(full) = full else { return Vec::new() };
    small.into_iter().take_while(|&place| tier(files[place].bytes) <= full).take(FILES_MAX).collect()
}

/// 0 up to [`TIER_BYTES`], one more for each eightfold.
fn tier(bytes: u64) -> u32 {
    (bytes / TIER_BYTES).checked_ilog(FAN_IN as u64).map_or(0, |tier| tier + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_US: i64 = 3_600_000_000;

    fn file(bytes: u64, written_us: i64, run: Option<&str>) -> Candidate {
        Candidate { bytes, written_us, run: run.map(str::to_owned), ..Candidate::default() }
    }

    #[test]
    fn a_row_of_the_present_day_is_rewritten_once_a_tier() {
        let (mut files, mut written, mut rewritten): (Vec<Candidate>, u64, u64) = (Vec::new(), 0, 0);
        let mut most = 0;
        for commit in 0..8_640 {
            files.push(file(90_000, commit * 10_000_000, None));
            written += 90_000;
            let mut chosen = due(Kind::Present, &files, commit * 10_000_000);
            if !chosen.is_empty() {
                chosen.sort_unstable_by(|one, other| other.cmp(one));
                let bytes = chosen.into_iter().map(|place| files.remove(place).bytes).sum();
                rewritten += bytes;
                files.push(file(bytes, commit * 10_000_000, None));
            }
            most = most.max(files.len());
        }
        assert_eq!(files.iter().map(|file| file.bytes).sum::<u64>(), written);
        assert!(rewritten < 4 * written, "{rewritten} of {written}");
        assert!(most <= 40, "a day never has more files than a query can open: {most}");
    }

    #[test]
    fn large_files_are_left_alone_while_their_day_lasts() {
        let files = vec![file(FULL_BYTES, 0, None); 20];
        assert!(due(Kind::Present, &files, 0).is_empty());
    }

    #[test]
    fn a_past_day_becomes_one_run_once_it_is_quiet_and_stays_so() {
        let files: Vec<_> = (0..3).map(|hour| file(1 << 20, hour * HOUR_US, None)).collect();
        assert!(due(Kind::Past, &files, 3 * HOUR_US - 1).is_empty());
        assert_eq!(due(Kind::Past, &files, 3 * HOUR_US), [0, 1, 2]);
        let run = [file(256 << 20, 0, Some("a")), file(1 << 20, 0, Some("a"))];
        assert!(due(Kind::Past, &run, i64::MAX).is_empty(), "one run is never merged again");
        assert!(due(Kind::Past, &[file(1, 0, None)], i64::MAX).is_empty(), "nor is one file");
    }

    #[test]
    fn stragglers_wait_until_they_are_many_or_a_day_old() {
        let with = |bytes| [file(80 << 20, 0, Some("a")), file(bytes, HOUR_US, None)];
        assert!(due(Kind::Past, &with(1 << 20), 20 * HOUR_US).is_empty());
        assert_eq!(due(Kind::Past, &with(1 << 20), 25 * HOUR_US), [0, 1]);
        assert_eq!(due(Kind::Past, &with(10 << 20), 2 * HOUR_US), [0, 1]);
        assert!(due(Kind::Past, &with(10 << 20), 2 * HOUR_US - 1).is_empty());
    }

    #[test]
    fn many_stragglers_are_merged_among_themselves() {
        let mut files = vec![file(80 << 20, 0, Some("a"))];
        files.extend((0..8).map(|_| file(1_000, HOUR_US, None)));
        assert_eq!(due(Kind::Past, &files, HOUR_US + 1), (1..9).collect::<Vec<_>>());
    }
}
