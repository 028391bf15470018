//! What rows say in an attribute: for each row the number of its text, so that what is to be made of a text is made once.

use arrow::array::{Array, AsArray, ListArray, StringArray};

use crate::decode::Texts;

/// Rows and their texts. Equal texts may have two numbers.
#[derive(Debug, Default)]
pub(super) struct Told<'a> {
    /// No rows at all if none says anything.
    numbers: Vec<Option<u32>>,
    texts: Vec<&'a str>,
}

impl<'a> Told<'a> {
    /// What some rows of a column say, and how many of them say something that has nothing in it, which is as if they
    /// said nothing.
    pub(super) fn of(column: Option<&'a Texts>, rows: &[u32]) -> (Self, u64) {
        let Some(column) = column else { return (Self::default(), 0) };
        let mut told = Self::with_blanks(column, rows);
        if !told.texts.iter().copied().any(is_blank) {
            return (told, 0);
        }
        let mut blank = 0;
        for number in &mut told.numbers {
            if number.is_some_and(|number| is_blank(told.texts[number as usize])) {
                blank += 1;
                *number = None;
            }
        }
        (told, blank)
    }

    /// The same where a text with nothing in it is one.
    pub(super) fn with_blanks(column: &'a Texts, rows: &[u32]) -> Self {
        let keys = column.keys();
        let number = |row: &u32| keys.is_valid(*row as usize).then(|| keys.value(*row as usize));
        let numbers = rows.iter().map(number).collect();
        Self { numbers, texts: texts_of(column) }
    }

    /// Items of lists, each a row of its own.
    pub(super) fn items(items: &'a Texts) -> Self {
        let texts = texts_of(items);
        let numbers = items.keys().values().iter().map(|&number| (!is_blank(texts[number as usize])).then_some(number));
        Self { numbers: numbers.collect(), texts }
    }

    /// What `other` says where this says nothing.
    pub(super) fn or(mut self, other: Self) -> Self {
        if self.numbers.is_empty() {
            return other;
        }
        let first = u32::try_from(self.texts.len()).expect("an export has fewer than 2^32 texts");
        self.texts.extend(other.texts);
        for (number, other) in self.numbers.iter_mut().zip(other.numbers) {
            *number = number.or(other.map(|other| first + other));
        }
        self
    }

    /// For each text what is made of it.
    pub(super) fn each<T>(&self, make: impl Fn(&'a str) -> T) -> Vec<T> {
        self.texts.iter().map(|text| make(text)).collect()
    }

    /// For each of so many rows the place of its text among [`Told::each`].
    pub(super) fn rows(&self, rows: usize) -> impl Iterator<Item = Option<usize>> {
        (0..rows).map(|row| self.at(row))
    }

    /// The same for one row.
    pub(super) fn at(&self, row: usize) -> Option<usize> {
        self.numbers.get(row).copied().flatten().map(|number| number as usize)
    }

    /// A text by its place.
    pub(super) fn text(&self, at: usize) -> &'a str {
        self.texts[at]
    }
}

fn texts_of(column: &Texts) -> Vec<&str> {
    let texts: &StringArray = column.values().as_string();
    (0..texts.len()).map(|at| texts.value(at)).collect()
}

/// Whether there is nothing in a text; mostly its first byte tells.
fn is_blank(text: &str) -> bool {
    !text.as_bytes().first().is_some_and(u8::is_ascii_graphic) && text.trim_start().is_empty()
}

/// Where the items of a row's list are.
pub(super) fn range_of(column: &ListArray, row: usize) -> std::ops::Range<usize> {
    let offsets = column.value_offsets();
    let place = |at: usize| usize::try_from(offsets[at]).expect("offsets are not negative");
    place(row)..place(row + 1)
}
