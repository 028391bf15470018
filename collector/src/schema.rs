//! What a table is: its name, where it lies in the store, and each column's name, type and meaning. The one source of
//! the data dictionary, for `spans` here and for the facts in the analytics crate.

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

/// The types that columns have. Chosen so that any Delta reader can open every table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// An identifier or a keyed hash of one.
    Binary,
    /// Several keyed hashes.
    BinaryList,
    /// Text.
    Text,
    /// Whole number of 64 bits; stored digests, too.
    Integer,
    /// Several stored digests.
    IntegerList,
    /// Double.
    Double,
    /// True or false.
    Boolean,
    /// An instant: microseconds, UTC.
    Instant,
    /// A calendar date.
    Date,
    /// Text by text.
    TextMap,
}

impl ColumnType {
    /// The Arrow type.
    #[must_use]
    pub fn data_type(self) -> DataType {
        let list = |item| DataType::List(Arc::new(Field::new("element", item, true)));
        match self {
            Self::Binary => DataType::Binary,
            Self::BinaryList => list(DataType::Binary),
            Self::Text => DataType::Utf8,
            Self::Integer => DataType::Int64,
            Self::IntegerList => list(DataType::Int64),
            Self::Double => DataType::Float64,
            Self::Boolean => DataType::Boolean,
            Self::Instant => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Date => DataType::Date32,
            Self::TextMap => DataType::Map(
                Arc::new(Field::new(
                    "key_value",
                    DataType::Struct(
                        vec![Field::new("key", DataType::Utf8, false), Field::new("value", DataType::Utf8, true)]
                            .into(),
                    ),
                    false,
                )),
                false,
            ),
        }
    }
}

/// A column: name, type, whether it may be null, and what it means.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its name in SQL.
    pub name: &'static str,
    /// Its type.
    pub kind: ColumnType,
    /// Whether it may be null.
    pub nullable: bool,
    /// What it means, as the data dictionary says it.
    pub meaning: &'static str,
}

/// A column that always has a value.
#[must_use]
pub const fn required(name: &'static str, kind: ColumnType, meaning: &'static str) -> Column {
    Column { name, kind, nullable: false, meaning }
}

/// A column that may be null.
#[must_use]
pub const fn optional(name: &'static str, kind: ColumnType, meaning: &'static str) -> Column {
    Column { name, kind, nullable: true, meaning }
}

/// A stored table.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// Its name in SQL.
    pub name: &'static str,
    /// Its folder below the store, e.g. `spans` or `facts/ledger`.
    pub folder: &'static str,
    /// What one row is.
    pub grain: &'static str,
    /// The columns that its files are partitioned by.
    pub partition: &'static [&'static str],
    /// The columns that each file is sorted by.
    pub sort: &'static [&'static str],
    /// Its columns, in order.
    pub columns: &'static [Column],
}

impl Table {
    /// The Arrow schema. Every field is declared nullable, as Delta tables keep it: what is required is checked where
    /// rows are made.
    #[must_use]
    pub fn arrow_schema(&self) -> SchemaRef {
        let fields: Vec<Field> =
            self.columns.iter().map(|column| Field::new(column.name, column.kind.data_type(), true)).collect();
        Arc::new(Schema::new(fields))
    }
}

/// The Arrow schema of [`SPANS`], made once.
pub static SPANS_SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| SPANS.arrow_schema());

use ColumnType::{Binary, BinaryList, Date, Instant, Integer, IntegerList, Text, TextMap};

/// One row per span received, as sent: times are not corrected, identifiers are keyed hashes (first 8 bytes of
/// HMAC-SHA-256 by the store key), values are stored digests.
pub static SPANS: Table = Table {
    name: "spans",
    folder: "spans",
    grain: "a span received, as sent",
    partition: &["day"],
    sort: &["worker", "started_at"],
    columns: &[
        required("trace_id", Binary, "trace id, 16 bytes, as sent"),
        required("span_id", Binary, "span id, 8 bytes, as sent"),
        optional("parent_span_id", Binary, "span id of the parent; null for a root"),
        required("name", Text, "span name, cut at 80 characters, runs of three or more digits masked"),
        optional("kind", Text, "kind of interaction; null for a technical span"),
        required("trigger", Text, "user or system"),
        required("started_at", Instant, "start, by the sender's clock"),
        required("ended_at", Instant, "end, by the sender's clock"),
        optional("sent_at", Instant, "when the export was sent, by the sender's clock"),
        required("received_at", Instant, "when the export was received, by the collector's clock, or as replayed"),
        optional("system", Text, "the case system (service.name)"),
        optional("release", Text, "its release (service.version)"),
        optional("worker", Binary, "keyed hash of the person"),
        optional("organisation", Text, "organisation of the worker"),
        optional("team", Text, "team of the worker"),
        optional("role", Text, "role of the worker"),
        optional("session", Binary, "keyed hash of the session"),
        optional("screen", Text, "the screen; for a navigation, the one arrived at"),
        optional("field", Text, "the field"),
        optional("case_refs", BinaryList, "keyed hash of each number by which the screen names the case"),
        optional("record", Binary, "keyed hash of the record within the case"),
        optional("task", Text, "the task's name"),
        optional("task_instance", Binary, "keyed hash of the task instance"),
        optional("function", Text, "what the screen is for"),
        optional("origin", Text, "typed, pasted, selected, prefilled or autofilled"),
        optional("keystrokes", Integer, "keys pressed"),
        optional("corrections", Integer, "keys that corrected"),
        optional("continues", Binary, "span id of the interaction that this one continues"),
        optional("value_kind", Text, "kind of the value"),
        optional("value_digest", Integer, "stored digest of the whole value"),
        optional("value_parts", IntegerList, "stored digests of its parts"),
        optional("outcome", Text, "ok, rejected, failed, lost or abandoned; null for a technical span"),
        optional("attributes", TextMap, "attributes kept by name"),
        required("day", Date, "date of started_at, UTC"),
    ],
};

/// What came in, one row per commit to `spans`: counts that rows alone cannot tell.
pub static INTAKE: Table = Table {
    name: "intake",
    folder: "intake",
    grain: "a commit to spans",
    partition: &[],
    sort: &[],
    columns: &[
        required("at", Instant, "when it was committed, by the collector's clock"),
        required("received", Integer, "spans and log records received"),
        required("refused", Integer, "refused by partial success"),
        required("duplicated", Integer, "seen before and dropped"),
        required("late", Integer, "received more than an hour after they ended"),
        required("attributes_dropped", Integer, "attributes that are not kept, dropped"),
        required("names_masked", Integer, "names cut or masked"),
    ],
};
