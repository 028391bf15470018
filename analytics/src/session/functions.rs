//! SQL functions that the views need and DataFusion lacks.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, BinaryArray, ListArray, StringArray, StringBuilder},
    compute::cast,
    datatypes::{DataType, Field},
};
use datafusion::{
    common::{Result, ScalarValue, plan_err},
    logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility},
};

/// `hex(x)`: the lower-case hexadecimal text of an id, or of each id of a list.
pub(super) fn hex() -> ScalarUDF {
    ScalarUDF::new_from_impl(Hex { signature: Signature::any(1, Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Hex {
    signature: Signature,
}

impl ScalarUDFImpl for Hex {
    fn name(&self) -> &'static str {
        "hex"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        match &arguments[0] {
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
                Ok(DataType::Utf8)
            }
            DataType::List(item) if item.data_type().is_binary() => Ok(list_type()),
            DataType::Null => Ok(DataType::Utf8),
            other => plan_err!("hex takes an id or a list of ids, not {other}"),
        }
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let scalar = matches!(arguments.args[0], ColumnarValue::Scalar(_));
        let column = ColumnarValue::values_to_arrays(&arguments.args)?.remove(0);
        let text = match column.data_type() {
            DataType::List(_) => list_text(column.as_list())?,
            _ => text(&column)?,
        };
        if scalar {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&text, 0)?));
        }
        Ok(ColumnarValue::Array(text))
    }
}

fn list_type() -> DataType {
    DataType::List(Arc::new(Field::new("element", DataType::Utf8, true)))
}

fn list_text(lists: &ListArray) -> Result<ArrayRef> {
    let DataType::List(field) = list_type() else { return plan_err!("hex of a list is a list") };
    let texts = text(lists.values())?;
    Ok(Arc::new(ListArray::try_new(field, lists.offsets().clone(), texts, lists.nulls().cloned())?))
}

fn text(ids: &ArrayRef) -> Result<ArrayRef> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    if ids.data_type().is_null() {
        return Ok(Arc::new(StringArray::new_null(ids.len())));
    }
    let ids = cast(ids, &DataType::Binary)?;
    let ids: &BinaryArray = ids.as_binary();
    let mut texts = StringBuilder::with_capacity(ids.len(), ids.value_data().len() * 2);
    let mut buffer = String::with_capacity(32);
    for id in ids {
        let Some(id) = id else {
            texts.append_null();
            continue;
        };
        buffer.clear();
        for byte in id {
            buffer.push(char::from(DIGITS[usize::from(byte >> 4)]));
            buffer.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
        texts.append_value(&buffer);
    }
    Ok(Arc::new(texts.finish()))
}
