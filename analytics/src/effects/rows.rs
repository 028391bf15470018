//! Columns in and out of the tables of effects.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray},
    datatypes::{DataType, Date32Type, Float64Type},
};
use datafusion::error::Result;

use crate::operators::columns::column;

/// A column of days, counted from 1970-01-01.
pub(super) fn days(batch: &RecordBatch, name: &str) -> Result<Date32Array> {
    Ok(column(batch, name, &DataType::Date32)?.as_primitive::<Date32Type>().clone())
}

/// A column of numbers.
pub(super) fn doubles(batch: &RecordBatch, name: &str) -> Result<Float64Array> {
    Ok(column(batch, name, &DataType::Float64)?.as_primitive::<Float64Type>().clone())
}

/// A day, or none where it is null.
pub(super) fn day(days: &Date32Array, row: usize) -> Option<i32> {
    days.is_valid(row).then(|| days.value(row))
}

/// A column of text made of rows.
pub(super) fn texts<'a, Row>(rows: &'a [Row], of: impl Fn(&'a Row) -> Option<&'a str>) -> ArrayRef {
    Arc::new(rows.iter().map(of).collect::<StringArray>())
}

/// A column of numbers made of rows; what is not finite is null.
pub(super) fn numbers<Row>(rows: &[Row], of: impl Fn(&Row) -> Option<f64>) -> ArrayRef {
    Arc::new(rows.iter().map(|row| of(row).filter(|value| value.is_finite())).collect::<Float64Array>())
}

/// A column of whole numbers made of rows.
pub(super) fn wholes<Row>(rows: &[Row], of: impl Fn(&Row) -> Option<i64>) -> ArrayRef {
    Arc::new(rows.iter().map(of).collect::<Int64Array>())
}

/// A column of days made of rows.
pub(super) fn dates<Row>(rows: &[Row], of: impl Fn(&Row) -> i32) -> ArrayRef {
    Arc::new(Date32Array::from_iter_values(rows.iter().map(of)))
}

/// A column of true and false made of rows.
pub(super) fn flags<Row>(rows: &[Row], of: impl Fn(&Row) -> bool) -> ArrayRef {
    Arc::new(BooleanArray::from_iter(rows.iter().map(|row| Some(of(row)))))
}
