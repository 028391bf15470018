//! Texts of a column, each once for as long as it keeps coming back.
//!
//! The spans of a request say the same of worker, case and screen again and again. So a text is looked for among those
//! that came lately, and a row only notes which it is: what is checked of a text, and what the gate makes of it, is done
//! once for all those rows. A text that is not found is put down again; equal texts may therefore have two numbers.

use std::sync::Arc;

use arrow::{
    array::{DictionaryArray, StringArray, UInt32Array},
    buffer::{BooleanBuffer, NullBuffer},
    datatypes::UInt32Type,
};

use super::{DecodeError, wire::utf8};

/// A column of texts: for each row the number of its text.
pub(crate) type Texts = DictionaryArray<UInt32Type>;

/// How many of the last texts are looked among, each in the place that its bytes say.
const RECENT: usize = 64;
/// The number of no text.
const NONE: u32 = u32::MAX;

/// Texts, numbered.
pub(super) struct Words<'a> {
    texts: Vec<&'a str>,
    recent: [u32; RECENT],
}

impl Default for Words<'_> {
    fn default() -> Self {
        Self { texts: Vec::new(), recent: [NONE; RECENT] }
    }
}

impl<'a> Words<'a> {
    /// The number of a text.
    ///
    /// # Errors
    /// If it is not UTF-8.
    #[inline]
    pub(super) fn number(&mut self, text: &'a [u8]) -> Result<u32, DecodeError> {
        let slot = &mut self.recent[slot(text)];
        if let Some(known) = self.texts.get(*slot as usize)
            && known.as_bytes() == text
        {
            return Ok(*slot);
        }
        *slot = u32::try_from(self.texts.len()).expect("there are fewer than 2^32 texts in a request");
        self.texts.push(utf8(text)?);
        Ok(*slot)
    }

    /// The texts by number.
    pub(super) fn finish(self) -> StringArray {
        StringArray::from_iter_values(self.texts)
    }
}

/// Where a text is looked for: by its length, its first bytes and its last.
#[inline]
fn slot(text: &[u8]) -> usize {
    let (first, last) = match (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        _ => text.iter().fold((0, 0), |(all, _), byte| (all << 8 | u64::from(*byte), 0)),
    };
    let mixed = (first ^ last.rotate_left(31) ^ text.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 58) as usize
}

/// A column of texts being built.
#[derive(Default)]
pub(super) struct TextColumn<'a> {
    words: Words<'a>,
    numbers: Vec<u32>,
}

impl<'a> TextColumn<'a> {
    /// The text of a row, if it has none yet; says whether it had none.
    #[inline]
    pub(super) fn put(&mut self, row: usize, text: &'a [u8]) -> Result<bool, DecodeError> {
        let is_first = self.numbers.len() <= row;
        if is_first {
            let number = self.words.number(text)?;
            if self.numbers.len() < row {
                self.numbers.resize(row, NONE);
            }
            self.numbers.push(number);
        }
        Ok(is_first)
    }

    /// The column; `None` if no row has a text.
    pub(super) fn finish(mut self, rows: usize) -> Option<Texts> {
        if self.numbers.is_empty() {
            return None;
        }
        self.numbers.resize(rows, NONE);
        let nulls = NullBuffer::new(BooleanBuffer::collect_bool(rows, |row| self.numbers[row] != NONE));
        for number in self.numbers.iter_mut().filter(|number| **number == NONE) {
            *number = 0;
        }
        Some(column(
            UInt32Array::new(self.numbers.into(), Some(nulls).filter(|nulls| nulls.null_count() > 0)),
            self.words,
        ))
    }
}

/// Numbers and their texts.
pub(super) fn column(numbers: UInt32Array, words: Words<'_>) -> Texts {
    Texts::try_new(numbers, Arc::new(words.finish())).expect("each number is that of a text")
}
