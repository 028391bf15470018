//! One column out of several, in an order of its own.
//!
//! Spans of a worker come one after another and are sorted so, too: texts and bytes that follow each other in both are
//! copied in one piece, which is half of the work of copying them one by one. All else is Arrow's to interleave.

use std::{ops::Range, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, AsArray, GenericByteArray, new_null_array},
    buffer::{BooleanBuffer, NullBuffer, OffsetBuffer, ScalarBuffer},
    compute::interleave,
    datatypes::{ArrowNativeType as _, BinaryType, ByteArrayType, DataType, Utf8Type},
    error::ArrowError,
};

/// Where rows are to be had: batch and row.
pub(super) struct Gathering<'a> {
    places: &'a [(usize, usize)],
    runs: Vec<Run>,
}

/// Rows that follow each other in a batch.
struct Run {
    batch: usize,
    rows: Range<usize>,
}

impl<'a> Gathering<'a> {
    pub(super) fn at(places: &'a [(usize, usize)]) -> Self {
        let runs = places.chunk_by(|(batch, row), next| *next == (*batch, row + 1)).map(|run| {
            let (batch, first) = run[0];
            Run { batch, rows: first..first + run.len() }
        });
        Self { places, runs: runs.collect() }
    }

    /// The values of a column there; `sources` are that column of each batch.
    pub(super) fn column(&self, sources: &[&dyn Array]) -> Result<ArrayRef, ArrowError> {
        let Some(first) = sources.first() else { return interleave(sources, self.places) };
        if sources.iter().all(|source| source.null_count() == source.len()) {
            return Ok(new_null_array(first.data_type(), self.places.len()));
        }
        match first.data_type() {
            DataType::Utf8 => self.bytes::<Utf8Type>(sources),
            DataType::Binary => self.bytes::<BinaryType>(sources),
            _ => interleave(sources, self.places),
        }
    }

    fn bytes<T: ByteArrayType>(&self, sources: &[&dyn Array]) -> Result<ArrayRef, ArrowError> {
        let sources: Vec<&GenericByteArray<T>> = sources.iter().map(|source| source.as_bytes::<T>()).collect();
        let mut length = 0;
        let mut pieces = Vec::with_capacity(self.runs.len());
        for Run { batch, rows } in &self.runs {
            let offsets = &sources[*batch].value_offsets()[rows.start..=rows.end];
            let piece = &sources[*batch].value_data()[offsets[0].as_usize()..offsets[rows.len()].as_usize()];
            length += piece.len();
            pieces.push((offsets, piece));
        }
        if T::Offset::from_usize(length).is_none() {
            return Err(ArrowError::OffsetOverflowError(length));
        }
        let mut ends: Vec<T::Offset> = Vec::with_capacity(self.places.len() + 1);
        ends.push(T::Offset::usize_as(0));
        let mut values = Vec::with_capacity(length);
        for (offsets, piece) in pieces {
            let begins = T::Offset::usize_as(values.len());
            ends.extend(offsets[1..].iter().map(|end| begins + (*end - offsets[0])));
            values.extend_from_slice(piece);
        }
        let ends = OffsetBuffer::new(ScalarBuffer::from(ends));
        Ok(Arc::new(GenericByteArray::<T>::try_new(ends, values.into(), self.nulls(&sources))?))
    }

    fn nulls<T: ByteArrayType>(&self, sources: &[&GenericByteArray<T>]) -> Option<NullBuffer> {
        if sources.iter().all(|source| source.null_count() == 0) {
            return None;
        }
        let nulls: Vec<Option<&NullBuffer>> = sources.iter().map(|source| source.nulls()).collect();
        let is_valid = |at: usize| {
            let (batch, row) = self.places[at];
            nulls[batch].is_none_or(|nulls| nulls.is_valid(row))
        };
        let nulls = NullBuffer::new(BooleanBuffer::collect_bool(self.places.len(), is_valid));
        Some(nulls).filter(|nulls| nulls.null_count() > 0)
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{BinaryArray, Int64Array, StringArray};
    use proptest::prelude::*;

    use super::*;

    fn texts() -> impl Strategy<Value = Vec<Option<String>>> {
        prop::collection::vec(prop::option::weighted(0.7, "[a-zé]{0,6}"), 1..30)
    }

    proptest! {
        #[test]
        fn what_is_gathered_is_what_arrow_interleaves(
            columns in prop::collection::vec(texts(), 1..5),
            picks in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 1_usize..6), 0..40),
            has_nulls: bool,
            from in 0_usize..3,
        ) {
            let kept = |text: &Option<String>| if has_nulls { text.clone() } else { Some(text.clone().unwrap_or_default()) };
            let texts: Vec<StringArray> = columns
                .iter()
                .map(|column| column.iter().map(kept).collect::<StringArray>())
                .map(|column| column.slice(from.min(column.len() - 1), column.len() - from.min(column.len() - 1)))
                .collect();
            let binaries: Vec<BinaryArray> = texts.iter().map(|column| column.iter().map(|text| text.map(str::as_bytes)).collect()).collect();
            let numbers: Vec<Int64Array> = texts.iter().map(|column| column.iter().map(|text| text.map(|text| text.len() as i64)).collect()).collect();
            let places: Vec<(usize, usize)> = picks
                .iter()
                .flat_map(|(column, row, length)| {
                    let column = column.index(texts.len());
                    let first = row.index(texts[column].len());
                    (first..texts[column].len().min(first + length)).map(move |row| (column, row))
                })
                .collect();
            let all: [Vec<&dyn Array>; 3] = [
                texts.iter().map(|column| column as &dyn Array).collect(),
                binaries.iter().map(|column| column as &dyn Array).collect(),
                numbers.iter().map(|column| column as &dyn Array).collect(),
            ];
            for sources in all {
                prop_assert_eq!(&Gathering::at(&places).column(&sources).unwrap(), &interleave(&sources, &places).unwrap());
            }
        }
    }
}
