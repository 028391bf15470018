//! Texts of a column, each once for as long as it keeps coming back.
//!
//! The spans of a request say the same of worker, case and screen again and again. So a text is looked for among those
//! that came lately, and a row only notes which it is: what is checked of a text, and what the gate makes of it, is done
//! once for all those rows. A text that is not found is put down again; equal texts may therefore have two numbers.

use arrow::{
    array::{BooleanBufferBuilder, DictionaryArray, StringViewArray, UInt32Array, builder::make_view},
    buffer::{Buffer, NullBuffer, ScalarBuffer},
    datatypes::UInt32Type,
};

use super::{DecodeError, wire::Place};

/// A column of texts: for each row the number of its text.
pub(crate) type Texts = DictionaryArray<UInt32Type>;

/// How many of the last texts are looked among, each in the place that its bytes say.
const RECENT: usize = 64;
/// The number of no text.
const NONE: u32 = u32::MAX;

/// Texts, numbered.
pub(super) struct Words {
    places: Vec<Place>,
    recent: [u32; RECENT],
}

impl Default for Words {
    fn default() -> Self {
        Self { places: Vec::new(), recent: [NONE; RECENT] }
    }
}

impl Words {
    /// The number of a text.
    ///
    /// # Errors
    /// If it is not UTF-8.
    #[inline]
    pub(super) fn number(&mut self, body: &[u8], place: Place) -> Result<u32, DecodeError> {
        let text = place.of(body);
        let slot = &mut self.recent[slot(text)];
        if let Some(known) = self.places.get(*slot as usize)
            && known.of(body) == text
        {
            return Ok(*slot);
        }
        std::str::from_utf8(text).map_err(|_| DecodeError::Malformed)?;
        *slot = u32::try_from(self.places.len()).expect("there are fewer than 2^32 texts in a request");
        self.places.push(place);
        Ok(*slot)
    }

    /// The texts by number, where they lie in the body.
    pub(super) fn finish(self, body: &Buffer) -> Result<StringViewArray, DecodeError> {
        let views: Vec<u128> = self.places.iter().map(|place| make_view(place.of(body), 0, place.from)).collect();
        StringViewArray::try_new(ScalarBuffer::from(views), vec![body.clone()], None)
            .map_err(|_| DecodeError::Malformed)
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
pub(super) struct TextColumn {
    words: Words,
    numbers: Vec<u32>,
}

impl TextColumn {
    /// The text of a row, if it has none yet; says whether it had none.
    #[inline]
    pub(super) fn put(&mut self, row: usize, body: &[u8], place: Place) -> Result<bool, DecodeError> {
        let is_first = self.numbers.len() <= row;
        if is_first {
            let number = self.words.number(body, place)?;
            if self.numbers.len() < row {
                self.numbers.resize(row, NONE);
            }
            self.numbers.push(number);
        }
        Ok(is_first)
    }

    /// The column; `None` if no row has a text.
    pub(super) fn finish(mut self, rows: usize, body: &Buffer) -> Result<Option<Texts>, DecodeError> {
        if self.numbers.is_empty() {
            return Ok(None);
        }
        self.numbers.resize(rows, NONE);
        let nulls = self.numbers.contains(&NONE).then(|| nulls(&self.numbers));
        if nulls.is_some() {
            self.numbers.iter_mut().filter(|number| **number == NONE).for_each(|number| *number = 0);
        }
        column(UInt32Array::new(self.numbers.into(), nulls), self.words, body).map(Some)
    }
}

fn nulls(numbers: &[u32]) -> NullBuffer {
    let mut valid = BooleanBufferBuilder::new(numbers.len());
    numbers.iter().for_each(|number| valid.append(*number != NONE));
    NullBuffer::new(valid.finish())
}

/// Numbers and their texts.
pub(super) fn column(numbers: UInt32Array, words: Words, body: &Buffer) -> Result<Texts, DecodeError> {
    let texts = words.finish(body)?;
    Ok(Texts::try_new(numbers, std::sync::Arc::new(texts)).expect("each number is that of a text"))
}
