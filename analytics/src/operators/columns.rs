//! Columns of a batch by name, as the type that a core reads. What engines deliver as views or dictionaries is cast.

use std::hash::Hash;

use arrow::{
    array::{Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Int64Array, ListArray, RecordBatch, StringArray},
    compute::cast,
    datatypes::{DataType, Field, Int64Type},
};
use datafusion::{common::plan_err, error::Result};

use super::hashing::FastMap;

/// A column, cast to a type.
pub fn column(batch: &RecordBatch, name: &str, data_type: &DataType) -> Result<ArrayRef> {
    let Some(array) = batch.column_by_name(name) else { return plan_err!("operator input has no column {name}") };
    if array.data_type() == data_type { Ok(array.clone()) } else { Ok(cast(array, data_type)?) }
}

/// A column of identifiers.
pub fn binary(batch: &RecordBatch, name: &str) -> Result<BinaryArray> {
    Ok(column(batch, name, &DataType::Binary)?.as_binary().clone())
}

/// A column of text.
pub fn text(batch: &RecordBatch, name: &str) -> Result<StringArray> {
    Ok(column(batch, name, &DataType::Utf8)?.as_string().clone())
}

/// A column of true and false.
pub fn boolean(batch: &RecordBatch, name: &str) -> Result<BooleanArray> {
    Ok(column(batch, name, &DataType::Boolean)?.as_boolean().clone())
}

/// A column of whole numbers.
pub fn integer(batch: &RecordBatch, name: &str) -> Result<Int64Array> {
    Ok(column(batch, name, &DataType::Int64)?.as_primitive::<Int64Type>().clone())
}

/// A column of lists of whole numbers.
pub fn integers(batch: &RecordBatch, name: &str) -> Result<ListArray> {
    let Some(array) = batch.column_by_name(name) else { return plan_err!("operator input has no column {name}") };
    let item = match array.data_type() {
        DataType::List(item) if item.data_type() == &DataType::Int64 => item.clone(),
        _ => Field::new("element", DataType::Int64, true).into(),
    };
    Ok(column(batch, name, &DataType::List(item))?.as_list().clone())
}

/// The numbers of one row of a column of lists; none where it is null.
#[must_use]
pub fn list(lists: &ListArray, row: usize) -> Vec<i64> {
    if lists.is_null(row) {
        return Vec::new();
    }
    lists.value(row).as_primitive::<Int64Type>().iter().flatten().collect()
}

/// A value, or none where it is null.
pub fn bytes(array: &BinaryArray, row: usize) -> Option<&[u8]> {
    array.is_valid(row).then(|| array.value(row))
}

/// A value, or none where it is null.
pub fn word(array: &StringArray, row: usize) -> Option<&str> {
    array.is_valid(row).then(|| array.value(row))
}

/// A value, or none where it is null.
#[must_use]
pub fn number(array: &Int64Array, row: usize) -> Option<i64> {
    array.is_valid(row).then(|| array.value(row))
}

/// What only one of two sorted lists has.
#[must_use]
pub fn differences<T: Ord>(one: impl Iterator<Item = T>, other: impl Iterator<Item = T>) -> Vec<T> {
    let (mut one, mut other) = (one.peekable(), other.peekable());
    let mut differences = Vec::new();
    loop {
        let order = match (one.peek(), other.peek()) {
            (None, None) => return differences,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(one), Some(other)) => one.cmp(other),
        };
        match order {
            std::cmp::Ordering::Less => differences.extend(one.next()),
            std::cmp::Ordering::Greater => differences.extend(other.next()),
            std::cmp::Ordering::Equal => {
                one.next();
                other.next();
            }
        }
    }
}

/// Small numbers for values, in order of first sight.
#[derive(Debug)]
pub struct Symbols<K> {
    numbers: FastMap<K, u32>,
}

impl<K> Default for Symbols<K> {
    fn default() -> Self {
        Self { numbers: FastMap::default() }
    }
}

impl<K: Eq + Hash> Symbols<K> {
    /// Values, each once, that are numbered in their order.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = K>) -> Self {
        Self { numbers: values.into_iter().zip(0..).collect() }
    }

    /// The number of a value, new where it was not seen before.
    pub fn number<Q>(&mut self, value: &Q) -> u32
    where
        K: std::borrow::Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
    {
        if let Some(&number) = self.numbers.get(value) {
            return number;
        }
        let number = self.numbers.len() as u32;
        self.numbers.insert(value.to_owned(), number);
        number
    }

    /// The number of a value seen before.
    pub fn known<Q>(&self, value: &Q) -> Option<u32>
    where
        K: std::borrow::Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.numbers.get(value).copied()
    }

    /// How many values have a number.
    #[must_use]
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether none has.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// The values, in no order.
    pub fn each(&self) -> impl Iterator<Item = &K> {
        self.numbers.keys()
    }

    /// The values with their numbers, in no order.
    pub fn each_numbered(&self) -> impl Iterator<Item = (&K, u32)> {
        self.numbers.iter().map(|(value, number)| (value, *number))
    }

    /// Copies of the values in order of their numbers.
    #[must_use]
    pub fn values(&self) -> Vec<K>
    where
        K: Clone,
    {
        in_order(self.numbers.iter().map(|(value, number)| (value.clone(), *number)), self.len())
    }

    /// The values in order of their numbers.
    #[must_use]
    pub fn into_values(self) -> Vec<K> {
        let count = self.len();
        in_order(self.numbers.into_iter(), count)
    }
}

/// Values by their numbers, which are all those below a count.
fn in_order<K>(numbered: impl Iterator<Item = (K, u32)>, count: usize) -> Vec<K> {
    let mut values: Vec<Option<K>> = (0..count).map(|_| None).collect();
    numbered.for_each(|(value, number)| values[number as usize] = Some(value));
    values.into_iter().flatten().collect()
}
