//! An export in columns, as sent: nothing judged, nothing hashed.
//!
//! Texts are Arrow dictionaries: one that comes again is neither checked nor copied again.

use std::sync::Arc;

use arrow::{
    array::{
        Array, ArrayAccessor, BooleanArray, BooleanBufferBuilder, FixedSizeBinaryArray, Int64Array, ListArray,
        NullBufferBuilder, StringArray, UInt32Array, UInt64Array,
    },
    buffer::{NullBuffer, OffsetBuffer},
    datatypes::Field,
};

use super::{
    DecodeError,
    slot::{Integer, List, Slot, Text},
    words::{TextColumn, Texts, Words, column},
};

/// An export, as the gate takes it: a row for each span, a column for each attribute of the conventions that any span
/// has, and the rest by name.
#[derive(Debug, Clone)]
pub struct Decoded {
    /// How many resources there are.
    pub(crate) resources: u32,
    /// Their attributes.
    pub(crate) of_resources: Vec<Entry>,
    /// The resource of each span.
    pub(crate) resource: Vec<u32>,
    /// 16 bytes; null if they were not 16.
    pub(crate) trace_id: FixedSizeBinaryArray,
    /// 8 bytes; null if they were not 8.
    pub(crate) span_id: FixedSizeBinaryArray,
    /// The same; null for a root.
    pub(crate) parent_span_id: FixedSizeBinaryArray,
    /// The spans' names.
    pub(crate) name: Texts,
    /// Start, Unix nanoseconds.
    pub(crate) started_at_ns: UInt64Array,
    /// End, Unix nanoseconds.
    pub(crate) ended_at_ns: UInt64Array,
    /// Whether the status is an error.
    pub(crate) failed: BooleanArray,
    texts: [Option<Texts>; Text::COUNT],
    integers: [Option<Int64Array>; Integer::COUNT],
    lists: [Option<ListArray>; List::COUNT],
    /// All other attributes of spans, and those whose value is not of the type that their column has, by row.
    pub(crate) others: Vec<Entry>,
    /// Names and texts of entries.
    names: StringArray,
    entry_texts: StringArray,
    /// Log records that are no event of the conventions; they are not kept.
    pub(crate) other_logs: u64,
}

impl Decoded {
    /// How many spans there are, log records made spans included.
    #[must_use]
    pub fn spans(&self) -> usize {
        self.resource.len()
    }

    /// The column of an attribute; `None` if no span has it.
    pub(crate) fn text(&self, of: Text) -> Option<&Texts> {
        self.texts[of as usize].as_ref()
    }

    /// The same for a whole number.
    pub(crate) fn integer(&self, of: Integer) -> Option<&Int64Array> {
        self.integers[of as usize].as_ref()
    }

    /// The same for several texts.
    pub(crate) fn list(&self, of: List) -> Option<&ListArray> {
        self.lists[of as usize].as_ref()
    }

    /// The names of entries.
    pub(crate) const fn names(&self) -> &StringArray {
        &self.names
    }

    /// The name of an entry.
    pub(crate) fn name_of(&self, entry: &Entry) -> &str {
        self.names.value(entry.name as usize)
    }

    /// Its value.
    pub(crate) fn value_of(&self, entry: &Entry) -> Value<'_> {
        match entry.value {
            Scalar::Text(at) => Value::Text(self.entry_texts.value(at as usize)),
            Scalar::Integer(number) => Value::Integer(number),
            Scalar::Double(number) => Value::Double(number),
            Scalar::Boolean(truth) => Value::Boolean(truth),
            Scalar::Other => Value::Other,
        }
    }
}

/// An attribute that has no column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    /// The row of its span, or the number of its resource.
    pub(crate) of: u32,
    name: u32,
    value: Scalar,
}

impl Entry {
    /// The place of its name among the names.
    pub(crate) const fn name(&self) -> usize {
        self.name as usize
    }
}

#[derive(Debug, Clone, Copy)]
enum Scalar {
    /// By its number among the texts.
    Text(u32),
    Integer(i64),
    Double(f64),
    Boolean(bool),
    Other,
}

