//! Which case numbers are one case: those that ever appear together in one span, and what hangs together through them.

use super::hashing::FastMap;

/// What became of a case number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// The number (its keyed hash).
    pub number: u64,
    /// The case: the least number linked to it; itself where it is not linked.
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
}

impl Components {
    /// Takes the numbers of one span.
    pub fn add(&mut self, numbers: impl IntoIterator<Item = u64>) {
        let mut first = None;
        for number in numbers {
            let index = *self.index.entry(number).or_insert_with(|| {
                self.parent.push(self.parent.len());
                self.parent.len() - 1
            });
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
        let mut components: FastMap<usize, Vec<u64>> = FastMap::default();
        for (number, position) in index {
            components.entry(self.root(position)).or_default().push(number);
        }
        let mut links: Vec<Link> = components
            .into_values()
            .flat_map(|component| {
                let (numbers, linked) = (component.len(), component.len() <= most);
                let least = component.iter().min().copied().unwrap_or_default();
                component.into_iter().map(move |number| {
                    let case = if linked { least } else { number };
                    Link { number, case, numbers, linked }
                })
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

    fn links(spans: &[&[u64]], most: usize) -> Vec<(u64, u64, usize, bool)> {
        let mut components = Components::default();
        for span in spans {
            components.add(span.iter().copied());
        }
        components.links(most).into_iter().map(|link| (link.number, link.case, link.numbers, link.linked)).collect()
    }

    #[test]
    fn numbers_seen_together_are_one_case_whatever_the_order() {
        let expected = [(1, 1, 3, true), (2, 1, 3, true), (3, 1, 3, true), (4, 4, 1, true)];
        assert_eq!(links(&[&[3, 2], &[4], &[2, 1]], 8), expected);
        assert_eq!(links(&[&[1, 2], &[2, 3], &[4], &[2, 3]], 8), expected);
        assert_eq!(links(&[&[2], &[3], &[1], &[4], &[2, 3], &[1, 3]], 8), expected);
    }

    #[test]
    fn too_many_numbers_are_not_linked() {
        let all = links(&[&[1, 2], &[2, 3]], 2);
        assert!(all.iter().all(|(number, case, count, linked)| number == case && *count == 3 && !linked));
    }
}
