//! Small tables that come with the product: the parameters of the measurement and the grouping of the categories.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, Float64Array, StringArray},
    record_batch::RecordBatch,
};
use datafusion::{catalog::TableProvider, datasource::MemTable};

use crate::{Error, parameters::Parameters};

/// Each category and its group.
pub(crate) const CATEGORIES: [(&str, &str); 14] = [
    ("first_entry", "useful"),
    ("reading", "useful"),
    ("navigation", "overhead"),
    ("search", "overhead"),
    ("sign_in", "overhead"),
    ("response", "overhead"),
    ("re_entry", "lost"),
    ("rework", "lost"),
    ("wait", "lost"),
    ("unavailable", "lost"),
    ("switching", "lost"),
    ("repeat_sign_in", "lost"),
    ("elsewhere", "outside"),
    ("away", "outside"),
];

/// What the columns of these tables mean: table, column, meaning.
pub(super) const MEANINGS: [(&str, &str, &str); 7] = [
    ("parameters", "name", "name of the parameter; its end says the unit"),
    ("parameters", "value", "its value"),
    ("parameters", "unit", "its unit"),
    ("data_dictionary", "table", "name of the table or view"),
    ("data_dictionary", "column", "name of the column; null in the row of the table itself"),
    ("data_dictionary", "type", "type of the column"),
    ("data_dictionary", "meaning", "what it means; for a table, what one row is"),
];

/// The table `categories`, by which an auditor may group otherwise.
pub(super) fn categories() -> Result<Arc<dyn TableProvider>, Error> {
    let (category, group): (Vec<_>, Vec<_>) = CATEGORIES.into_iter().unzip();
    let columns: [(&str, ArrayRef); 2] =
        [("category", Arc::new(StringArray::from(category))), ("category_group", Arc::new(StringArray::from(group)))];
    table(RecordBatch::try_from_iter(columns)?)
}

/// The table `parameters`.
pub(crate) fn parameters(parameters: &Parameters) -> Result<Arc<dyn TableProvider>, Error> {
    let listed = list(parameters)?;
    let columns: [(&str, ArrayRef); 3] = [
        ("name", Arc::new(listed.iter().map(|(name, ..)| Some(name.as_str())).collect::<StringArray>())),
        ("value", Arc::new(listed.iter().map(|(_, value, _)| Some(*value)).collect::<Float64Array>())),
        ("unit", Arc::new(listed.iter().map(|(.., unit)| Some(*unit)).collect::<StringArray>())),
    ];
    table(RecordBatch::try_from_iter(columns)?)
}

/// Each parameter with its value and unit, in the order in which they are declared.
pub(crate) fn list(parameters: &Parameters) -> Result<Vec<(String, f64, &'static str)>, Error> {
    let json = serde_json::to_value(parameters)
        .map_err(|error| Error::Internal(format!("the parameters have no listing: {error}")))?;
    let fields = json.as_object().into_iter().flatten();
    Ok(fields.filter_map(|(name, value)| value.as_f64().map(|value| (name.clone(), value, unit(name)))).collect())
}

fn unit(name: &str) -> &'static str {
    match name.rsplit('_').next() {
        Some("ms") => "ms",
        Some("s" | "threshold" | "keystroke" | "uncounted") => "s",
        Some("h") => "h",
        Some("min") if name == "run_pause_min" => "min",
        Some("days") => "days",
        Some("weeks") => "weeks",
        _ => "",
    }
}

fn table(rows: RecordBatch) -> Result<Arc<dyn TableProvider>, Error> {
    Ok(Arc::new(MemTable::try_new(rows.schema(), vec![vec![rows]])?))
}
