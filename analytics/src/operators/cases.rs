//! Which case numbers are one case: those that ever appear together in one span, and what hangs together through them.

use super::hashing::FastMap;

/// What became of a case number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// The number (its keyed hash).
    pub number: Vec<u8>,
    /// The case: the least number linked to it; itself where it is not linked.
    pub case: Vec<u8>,
    /// How many numbers hang together with it, itself included.
    pub numbers: usize,
    /// False where these are too many to be one case: then each number is a case of its own.
    pub linked: bool,
}

/// Numbers seen so far, as a forest: each points to one that it is linked with.
#[derive(Debug, Default)]
pub struct Components {
    index: FastMap<Vec<u8>, usize>,
    parent: Vec<usize>,
}

impl Components {
    /// Takes the numbers of one span.
    pub fn add<'a>(&mut self, numbers: impl IntoIterator<Item = &'a [u8]>) {
        let mut first = None;
        for number in numbers {
            let index = match self.index.get(number) {
                Some(&index) => index,
                None => {
                    self.parent.push(self.parent.len());
                    self.index.insert(number.to_vec(), self.parent.len() - 1);
                    self.parent.len() - 1
                }
            };
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
        let mut components: FastMap<usize, Vec<Vec<u8>>> = FastMap::default();
        for (number, position) in index {
            components.entry(self.root(position)).or_default().push(number);
        }
        let mut links: Vec<Link> = components
            .into_values()
            .flat_map(|component| {
                let (numbers, linked) = (component.len(), component.len() <= most);
                let least = component.iter().min().cloned().unwrap_or_default();
                component.into_iter().map(move |number| {
                    let case = if linked { least.clone() } else { number.clone() };
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

    fn links(spans: &[&[&str]], most: usize) -> Vec<(String, String, usize, bool)> {
        let mut components = Components::default();
        for span in spans {
            components.add(span.iter().map(|number| number.as_bytes()));
        }
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        components
            .links(most)
            .into_iter()
            .map(|link| (text(link.number), text(link.case), link.numbers, link.linked))
            .collect()
    }

    #[test]
    fn numbers_seen_together_are_one_case_whatever_the_order() {
        let expected: Vec<_> = [("a", "a", 3), ("b", "a", 3), ("c", "a", 3), ("d", "d", 1)]
            .map(|(number, case, count)| (number.to_owned(), case.to_owned(), count, true))
            .to_vec();
        assert_eq!(links(&[&["c", "b"], &["d"], &["b", "a"]], 8), expected);
        assert_eq!(links(&[&["a", "b"], &["b", "c"], &["d"], &["b", "c"]], 8), expected);
        assert_eq!(links(&[&["b"], &["c"], &["a"], &["d"], &["b", "c"], &["a", "c"]], 8), expected);
    }

    #[test]
    fn too_many_numbers_are_not_linked() {
        let all = links(&[&["a", "b"], &["b", "c"]], 2);
        assert!(all.iter().all(|(number, case, count, linked)| number == case && *count == 3 && !linked));
    }
}
