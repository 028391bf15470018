//! Answers read row by row into plain values.

use arrow::{
    array::{Array, AsArray},
    compute::{cast, concat_batches},
    datatypes::{DataType, Float64Type, Int64Type},
    record_batch::RecordBatch,
};

use crate::{Error, catalogue::SqlFile, session::Session};

/// The rows of an answer.
#[derive(Debug)]
pub(crate) struct Rows {
    batch: Option<RecordBatch>,
}

/// One of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    batch: &'a RecordBatch,
    at: usize,
}

impl Rows {
    /// Asks a question of the catalogue.
    pub(crate) async fn ask(session: &Session, question: &SqlFile) -> Result<Self, Error> {
        let batches = session.sql(question.text).await?;
        let Some(first) = batches.first() else { return Ok(Self { batch: None }) };
        let whole = concat_batches(&first.schema(), &batches)?;
        let schema = whole.schema();
        let mut columns = Vec::with_capacity(whole.num_columns());
        for (field, column) in schema.fields().iter().zip(whole.columns()) {
            let column = plain(field.data_type()).map_or_else(|| Ok(column.clone()), |to| cast(column, &to))?;
            columns.push((field.name(), column, true));
        }
        Ok(Self { batch: Some(RecordBatch::try_from_iter_with_nullable(columns)?) })
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Row<'_>> {
        self.batch.iter().flat_map(|batch| (0..batch.num_rows()).map(move |at| Row { batch, at }))
    }

    /// Every row made into something.
    pub(crate) fn read<T>(&self, make: impl Fn(Row<'_>) -> Result<T, Error>) -> Result<Vec<T>, Error> {
        self.iter().map(make).collect()
    }
}

/// Text, whole numbers and doubles: all that answers are made of.
fn plain(found: &DataType) -> Option<DataType> {
    match found {
        DataType::Utf8View | DataType::LargeUtf8 | DataType::Null => Some(DataType::Utf8),
        found if found.is_integer() => Some(DataType::Int64),
        found if found.is_floating() => Some(DataType::Float64),
        _ => None,
    }
}

impl Row<'_> {
    fn column(&self, name: &str) -> Result<Option<&dyn Array>, Error> {
        let column = self
            .batch
            .column_by_name(name)
            .ok_or_else(|| Error::Internal(format!("an answer has no column {name}")))?;
        Ok((!column.is_null(self.at)).then_some(column.as_ref()))
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.batch.column_by_name(name).is_some()
    }

    fn mistyped(name: &str) -> Error {
        Error::Internal(format!("the column {name} of an answer is of another type"))
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, Error> {
        let Some(column) = self.column(name)? else { return Ok(None) };
        let texts = column.as_string_opt::<i32>().ok_or_else(|| Self::mistyped(name))?;
        Ok(Some(texts.value(self.at).to_owned()))
    }

    pub(crate) fn double(&self, name: &str) -> Result<Option<f64>, Error> {
        let Some(column) = self.column(name)? else { return Ok(None) };
        let doubles = column.as_primitive_opt::<Float64Type>().ok_or_else(|| Self::mistyped(name))?;
        Ok(Some(doubles.value(self.at)))
    }

    pub(crate) fn whole(&self, name: &str) -> Result<Option<i64>, Error> {
        let Some(column) = self.column(name)? else { return Ok(None) };
        let wholes = column.as_primitive_opt::<Int64Type>().ok_or_else(|| Self::mistyped(name))?;
        Ok(Some(wholes.value(self.at)))
    }

    /// The number, or not-a-number where it is not available (which serialises as null).
    pub(crate) fn figure(&self, name: &str) -> Result<f64, Error> {
        Ok(self.double(name)?.unwrap_or(f64::NAN))
    }

    /// The count, or none at all.
    pub(crate) fn count(&self, name: &str) -> Result<i64, Error> {
        Ok(self.whole(name)?.unwrap_or(0))
    }

    /// The name, or nothing.
    pub(crate) fn name(&self, name: &str) -> Result<String, Error> {
        Ok(self.text(name)?.unwrap_or_default())
    }
}
