//! A view whose rows are worked out once, when first read, and kept for the session.
//!
//! DataFusion puts the plan of a view in the place of its name, so a subresult that ten views share would be worked
//! out ten times for one report. What is kept counts against the memory of the session; rows that do not fit are not
//! kept, and the view then works as any other.

use std::{fmt, sync::Arc};

use arrow::{datatypes::SchemaRef, record_batch::RecordBatch};
use async_trait::async_trait;
use datafusion::{
    catalog::{Session, TableProvider},
    datasource::{MemTable, ViewTable},
    error::Result,
    execution::memory_pool::{MemoryConsumer, MemoryReservation},
    logical_expr::{Expr, LogicalPlan, TableType},
    physical_plan::{ExecutionPlan, execute_stream},
};
use futures::TryStreamExt;
use tokio::sync::OnceCell;

/// The rows, and the memory that they were granted.
struct Rows {
    table: MemTable,
    _granted: MemoryReservation,
}

/// The view.
pub(super) struct Kept {
    name: &'static str,
    view: ViewTable,
    bytes_max: usize,
    rows: OnceCell<Option<Rows>>,
}

impl fmt::Debug for Kept {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Kept").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Kept {
    pub(super) fn new(name: &'static str, plan: LogicalPlan, definition: &str, bytes_max: usize) -> Self {
        Self { name, view: ViewTable::new(plan, Some(definition.to_owned())), bytes_max, rows: OnceCell::new() }
    }

    async fn work_out(&self, state: &dyn Session) -> Result<Option<Rows>> {
        let physical = state.create_physical_plan(self.view.logical_plan()).await?;
        let schema = physical.schema();
        let context = state.task_ctx();
        let granted = MemoryConsumer::new(format!("kept view {}", self.name)).register(context.memory_pool());
        let mut stream = execute_stream(physical, context)?;
        let mut batches: Vec<RecordBatch> = Vec::new();
        while let Some(batch) = stream.try_next().await? {
            let fits = granted.size() + batch.get_array_memory_size() <= self.bytes_max;
            if !fits || granted.try_grow(batch.get_array_memory_size()).is_err() {
                tracing::info!(view = self.name, "view is too large to keep: worked out at each use");
                return Ok(None);
            }
            batches.push(batch);
        }
        let partitions = state.config().target_partitions().clamp(1, batches.len().max(1));
        let mut spread = vec![Vec::new(); partitions];
        for (position, batch) in batches.into_iter().enumerate() {
            spread[position % partitions].push(batch);
        }
        Ok(Some(Rows { table: MemTable::try_new(schema, spread)?, _granted: granted }))
    }
}

#[async_trait]
impl TableProvider for Kept {
    fn schema(&self) -> SchemaRef {
        self.view.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    fn get_table_definition(&self) -> Option<&str> {
        self.view.get_table_definition()
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match self.rows.get_or_try_init(|| self.work_out(state)).await? {
            Some(rows) => rows.table.scan(state, projection, filters, limit).await,
            None => self.view.scan(state, projection, filters, limit).await,
        }
    }
}
