//! A table that Rust works out from the rows of views, once, when it is first read.
//!
//! SQL gathers what an estimate needs and Rust makes the estimate: resampling and permutation are beyond SQL. The
//! table is read like any view, and the views that it is made from stay there for whoever wants to check it. Their rows
//! count against the memory of the session while it is worked out, its own as long as the session lives.

use std::{fmt, sync::Arc};

use arrow::{compute::concat_batches, datatypes::SchemaRef, record_batch::RecordBatch};
use async_trait::async_trait;
use datafusion::{
    catalog::{Session, TableProvider},
    datasource::MemTable,
    error::{DataFusionError, Result},
    execution::memory_pool::{MemoryConsumer, MemoryReservation},
    logical_expr::{Expr, LogicalPlan, TableType},
    physical_plan::{ExecutionPlan, execute_stream},
    prelude::SessionContext,
};
use futures::TryStreamExt;
use gilbreth_collector::schema::Table;
use tokio::sync::OnceCell;

use super::saved::{self, Saved};
use crate::{Error, parameters::Parameters};

/// What there is to know of such a table.
#[derive(Debug)]
pub struct Derived {
    /// Its name, grain and columns. It is stored nowhere: its folder is that of its test, below `analytics/sql`.
    pub table: &'static Table,
    /// What it is for.
    pub about: &'static str,
    /// The views that it is made from; the last of them is the last that a session makes.
    pub inputs: &'static [&'static str],
    /// Makes its rows of all rows of each input, in the order of `inputs`. It has to be a function of its arguments
    /// alone, whatever order the rows of an input come in.
    pub work_out: fn(&Parameters, &[RecordBatch]) -> Result<RecordBatch, Error>,
}

/// The table in a session.
pub(super) struct Provider {
    derived: &'static Derived,
    schema: SchemaRef,
    parameters: Parameters,
    inputs: Vec<LogicalPlan>,
    saved: Option<Arc<Saved>>,
    rows: OnceCell<(MemTable, MemoryReservation)>,
}

impl fmt::Debug for Provider {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Provider").field("name", &self.derived.table.name).finish_non_exhaustive()
    }
}

impl Provider {
    /// The table over the inputs that the context knows.
    pub(super) async fn new(
        context: &SessionContext,
        derived: &'static Derived,
        parameters: &Parameters,
        saved: Option<Arc<Saved>>,
    ) -> Result<Self> {
        let mut inputs = Vec::with_capacity(derived.inputs.len());
        for &input in derived.inputs {
            inputs.push(context.table(input).await?.into_unoptimized_plan());
        }
        let schema = derived.table.arrow_schema();
        Ok(Self { derived, schema, parameters: parameters.clone(), inputs, saved, rows: OnceCell::new() })
    }

    async fn work_out(&self, state: &dyn Session) -> Result<(MemTable, MemoryReservation)> {
        let derived = self.derived;
        let consumer = MemoryConsumer::new(format!("derived table {}", derived.table.name));
        let granted = consumer.register(state.task_ctx().memory_pool());
        if let Some(saved) = self.saved.clone() {
            let schema = self.schema.clone();
            let read = tokio::task::spawn_blocking(move || saved.rows(derived.table.name, &schema)).await;
            let fits = |rows: &Vec<RecordBatch>| granted.try_resize(saved::bytes(rows)).is_ok();
            if let Some(rows) = read.ok().flatten().filter(fits) {
                return Ok((MemTable::try_new(self.schema.clone(), vec![rows])?, granted));
            }
        }
        let mut inputs = Vec::with_capacity(self.inputs.len());
        for input in &self.inputs {
            let physical = state.create_physical_plan(input).await?;
            let schema = physical.schema();
            let mut stream = execute_stream(physical, state.task_ctx())?;
            let mut batches: Vec<RecordBatch> = Vec::new();
            while let Some(batch) = stream.try_next().await? {
                granted.try_grow(batch.get_array_memory_size())?;
                batches.push(batch);
            }
            inputs.push(concat_batches(&schema, &batches)?);
        }
        let parameters = self.parameters.clone();
        let worked_out = tokio::task::spawn_blocking(move || (derived.work_out)(&parameters, &inputs)).await;
        let rows = worked_out.map_err(external)?.map_err(external)?;
        granted.try_resize(rows.get_array_memory_size())?;
        if let Some(saved) = self.saved.clone() {
            saved.save_aside(derived.table.name, self.schema.clone(), vec![rows.clone()]).await;
        }
        Ok((MemTable::try_new(self.schema.clone(), vec![vec![rows]])?, granted))
    }
}

fn external(error: impl std::error::Error + Send + Sync + 'static) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

#[async_trait]
impl TableProvider for Provider {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let (rows, _) = self.rows.get_or_try_init(|| self.work_out(state)).await?;
        rows.scan(state, projection, filters, limit).await
    }
}
