//! The gate (contract only so far): the only maker of [`Admitted`].
use arrow::record_batch::RecordBatch;

/// Rows of `spans` from which every identifier and value has been taken out. Only the gate makes it, and the log
/// takes nothing else.
#[derive(Debug, Clone)]
pub struct Admitted {
    rows: RecordBatch,
}

impl Admitted {
    /// The rows, in the schema of [`crate::schema::SPANS`].
    #[must_use]
    pub fn rows(&self) -> &RecordBatch {
        &self.rows
    }
}
