//! Strata: people are drawn within their organisation, because organisations differ and their sizes are no accident.

use std::{collections::BTreeMap, ops::Range};

/// The stratum of each person, given what each belongs to. Strata of fewer than `fewest` people are merged into one;
/// if that is too small still, it joins the smallest of the others (the first in order of two as small). Strata are
/// numbered in the order of their labels; the merged one comes last.
///
/// Merging strata that differ makes intervals wider, never narrower (Wolter 2007, section 2.5, on collapsed strata).
#[must_use]
pub fn merged<Label: Ord>(labels: &[Label], fewest: usize) -> Vec<usize> {
    let mut sizes: BTreeMap<&Label, usize> = BTreeMap::new();
    for label in labels {
        *sizes.entry(label).or_default() += 1;
    }
    let large: Vec<(&Label, usize)> =
        sizes.iter().filter(|(_, size)| **size >= fewest).map(|(label, size)| (*label, *size)).collect();
    let left_over = labels.len() - large.iter().map(|(_, size)| size).sum::<usize>();
    let smallest = large.iter().enumerate().min_by_key(|(_, (_, size))| *size).map(|(number, _)| number);
    let rest = match smallest {
        Some(number) if left_over < fewest => number,
        _ => large.len(),
    };
    let numbers: BTreeMap<&Label, usize> =
        large.iter().enumerate().map(|(number, (label, _))| (*label, number)).collect();
    labels.iter().map(|label| numbers.get(label).copied().unwrap_or(rest)).collect()
}

/// The stretches of equal numbers in a list sorted by them.
#[must_use]
pub fn stretches(sorted: &[usize]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (place, number) in sorted.iter().enumerate() {
        match found.last_mut() {
            Some(last) if sorted[last.start] == *number => last.end = place + 1,
            _ => found.push(place..place + 1),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(labels: &str, expected: &[usize]) {
        let labels: Vec<char> = labels.chars().collect();
        assert_eq!(merged(&labels, 3), expected, "{labels:?}");
    }

    #[test]
    fn strata_too_small_are_merged_whatever_the_order() {
        check("aaabbb", &[0, 0, 0, 1, 1, 1]);
        // b and c are too small, and together large enough.
        check("abcaaccba", &[0, 1, 1, 0, 0, 1, 1, 1, 0].map(|n| n));
        check("aaabbc", &[0, 0, 0, 1, 1, 1]);
        // b and c together are too small still: they join the smaller of a and d.
        check("aaaabcddd", &[0, 0, 0, 0, 1, 1, 1, 1, 1]);
        // Of two as small, the first.
        check("aaabddd", &[0, 0, 0, 0, 1, 1, 1]);
        check("ab", &[0, 0]);
        check("", &[]);
    }

    #[test]
    fn stretches_cover_everything() {
        assert_eq!(stretches(&[0, 0, 2, 3, 3]), [0..2, 2..3, 3..5]);
        assert!(stretches(&[]).is_empty());
    }
}
