//! One pass over the spans for each slice of the keys, as few as memory allows.
//!
//! A pass reads every partition of the input at once and keeps what falls in its slice; what it keeps counts against
//! the memory of the session. Where that does not suffice, everything begins anew with twice the slices, each half as
//! large: reading again costs less than writing and reading temporary files, as long as columns are few.

use arrow::record_batch::RecordBatch;
use datafusion::{
    catalog::Session,
    common::internal_datafusion_err,
    error::{DataFusionError, Result},
    execution::memory_pool::MemoryConsumer,
    logical_expr::LogicalPlan,
};
use futures::TryStreamExt;
use tokio::task::{JoinSet, spawn_blocking};

use super::Rules;

/// With more slices than this, memory is short for other reasons.
const SLICES_MAX: u64 = 1 << 10;

/// A share of the keys, by their hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    /// Which, from 0.
    pub index: u64,
    /// Of how many: a power of two.
    pub of: u64,
}

impl Slice {
    /// All keys.
    pub const ALL: Self = Self { index: 0, of: 1 };

    /// Whether a key with this hash is in the slice. Goes by the top bits, so that the others tell keys within a slice
    /// apart.
    #[must_use]
    pub const fn has(self, hash: u64) -> bool {
        (hash >> 48) & (self.of - 1) == self.index
    }
}

/// What a pass gathers of one partition, and how an answer is made of it.
pub trait Pass: Default + Send + 'static {
    /// The answer over one slice; those of all slices together are the answer.
    type Answer: Send + 'static;

    /// Names the question, in messages about memory.
    const NAME: &'static str;
    /// The columns of `spans` that it reads.
    const COLUMNS: &'static [&'static str];

    /// Takes the rows of a batch that are in the slice.
    fn take(&mut self, batch: &RecordBatch, slice: Slice) -> Result<()>;

    /// The memory that it holds.
    fn bytes(&self) -> usize;

    /// The answer over what was gathered from all partitions, worked out by so many threads.
    fn answer(parts: Vec<Self>, rules: Rules, threads: usize) -> Self::Answer;

    /// The rows of the answers over all slices, sorted by their grain.
    fn rows(answers: Vec<Self::Answer>) -> Result<RecordBatch>;
}

/// Answers a question over rows of `spans` that have its columns.
///
/// # Errors
/// Where the rows cannot be read; where memory does not suffice even for a thousandth of the keys at a time.
pub async fn ask<P: Pass>(spans: &LogicalPlan, rules: Rules, state: &dyn Session) -> Result<RecordBatch> {
    let mut slices = 1;
    loop {
        match in_slices::<P>(spans, rules, state, slices).await {
            Err(error) if slices < SLICES_MAX && is_short_of_memory(&error) => slices *= 2,
            answered => return answered,
        }
    }
}

fn is_short_of_memory(error: &DataFusionError) -> bool {
    matches!(error.find_root(), DataFusionError::ResourcesExhausted(_))
}

async fn in_slices<P: Pass>(
    spans: &LogicalPlan,
    rules: Rules,
    state: &dyn Session,
    slices: u64,
) -> Result<RecordBatch> {
    let mut answers = Vec::new();
    for index in 0..slices {
        answers.push(pass::<P>(spans, rules, state, Slice { index, of: slices }).await?);
    }
    P::rows(answers)
}

async fn pass<P: Pass>(spans: &LogicalPlan, rules: Rules, state: &dyn Session, slice: Slice) -> Result<P::Answer> {
    // A plan may be run once.
    let plan = state.create_physical_plan(spans).await?;
    let context = state.task_ctx();
    let mut reading = JoinSet::new();
    for partition in 0..plan.properties().output_partitioning().partition_count() {
        let mut rows = plan.execute(partition, context.clone())?;
        let granted = MemoryConsumer::new(P::NAME).register(context.memory_pool());
        reading.spawn(async move {
            let mut gathered = P::default();
            while let Some(batch) = rows.try_next().await? {
                gathered.take(&batch, slice)?;
                granted.try_resize(gathered.bytes())?;
            }
            Ok::<_, DataFusionError>((gathered, granted))
        });
    }
    let (mut parts, mut granted) = (Vec::new(), Vec::new());
    while let Some(read) = reading.join_next().await {
        let (part, memory) = read.map_err(|error| internal_datafusion_err!("{} broke off: {error}", P::NAME))??;
        parts.push(part);
        granted.push(memory);
    }
    let threads = state.config().target_partitions();
    spawn_blocking(move || P::answer(parts, rules, threads))
        .await
        .map_err(|error| internal_datafusion_err!("{} broke off: {error}", P::NAME))
}
