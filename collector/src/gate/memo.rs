//! What was made of a text is made once for each export: the spans of one export say the same of worker, case and screen
//! again and again.

use std::collections::HashMap;

/// What was made of texts, each seen from a place (a resource) of its own.
#[derive(Debug)]
pub(super) struct Memo<'a, T> {
    known: HashMap<(u32, &'a str), usize>,
    made: Vec<T>,
    last: Option<((u32, &'a str), usize)>,
}

impl<T> Default for Memo<'_, T> {
    fn default() -> Self {
        Self { known: HashMap::new(), made: Vec::new(), last: None }
    }
}

impl<'a, T> Memo<'a, T> {
    /// What `make` made of the text, now or before.
    pub(super) fn of(&mut self, place: u32, text: &'a str, make: impl FnOnce() -> T) -> &T {
        let key = (place, text);
        let at = match self.last {
            Some((last, at)) if last == key => at,
            _ => *self.known.entry(key).or_insert_with(|| {
                self.made.push(make());
                self.made.len() - 1
            }),
        };
        self.last = Some((key, at));
        &self.made[at]
    }
}