/// The value of an attribute that has no column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value<'a> {
    Text(&'a str),
    Integer(i64),
    Double(f64),
    Boolean(bool),
    /// Anything else: bytes, maps, arrays, nothing.
    Other,
}

impl PartialEq for Decoded {
    /// Whatever the numbers of names and texts; NaN is itself.
    fn eq(&self, other: &Self) -> bool {
        let texts = |one: Option<&Texts>, two: Option<&Texts>| match (one, two) {
            (Some(one), Some(two)) => is_same(one, two),
            (one, two) => one.is_none() && two.is_none(),
        };
        let lists = |one: Option<&ListArray>, two: Option<&ListArray>| match (one, two) {
            (Some(one), Some(two)) => {
                one.offsets() == two.offsets() && one.nulls() == two.nulls() && is_same(items_of(one), items_of(two))
            }
            (one, two) => one.is_none() && two.is_none(),
        };
        let told = |decoded: &Self, entry: &Entry| {
            let value = match decoded.value_of(entry) {
                Value::Double(number) => format!("{:x}", number.to_bits()),
                value => format!("{value:?}"),
            };
            (entry.of, decoded.name_of(entry).to_owned(), value)
        };
        let entries = |one: &[Entry], two: &[Entry]| {
            one.len() == two.len() && one.iter().zip(two).all(|(one, two)| told(self, one) == told(other, two))
        };
        self.resources == other.resources
            && entries(&self.of_resources, &other.of_resources)
            && self.resource == other.resource
            && self.trace_id == other.trace_id
            && self.span_id == other.span_id
            && self.parent_span_id == other.parent_span_id
            && is_same(&self.name, &other.name)
            && self.started_at_ns == other.started_at_ns
            && self.ended_at_ns == other.ended_at_ns
            && self.failed == other.failed
            && self.texts.iter().zip(&other.texts).all(|(one, two)| texts(one.as_ref(), two.as_ref()))
            && self.integers == other.integers
            && self.lists.iter().zip(&other.lists).all(|(one, two)| lists(one.as_ref(), two.as_ref()))
            && entries(&self.others, &other.others)
            && self.other_logs == other.other_logs
    }
}

fn is_same(one: &Texts, two: &Texts) -> bool {
    let text = |of: &Texts, row: usize| {
        let of = of.downcast_dict::<StringArray>().expect("texts are strings");
        of.is_valid(row).then(|| of.value(row).to_owned())
    };
    one.len() == two.len() && (0..one.len()).all(|row| text(one, row) == text(two, row))
}

/// The items of a column of lists.
pub(crate) fn items_of(lists: &ListArray) -> &Texts {
    lists.values().as_any().downcast_ref().expect("items are texts")
}

/// A value as it is read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Read<'a, 'b> {
    Text(&'a [u8]),
    Integer(i64),
    Double(f64),
    Boolean(bool),
    /// Several texts and nothing else.
    Texts(&'b [&'a [u8]]),
    Other,
}

/// What a span is besides its attributes.
#[derive(Debug, Default)]
pub(super) struct Head<'i, 'a> {
    pub(super) trace_id: &'i [u8],
    pub(super) span_id: &'i [u8],
    pub(super) parent_span_id: &'i [u8],
    pub(super) name: &'a [u8],
    pub(super) started_at_ns: u64,
    pub(super) ended_at_ns: u64,
    pub(super) failed: bool,
}

