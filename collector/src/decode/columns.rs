//! An export in columns, as sent: nothing judged, nothing hashed.
//!
//! Texts are Arrow string views into the body: none is copied, and each is checked to be UTF-8 once, when its column is
//! finished.

use arrow::{
    array::{
        BooleanArray, BooleanBufferBuilder, FixedSizeBinaryArray, Int64Array, ListArray, NullBufferBuilder,
        StringViewArray, UInt64Array, builder::make_view,
    },
    buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer},
    datatypes::{DataType, Field},
};

use super::{
    DecodeError,
    plain::Attribute,
    slot::{Integer, Slot, Text, Texts},
    wire::Place,
};

/// An export, as the gate takes it: a row for each span, a column for each attribute of the conventions that any span
/// has, and the rest by name.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// Attributes of each resource.
    pub(crate) resources: Vec<Vec<Attribute>>,
    /// The resource of each span.
    pub(crate) resource: Vec<u32>,
    /// 16 bytes; null if they were not 16.
    pub(crate) trace_id: FixedSizeBinaryArray,
    /// 8 bytes; null if they were not 8.
    pub(crate) span_id: FixedSizeBinaryArray,
    /// The same; null for a root.
    pub(crate) parent_span_id: FixedSizeBinaryArray,
    /// The spans' names.
    pub(crate) name: StringViewArray,
    /// Start, Unix nanoseconds.
    pub(crate) started_at_ns: UInt64Array,
    /// End, Unix nanoseconds.
    pub(crate) ended_at_ns: UInt64Array,
    /// Whether the status is an error.
    pub(crate) failed: BooleanArray,
    texts: [Option<StringViewArray>; Text::COUNT],
    integers: [Option<Int64Array>; Integer::COUNT],
    lists: [Option<ListArray>; Texts::COUNT],
    /// All other attributes, and those whose value is not of the type that their column has.
    pub(crate) others: Others,
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
    pub(crate) fn text(&self, of: Text) -> Option<&StringViewArray> {
        self.texts[of as usize].as_ref()
    }

    /// The same for a whole number.
    pub(crate) fn integer(&self, of: Integer) -> Option<&Int64Array> {
        self.integers[of as usize].as_ref()
    }

    /// The same for several texts.
    pub(crate) fn list(&self, of: Texts) -> Option<&ListArray> {
        self.lists[of as usize].as_ref()
    }
}

/// Attributes by row and name, in the order in which they came.
#[derive(Debug, Clone)]
pub(crate) struct Others {
    /// The names, each once.
    pub(crate) names: StringViewArray,
    /// Row, name by its place in `names`, and value.
    pub(crate) entries: Vec<(u32, u32, Scalar)>,
    /// The values that are text.
    pub(crate) texts: StringViewArray,
}

impl PartialEq for Others {
    /// Whatever the order of names.
    fn eq(&self, other: &Self) -> bool {
        let told = |others: &Self, &(row, name, value): &(u32, u32, Scalar)| {
            let text = match value {
                Scalar::Text(at) => Some(others.texts.value(at as usize).to_owned()),
                _ => None,
            };
            (row, others.names.value(name as usize).to_owned(), text, value.told())
        };
        self.entries.len() == other.entries.len()
            && self.entries.iter().zip(&other.entries).all(|(one, two)| told(self, one) == told(other, two))
    }
}

/// The value of an attribute that has no column.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scalar {
    /// By its place among the texts.
    Text(u32),
    Integer(i64),
    Double(f64),
    Boolean(bool),
    /// Anything else: bytes, maps, arrays, nothing.
    Other,
}

impl Scalar {
    /// Kind and bits, so that NaN is itself.
    const fn told(self) -> (u8, u64) {
        match self {
            Self::Text(_) => (0, 0),
            Self::Integer(number) => (1, number.cast_unsigned()),
            Self::Double(number) => (2, number.to_bits()),
            Self::Boolean(truth) => (3, truth as u64),
            Self::Other => (4, 0),
        }
    }
}

/// A value as it is read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value<'a> {
    Text(Place),
    Integer(i64),
    Double(f64),
    Boolean(bool),
    /// Several texts and nothing else.
    Texts(&'a [Place]),
    Other,
}

