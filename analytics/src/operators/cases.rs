//! Which case numbers are one case: those that ever appear together in one span, and what hangs together through them.

use super::hashing::FastMap;

/// What became of a case number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// The number (its keyed hash).
    pub number: u64,
    /// The case: of the numbers linked to it, the one that was seen first; itself where it is not linked. So a case stays
    /// what it is when another system gives it one more number.
    pub case: u64,
    /// How many numbers hang together with it, itself included.
    pub numbers: usize,
    /// False where these are too many to be one case: then each number is a case of its own.
    pub linked: bool,
}

/// Numbers seen so far, as a forest: each points to one that it is linked with.
#[derive(Debug, Default)]
pub struct Components {
    index: FastMap<u64, usize>,
    parent: Vec<usize>,
    // When each was seen first.
    first: Vec<i64>,
}

impl Components {
    /// Takes a number that was seen at an instant.
    pub fn see(&mut self, number: u64, at: i64) {
        let index = self.index(number);
        self.first[index] = at.min(self.first[index]);
    }

    fn index(&mut self, number: u64) -> usize {
        *self.index.entry(number).or_insert_with(|| {
            self.parent.push(self.parent.len());
            self.first.push(i64::MAX);
            self.parent.len() - 1
        })
    }

    /// Takes the numbers that one span names.
    pub fn link(&mut self, numbers: impl IntoIterator<Item = u64>) {
        let mut first = None;
        for number in numbers {
            let index = self.index(number);
            let root = self.root(index);
            match first {
                None => first = Some(root),
                Some(other) => self.parent[root] = other,
            }
        }
    }

    /// The links of all numbers seen, in order of number.
    #[must_use]
    pub fn links(mut self, most: usize) -> Vec<Link> {
        let index = std::mem::take(&mut self.index);
        // By root: how many numbers there are, and which was seen first.
        let mut components: Vec<(usize, (i64, u64))> = vec![(0, (i64::MAX, u64::MAX)); self.parent.len()];
        for (&number, &position) in &index {
            let root = self.root(position);
            let (numbers, first) = &mut components[root];
            *numbers += 1;
            *first = (self.first[position], number).min(*first);
        }
        let mut links: Vec<Link> = index
            .into_iter()
            .map(|(number, position)| {
                let (numbers, (_, first)) = components[self.root(position)];
                let linked = numbers <= most;
                Link { number, case: if linked { first } else { number }, numbers, linked }
            })
            .collect();
        links.sort_unstable();
        links
    }

    fn root(&mut self, mut index: usize) -> usize {
        while self.parent[index] != index {
            self.parent[index] = self.parent[self.parent[index]];
            index = self.parent[index];
        }
        index
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Spans one after the other, each with the numbers that it names.
    fn links(spans: &[&[u64]], most: usize) -> Vec<(u64, u64, usize, bool)> {
        let mut components = Components::default();
        for (at, span) in (0..).zip(spans) {
            span.iter().for_each(|number| components.see(*number, at));
            components.link(span.iter().copied());
        }
        components.links(most).into_iter().map(|link| (link.number, link.case, link.numbers, link.linked)).collect()
    }

    #[test]
    fn numbers_seen_together_are_one_case_whatever_the_order() {
        let expected = |case| [(1, case, 3, true), (2, case, 3, true), (3, case, 3, true), (4, 4, 1, true)];
        assert_eq!(links(&[&[3, 2], &[4], &[2, 1]], 8), expected(2), "of two seen first, the smaller");
        assert_eq!(links(&[&[1, 2], &[2, 3], &[4], &[2, 3]], 8), expected(1));
        assert_eq!(links(&[&[2], &[3], &[1], &[4], &[2, 3], &[1, 3]], 8), expected(2));
    }

    #[test]
    fn a_case_stays_what_it_is_when_it_gets_another_number() {
        let case_of = |spans: &[&[u64]]| links(spans, 8).into_iter().find(|link| link.0 == 5).map(|link| link.1);
        assert_eq!(case_of(&[&[5]]), Some(5));
        assert_eq!(case_of(&[&[5], &[1, 5], &[1]]), Some(5));
        assert_eq!(case_of(&[&[1], &[5], &[1, 5]]), Some(1), "two cases that become one");
    }

    #[test]
    fn too_many_numbers_are_not_linked() {
        let all = links(&[&[1, 2], &[2, 3]], 2);
        assert!(all.iter().all(|(number, case, count, linked)| number == case && *count == 3 && !linked));
    }
}
