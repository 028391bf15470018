//! The data dictionary: what each table, view and column means, from the one place where it is written.

use std::{collections::BTreeMap, fmt, sync::Arc};

use arrow::{
    array::{ArrayRef, StringArray},
    datatypes::DataType,
    record_batch::RecordBatch,
};
use datafusion::{catalog::TableProvider, datasource::MemTable, prelude::SessionContext};

use super::{built_in, stored_tables};
use crate::{Error, catalogue, questions::Question, tables::WEEKS_WORKED};

/// A table (without a column) or a column, and what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meaning {
    /// The table or view.
    pub table: String,
    /// The column; `None` for the table itself.
    pub column: Option<String>,
    /// The column's type; for a table, `table` or `view`.
    pub kind: String,
    /// What it means; for a table, what one row is.
    pub meaning: String,
}

/// The dictionary or a part of it, to be shown.
#[derive(Debug, Clone)]
pub struct Dictionary {
    entries: Vec<Meaning>,
}

impl Dictionary {
    pub(super) fn of(all: &[Meaning], table: Option<&str>) -> Result<Self, Error> {
        let entries: Vec<Meaning> =
            all.iter().filter(|entry| table.is_none_or(|table| entry.table == table)).cloned().collect();
        match table {
            Some(table) if entries.is_empty() => Err(Error::Invalid(format!("there is no table or view `{table}`"))),
            _ => Ok(Self { entries }),
        }
    }

    /// Its rows: each table, followed by its columns.
    #[must_use]
    pub fn entries(&self) -> &[Meaning] {
        &self.entries
    }
}

impl fmt::Display for Dictionary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |of: fn(&Meaning) -> usize| self.entries.iter().map(of).max().unwrap_or(0);
        let names = width(|entry| entry.column.as_ref().map_or(0, String::len));
        let types = width(|entry| entry.column.as_ref().map_or(0, |_| entry.kind.len()));
        for (position, entry) in self.entries.iter().enumerate() {
            match &entry.column {
                None => {
                    let space = if position == 0 { "" } else { "\n" };
                    writeln!(formatter, "{space}{} ({}): {}", entry.table, entry.kind, entry.meaning)?;
                }
                Some(column) => {
                    writeln!(formatter, "  {column:names$}  {:types$}  {}", entry.kind, entry.meaning)?;
                }
            }
        }
        Ok(())
    }
}

/// Describes everything that is registered so far.
pub(super) async fn describe(context: &SessionContext) -> Result<Vec<Meaning>, Error> {
    let mut known: BTreeMap<(String, String), String> = BTreeMap::new();
    let mut tables: Vec<(String, &'static str, String)> = Vec::new();
    for table in stored_tables().chain([&WEEKS_WORKED]) {
        tables.push((table.name.to_owned(), "table", table.grain.to_owned()));
        for column in table.columns {
            known.insert((table.name.to_owned(), column.name.to_owned()), column.meaning.to_owned());
        }
    }
    tables.push(("parameters".to_owned(), "table", "a parameter of the measurement".to_owned()));
    for (table, column, meaning) in built_in::MEANINGS {
        known.insert((table.to_owned(), column.to_owned()), meaning.to_owned());
    }
    for question in Question::ALL {
        let table = question.table();
        tables.push((table.name.to_owned(), "view", format!("{}. {}", table.grain, question.about())));
        for column in table.columns {
            known.insert((table.name.to_owned(), column.name.to_owned()), column.meaning.to_owned());
        }
    }
    for file in catalogue::views() {
        let head = file.head();
        tables.push((file.name.to_owned(), "view", format!("{}. {}", head.grain, head.about)));
        let columns = context.table_provider(file.name).await?.schema();
        for column in columns.fields() {
            let own = head.columns.get(column.name()).cloned();
            let like = head.like.clone().map(|like| (like, column.name().clone()));
            let meaning = own.or_else(|| like.and_then(|like| known.get(&like).cloned())).unwrap_or_default();
            known.insert((file.name.to_owned(), column.name().clone()), meaning);
        }
        for derived in catalogue::derived_after(file) {
            let table = derived.table;
            tables.push((table.name.to_owned(), "view", format!("{}. {}", table.grain, derived.about)));
            for column in table.columns {
                known.insert((table.name.to_owned(), column.name.to_owned()), column.meaning.to_owned());
            }
        }
    }
    let mut entries = Vec::new();
    for (table, kind, grain) in tables {
        let columns = context.table_provider(table.as_str()).await?.schema();
        entries.push(Meaning { table: table.clone(), column: None, kind: kind.to_owned(), meaning: grain });
        for column in columns.fields() {
            let meaning = known.get(&(table.clone(), column.name().clone())).cloned().unwrap_or_default();
            let kind = type_name(column.data_type());
            entries.push(Meaning { table: table.clone(), column: Some(column.name().clone()), kind, meaning });
        }
    }
    Ok(entries)
}

/// The table `data_dictionary`.
pub(super) fn table(entries: &[Meaning]) -> Result<Arc<dyn TableProvider>, Error> {
    let text =
        |of: fn(&Meaning) -> Option<&str>| -> ArrayRef { Arc::new(entries.iter().map(of).collect::<StringArray>()) };
    let rows = RecordBatch::try_from_iter([
        ("table", text(|entry| Some(&entry.table))),
        ("column", text(|entry| entry.column.as_deref())),
        ("type", text(|entry| Some(&entry.kind))),
        ("meaning", text(|entry| Some(&entry.meaning))),
    ])?;
    Ok(Arc::new(MemTable::try_new(rows.schema(), vec![vec![rows]])?))
}

/// A type as SQL names it.
fn type_name(of: &DataType) -> String {
    match of {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text".to_owned(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "binary".to_owned(),
        DataType::Int64 | DataType::UInt64 | DataType::Int32 => "bigint".to_owned(),
        DataType::Float64 => "double".to_owned(),
        DataType::Boolean => "boolean".to_owned(),
        DataType::Date32 => "date".to_owned(),
        DataType::Timestamp(..) => "timestamp".to_owned(),
        DataType::List(item) => format!("list of {}", type_name(item.data_type())),
        DataType::Map(..) => "map of text".to_owned(),
        other => other.to_string(),
    }
}