/// What a span is besides its attributes.
#[derive(Debug, Default)]
pub(super) struct Head<'a> {
    pub(super) trace_id: &'a [u8],
    pub(super) span_id: &'a [u8],
    pub(super) parent_span_id: &'a [u8],
    pub(super) name: Place,
    pub(super) started_at_ns: u64,
    pub(super) ended_at_ns: u64,
    pub(super) failed: bool,
}

/// Columns being built. Attributes of a span come before its [`Head`], which ends its row.
pub(super) struct Columns {
    pub(super) resources: Vec<Vec<Attribute>>,
    pub(super) other_logs: u64,
    resource: Vec<u32>,
    trace_id: Fixed<16>,
    span_id: Fixed<8>,
    parent_span_id: Fixed<8>,
    name: Vec<u128>,
    started_at_ns: Vec<u64>,
    ended_at_ns: Vec<u64>,
    failed: BooleanBufferBuilder,
    texts: [TextColumn; Text::COUNT],
    integers: [IntegerColumn; Integer::COUNT],
    lists: [ListColumn; Texts::COUNT],
    other_names: Vec<u128>,
    others: Vec<(u32, u32, Scalar)>,
    other_texts: Vec<u128>,
}

impl Columns {
    /// Room for so many spans.
    pub(super) fn with_capacity(spans: usize) -> Self {
        Self {
            resources: Vec::new(),
            other_logs: 0,
            resource: Vec::with_capacity(spans),
            trace_id: Fixed::with_capacity(spans),
            span_id: Fixed::with_capacity(spans),
            parent_span_id: Fixed::with_capacity(spans),
            name: Vec::with_capacity(spans),
            started_at_ns: Vec::with_capacity(spans),
            ended_at_ns: Vec::with_capacity(spans),
            failed: BooleanBufferBuilder::new(spans),
            texts: std::array::from_fn(|_| TextColumn::default()),
            integers: std::array::from_fn(|_| IntegerColumn::default()),
            lists: std::array::from_fn(|_| ListColumn::default()),
            other_names: Vec::new(),
            others: Vec::new(),
            other_texts: Vec::new(),
        }
    }

    fn row(&self) -> usize {
        self.resource.len()
    }

    /// A name that has no column, for [`Columns::attribute`].
    pub(super) fn other_name(&mut self, body: &[u8], name: Place) -> u32 {
        self.other_names.push(view(body, name));
        index(self.other_names.len() - 1)
    }

    /// An attribute of the span being read. Where one is there twice, the first stays: says whether the value is kept.
    /// `name` is called for one that goes to no column of its own.
    #[inline]
    pub(super) fn attribute(
        &mut self,
        body: &[u8],
        slot: Slot,
        value: Value<'_>,
        name: impl FnOnce(&mut Self) -> u32,
    ) -> bool {
        let row = self.row();
        match (slot, value) {
            (Slot::Text(of), Value::Text(place)) => self.texts[of as usize].put(row, view(body, place)),
            (Slot::Integer(of), Value::Integer(number)) => self.integers[of as usize].put(row, number),
            (Slot::Texts(Texts::Cases), Value::Text(place)) => {
                self.lists[Texts::Cases as usize].put(row, body, &[place])
            }
            (Slot::Texts(of), Value::Texts(places)) => self.lists[of as usize].put(row, body, places),
            (_, value) => {
                let name = name(self);
                let scalar = match value {
                    Value::Text(place) => {
                        self.other_texts.push(view(body, place));
                        Scalar::Text(index(self.other_texts.len() - 1))
                    }
                    Value::Integer(number) => Scalar::Integer(number),
                    Value::Double(number) => Scalar::Double(number),
                    Value::Boolean(truth) => Scalar::Boolean(truth),
                    Value::Texts(_) | Value::Other => Scalar::Other,
                };
                self.others.push((index(row), name, scalar));
                true
            }
        }
    }

    /// A text of at most 12 bytes that is nowhere in the body, for a column of the span being read.
    pub(super) fn constant(&mut self, of: Text, word: &'static str) {
        debug_assert!(word.len() <= 12, "a longer text would have to lie in the body");
        self.texts[of as usize].put(self.row(), make_view(word.as_bytes(), 0, 0));
    }

