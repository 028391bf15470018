//! What files hold, told by their entries in a table's log alone.
//!
//! A file that was written once stands for itself: its content is a number made of its name. A file that others were
//! merged into has the same rows, so it carries the sum of theirs, in a tag of its entry; where a merge wrote several
//! files, the first carries the sum and the others nought. The sum over a day is then the same before and after a merge,
//! and whoever works something out of a day need not do so again. A merge that dropped rows leaves no such tag.

use std::collections::HashMap;

use deltalake::kernel::{Add, LogicalFileView};
use sha2::{Digest, Sha256};

/// The sum of the content of the files that were merged into this one.
const CONTENT: &str = "gilbreth.content";
/// Names the merge that wrote all files of a partition: these are sorted among each other.
const RUN: &str = "gilbreth.run";

/// Tags of a file's entry.
pub(super) type Tags = HashMap<String, Option<String>>;

/// The tags of a file in a table at hand.
#[allow(deprecated, reason = "nothing else of a file's view gives its tags")]
pub(super) fn tags_of(file: &LogicalFileView) -> Tags {
    file.add_action().tags.unwrap_or_default()
}

/// The number that stands for a file's rows.
pub(super) fn content_of(path: &str, tags: &Tags) -> u64 {
    let noted = tags.get(CONTENT).and_then(Option::as_deref).and_then(|hex| u64::from_str_radix(hex, 16).ok());
    noted.unwrap_or_else(|| content_of_name(path))
}

/// The first 8 bytes of a SHA-256 of the name.
pub(super) fn content_of_name(path: &str) -> u64 {
    Sha256::digest(path).iter().take(8).fold(0, |number, &byte| (number << 8) | u64::from(byte))
}

/// The merge that wrote a file as one of all of its partition.
pub(super) fn run_of(tags: &Tags) -> Option<&str> {
    tags.get(RUN).and_then(Option::as_deref)
}

/// Tags the files of a merge: with the content of those merged, if no row was dropped, and as one run, if they are all
/// files of their partition.
pub(super) fn tag(adds: &mut [Add], content: Option<u64>, is_whole: bool) {
    let run = is_whole.then(|| adds.first().map(|add| format!("{:016x}", content_of_name(&add.path)))).flatten();
    for (place, add) in adds.iter_mut().enumerate() {
        let tags = add.tags.get_or_insert_default();
        if let Some(content) = content {
            tags.insert(CONTENT.to_owned(), Some(format!("{:016x}", if place == 0 { content } else { 0 })));
        }
        if let Some(run) = &run {
            tags.insert(RUN.to_owned(), Some(run.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_of_a_name_is_the_same_in_any_build() {
        // The first 8 bytes of the SHA-256 of "abc".
        assert_eq!(content_of_name("abc"), 0xba78_16bf_8f01_cfea);
        assert_eq!(content_of("abc", &Tags::new()), 0xba78_16bf_8f01_cfea);
    }

    #[test]
    fn what_was_merged_stands_for_the_sum_and_what_lost_rows_for_itself() {
        let add = |path: &str| Add { path: path.to_owned(), ..Add::default() };
        let of = |adds: &[Add]| {
            let each = adds.iter().map(|add| content_of(&add.path, add.tags.as_ref().unwrap()));
            each.fold(0_u64, u64::wrapping_add)
        };
        let mut merged = [add("a"), add("b")];
        tag(&mut merged, Some(u64::MAX), true);
        assert_eq!(of(&merged), u64::MAX);
        let runs = merged.each_ref().map(|add| run_of(add.tags.as_ref().unwrap()).unwrap().to_owned());
        assert_eq!(runs[0], runs[1]);
        let mut fewer = [add("a"), add("b")];
        tag(&mut fewer, None, false);
        assert_eq!(of(&fewer), content_of_name("a").wrapping_add(content_of_name("b")));
        assert_eq!(run_of(fewer[0].tags.as_ref().unwrap()), None);
    }
}