/// Columns being built. Attributes of a span come before its [`Head`], which ends its row.
pub(super) struct Columns<'a> {
    pub(super) other_logs: u64,
    resources: u32,
    of_resources: Vec<Entry>,
    resource: Vec<u32>,
    trace_id: Fixed<16>,
    span_id: Fixed<8>,
    parent_span_id: Fixed<8>,
    name: TextColumn<'a>,
    started_at_ns: Vec<u64>,
    ended_at_ns: Vec<u64>,
    failed: BooleanBufferBuilder,
    texts: [TextColumn<'a>; Text::COUNT],
    integers: [IntegerColumn; Integer::COUNT],
    lists: [ListColumn<'a>; List::COUNT],
    others: Vec<Entry>,
    names: Words<'a>,
    entry_texts: Words<'a>,
}

impl<'a> Columns<'a> {
    /// Room for so many spans.
    pub(super) fn with_capacity(spans: usize) -> Self {
        Self {
            other_logs: 0,
            resources: 0,
            of_resources: Vec::new(),
            resource: Vec::with_capacity(spans),
            trace_id: Fixed::with_capacity(spans),
            span_id: Fixed::with_capacity(spans),
            parent_span_id: Fixed::with_capacity(spans),
            name: TextColumn::default(),
            started_at_ns: Vec::with_capacity(spans),
            ended_at_ns: Vec::with_capacity(spans),
            failed: BooleanBufferBuilder::new(spans),
            texts: std::array::from_fn(|_| TextColumn::default()),
            integers: std::array::from_fn(|_| IntegerColumn::default()),
            lists: std::array::from_fn(|_| ListColumn::default()),
            others: Vec::new(),
            names: Words::default(),
            entry_texts: Words::default(),
        }
    }

    fn row(&self) -> usize {
        self.resource.len()
    }

    /// Another resource; spans are of the last.
    pub(super) const fn begin_resource(&mut self) {
        self.resources += 1;
    }

    /// An attribute of the last resource.
    pub(super) fn of_resource(&mut self, name: &'a [u8], value: Read<'a, '_>) -> Result<(), DecodeError> {
        let entry = self.entry(self.resources - 1, name, value)?;
        self.of_resources.push(entry);
        Ok(())
    }

    fn entry(&mut self, of: u32, name: &'a [u8], value: Read<'a, '_>) -> Result<Entry, DecodeError> {
        let value = match value {
            Read::Text(text) => Scalar::Text(self.entry_texts.number(text)?),
            Read::Integer(number) => Scalar::Integer(number),
            Read::Double(number) => Scalar::Double(number),
            Read::Boolean(truth) => Scalar::Boolean(truth),
            Read::Texts(_) | Read::Other => Scalar::Other,
        };
        Ok(Entry { of, name: self.names.number(name)?, value })
    }

    /// An attribute of the span being read. Where one is there twice, the first stays: says whether the value is kept.
    ///
    /// # Errors
    /// If a text that is kept is not UTF-8.
    #[inline]
    pub(super) fn attribute(&mut self, slot: Slot, name: &'a [u8], value: Read<'a, '_>) -> Result<bool, DecodeError> {
        let row = self.row();
        match (slot, value) {
            (Slot::Text(of), Read::Text(text)) => self.texts[of as usize].put(row, text),
            (Slot::Integer(of), Read::Integer(number)) => Ok(self.integers[of as usize].put(row, number)),
            (Slot::List(List::Cases), Read::Text(text)) => self.lists[List::Cases as usize].put(row, &[text]),
            (Slot::List(of), Read::Texts(texts)) => self.lists[of as usize].put(row, texts),
            (_, value) => {
                let entry = self.entry(index(row), name, value)?;
                self.others.push(entry);
                Ok(true)
            }
        }
    }

    /// Ends the row.
    pub(super) fn span(&mut self, head: &Head<'_, 'a>) -> Result<(), DecodeError> {
        self.trace_id.push(head.trace_id);
        self.span_id.push(head.span_id);
        self.parent_span_id.push(head.parent_span_id);
        self.name.put(self.row(), head.name)?;
        self.started_at_ns.push(head.started_at_ns);
        self.ended_at_ns.push(head.ended_at_ns);
        self.failed.append(head.failed);
        self.resource.push(self.resources.saturating_sub(1));
        Ok(())
    }

    /// The columns.
    pub(super) fn finish(mut self) -> Decoded {
        let rows = self.row();
        Decoded {
            resources: self.resources,
            of_resources: self.of_resources,
            resource: self.resource,
            trace_id: self.trace_id.finish(),
            span_id: self.span_id.finish(),
            parent_span_id: self.parent_span_id.finish(),
            name: self.name.finish(rows).unwrap_or_else(|| column(UInt32Array::new_null(0), Words::default())),
            started_at_ns: self.started_at_ns.into(),
            ended_at_ns: self.ended_at_ns.into(),
            failed: BooleanArray::new(self.failed.finish(), None),
            texts: self.texts.map(|column| column.finish(rows)),
            integers: self.integers.map(|column| column.finish(rows)),
            lists: self.lists.map(|column| column.finish(rows)),
            others: self.others,
            names: self.names.finish(),
            entry_texts: self.entry_texts.finish(),
            other_logs: self.other_logs,
        }
    }
}

fn index(at: usize) -> u32 {
    u32::try_from(at).expect("there are fewer than 2^32 parts of a request")
}

/// Bytes of one length, or null.
struct Fixed<const N: usize> {
    bytes: Vec<u8>,
    valid: NullBufferBuilder,
}

impl<const N: usize> Fixed<N> {
    fn with_capacity(rows: usize) -> Self {
        Self { bytes: Vec::with_capacity(rows * N), valid: NullBufferBuilder::new(rows) }
    }

    fn push(&mut self, bytes: &[u8]) {
        let valid = bytes.len() == N;
        self.bytes.extend_from_slice(if valid { bytes } else { &[0; N] });
        self.valid.append(valid);
    }

    fn finish(mut self) -> FixedSizeBinaryArray {
        let size = i32::try_from(N).expect("an id is short");
        FixedSizeBinaryArray::new(size, self.bytes.into(), self.valid.finish())
    }
}

/// Whether each row has a value; made as values come, so that a column nobody uses costs nothing.
struct Valid(NullBufferBuilder);

impl Default for Valid {
    fn default() -> Self {
        Self(NullBufferBuilder::new(0))
    }
}

impl Valid {
    /// The next value is that of `row`.
    fn put(&mut self, row: usize) {
        let gap = row - self.0.len();
        if gap > 0 {
            self.0.append_n_nulls(gap);
        }
        self.0.append_non_null();
    }

    fn finish(mut self, rows: usize) -> Option<NullBuffer> {
        self.0.append_n_nulls(rows - self.0.len());
        self.0.finish()
    }
}

#[derive(Default)]
struct IntegerColumn {
    numbers: Vec<i64>,
    valid: Valid,
}

impl IntegerColumn {
    fn put(&mut self, row: usize, number: i64) -> bool {
        let is_first = self.numbers.len() <= row;
        if is_first {
            self.numbers.resize(row, 0);
            self.numbers.push(number);
            self.valid.put(row);
        }
        is_first
    }

    fn finish(mut self, rows: usize) -> Option<Int64Array> {
        if self.numbers.is_empty() {
            return None;
        }
        self.numbers.resize(rows, 0);
        Some(Int64Array::new(self.numbers.into(), self.valid.finish(rows)))
    }
}

#[derive(Default)]
struct ListColumn<'a> {
    /// Where the list of each row ends.
    ends: Vec<i32>,
    items: Vec<u32>,
    words: Words<'a>,
    valid: Valid,
}

impl<'a> ListColumn<'a> {
    fn put(&mut self, row: usize, texts: &[&'a [u8]]) -> Result<bool, DecodeError> {
        let is_first = self.ends.len() <= row;
        if is_first {
            self.ends.resize(row, self.end());
            for text in texts {
                self.items.push(self.words.number(text)?);
            }
            self.ends.push(self.end());
            self.valid.put(row);
        }
        Ok(is_first)
    }

    fn end(&self) -> i32 {
        i32::try_from(self.items.len()).expect("there are fewer than 2^31 parts of a request")
    }

    fn finish(mut self, rows: usize) -> Option<ListArray> {
        if self.ends.is_empty() {
            return None;
        }
        let end = self.end();
        self.ends.resize(rows, end);
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        offsets.append(&mut self.ends);
        let items = column(self.items.into(), self.words);
        let field = Arc::new(Field::new("element", items.data_type().clone(), true));
        Some(ListArray::new(field, OffsetBuffer::new(offsets.into()), Arc::new(items), self.valid.finish(rows)))
    }
}