    /// Ends the row.
    pub(super) fn span(&mut self, body: &[u8], head: &Head<'_>) {
        self.trace_id.push(head.trace_id);
        self.span_id.push(head.span_id);
        self.parent_span_id.push(head.parent_span_id);
        self.name.push(view(body, head.name));
        self.started_at_ns.push(head.started_at_ns);
        self.ended_at_ns.push(head.ended_at_ns);
        self.failed.append(head.failed);
        self.resource.push(index(self.resources.len().saturating_sub(1)));
    }

    /// The columns over the body that all the places are in.
    ///
    /// # Errors
    /// If a text is not UTF-8.
    pub(super) fn finish(mut self, body: &Buffer) -> Result<Decoded, DecodeError> {
        let rows = self.row();
        let texts = |views, nulls| {
            StringViewArray::try_new(ScalarBuffer::from(views), vec![body.clone()], nulls)
                .map_err(|_| DecodeError::Malformed)
        };
        let mut decoded = Decoded {
            resources: self.resources,
            resource: self.resource,
            trace_id: self.trace_id.finish(),
            span_id: self.span_id.finish(),
            parent_span_id: self.parent_span_id.finish(),
            name: texts(self.name, None)?,
            started_at_ns: self.started_at_ns.into(),
            ended_at_ns: self.ended_at_ns.into(),
            failed: BooleanArray::new(self.failed.finish(), None),
            texts: std::array::from_fn(|_| None),
            integers: self.integers.map(|column| column.finish(rows)),
            lists: std::array::from_fn(|_| None),
            others: Others {
                names: texts(self.other_names, None)?,
                entries: self.others,
                texts: texts(self.other_texts, None)?,
            },
            other_logs: self.other_logs,
        };
        for (done, column) in decoded.texts.iter_mut().zip(self.texts) {
            *done = column.finish(rows).map(|(views, nulls)| texts(views, nulls)).transpose()?;
        }
        for (done, column) in decoded.lists.iter_mut().zip(self.lists) {
            let Some((offsets, nulls, items)) = column.finish(rows) else { continue };
            let field = Field::new("element", DataType::Utf8View, true);
            let items = texts(items, None)?;
            *done = Some(ListArray::new(field.into(), offsets, std::sync::Arc::new(items), Some(nulls)));
        }
        Ok(decoded)
    }
}

#[inline]
fn view(body: &[u8], place: Place) -> u128 {
    make_view(place.of(body), 0, place.from)
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
struct TextColumn {
    views: Vec<u128>,
    valid: Valid,
}

impl TextColumn {
    #[inline]
    fn put(&mut self, row: usize, view: u128) -> bool {
        let is_first = self.views.len() <= row;
        if is_first {
            self.views.resize(row, 0);
            self.views.push(view);
            self.valid.put(row);
        }
        is_first
    }

    fn finish(mut self, rows: usize) -> Option<(Vec<u128>, Option<NullBuffer>)> {
        if self.views.is_empty() {
            return None;
        }
        self.views.resize(rows, 0);
        Some((self.views, self.valid.finish(rows)))
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
struct ListColumn {
    /// Where the list of each row ends.
    ends: Vec<i32>,
    items: Vec<u128>,
    valid: Valid,
}

impl ListColumn {
    fn put(&mut self, row: usize, body: &[u8], places: &[Place]) -> bool {
        let is_first = self.ends.len() <= row;
        if is_first {
            self.ends.resize(row, self.end());
            self.items.extend(places.iter().map(|&place| view(body, place)));
            self.ends.push(self.end());
            self.valid.put(row);
        }
        is_first
    }

    fn end(&self) -> i32 {
        i32::try_from(self.items.len()).expect("there are fewer than 2^31 parts of a request")
    }

    fn finish(mut self, rows: usize) -> Option<(OffsetBuffer<i32>, NullBuffer, Vec<u128>)> {
        if self.ends.is_empty() {
            return None;
        }
        let end = self.end();
        self.ends.resize(rows, end);
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        offsets.append(&mut self.ends);
        let valid = self.valid.finish(rows).unwrap_or_else(|| NullBuffer::new_valid(rows));
        Some((OffsetBuffer::new(offsets.into()), valid, self.items))
    }
}
