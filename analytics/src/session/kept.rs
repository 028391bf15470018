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

use super::saved::{self, Saved};

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
    saved: Option<Arc<Saved>>,
    rows: OnceCell<Option<Rows>>,
}

impl fmt::Debug for Kept {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Kept").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Kept {
    pub(super) fn new(
        name: &'static str,
        plan: LogicalPlan,
        definition: &str,
        bytes_max: usize,
        saved: Option<Arc<Saved>>,
    ) -> Self {
        let view = ViewTable::new(plan, Some(definition.to_owned()));
        Self { name, view, bytes_max, saved, rows: OnceCell::new() }
    }

    async fn work_out(&self, state: &dyn Session) -> Result<Option<Rows>> {
        let context = state.task_ctx();
        let granted = MemoryConsumer::new(format!("kept view {}", self.name)).register(context.memory_pool());
        if let Some(saved) = self.saved.clone() {
            let (name, schema) = (self.name, self.view.schema());
            let read = tokio::task::spawn_blocking(move || saved.rows(name, &schema)).await.ok().flatten();
            let fits = |rows: &Vec<RecordBatch>| {
                let bytes = saved::bytes(rows);
                bytes <= self.bytes_max && granted.try_grow(bytes).is_ok()
            };
            if let Some(rows) = read.filter(fits) {
                return self.spread(state, self.view.schema(), rows, granted).map(Some);
            }
        }
        let physical = state.create_physical_plan(self.view.logical_plan()).await?;
        let schema = physical.schema();
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
        if let Some(saved) = self.saved.clone() {
            let (name, wanted) = (self.name, self.view.schema());
            let rows = batches.iter().map(|batch| batch.clone().with_schema(wanted.clone()));
            if let Ok(rows) = rows.collect::<std::result::Result<Vec<_>, _>>() {
                saved.save_aside(name, wanted, rows).await;
            }
        }
        self.spread(state, schema, batches, granted).map(Some)
    }

    /// Rows as a table of as many partitions as a query has.
    fn spread(
        &self,
        state: &dyn Session,
        schema: SchemaRef,
        batches: Vec<RecordBatch>,
        granted: MemoryReservation,
    ) -> Result<Rows> {
        let partitions = state.config().target_partitions().clamp(1, batches.len().max(1));
        let mut spread = vec![Vec::new(); partitions];
        for (position, batch) in batches.into_iter().enumerate() {
            spread[position % partitions].push(batch);
        }
        Ok(Rows { table: MemTable::try_new(schema, spread)?, _granted: granted })
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
