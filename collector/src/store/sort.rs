//! Sorting more rows than fit in memory: DataFusion's sort, with a budget of its own, spilling to temporary files.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use arrow::datatypes::SchemaRef;
use datafusion::{
    error::DataFusionError,
    execution::{
        SendableRecordBatchStream, TaskContext,
        memory_pool::FairSpillPool,
        runtime_env::{RuntimeEnv, RuntimeEnvBuilder},
    },
    physical_expr::{LexOrdering, PhysicalSortExpr, expressions::col},
    physical_plan::{
        EmptyRecordBatchStream, ExecutionPlan,
        sorts::sort::SortExec,
        streaming::{PartitionStream, StreamingTableExec},
    },
    prelude::SessionConfig,
};

use crate::{Error, ErrorKind};

/// Memory that one sort may hold before it spills.
const SORT_BYTES_MAX: usize = 384 << 20;

/// The same rows, sorted by these columns, nulls first.
pub(super) fn sorted(rows: SendableRecordBatchStream, columns: &[&str]) -> Result<SendableRecordBatchStream, Error> {
    let schema = rows.schema();
    let internal = |error: DataFusionError| Error::new(ErrorKind::Internal, "rows cannot be sorted").caused_by(error);
    let order = columns
        .iter()
        .map(|name| col(name, &schema).map(PhysicalSortExpr::new_default))
        .collect::<Result<Vec<_>, _>>()
        .map_err(internal)?;
    let Some(order) = LexOrdering::new(order) else { return Ok(rows) };
    let once = Once { schema: schema.clone(), rows: Mutex::new(Some(rows)) };
    let input = StreamingTableExec::try_new(schema, vec![Arc::new(once)], None, None, false, None).map_err(internal)?;
    let sort = SortExec::new(order, Arc::new(input));
    let context = TaskContext::default()
        .with_session_config(SessionConfig::new().with_batch_size(8192))
        .with_runtime(runtime().map_err(internal)?);
    sort.execute(0, Arc::new(context)).map_err(internal)
}

/// A runtime with a budget, for one piece of work.
pub(super) fn runtime() -> Result<Arc<RuntimeEnv>, DataFusionError> {
    RuntimeEnvBuilder::new().with_memory_pool(Arc::new(FairSpillPool::new(SORT_BYTES_MAX))).build_arc()
}

/// A stream as the input of a plan that is run once.
struct Once {
    schema: SchemaRef,
    rows: Mutex<Option<SendableRecordBatchStream>>,
}

impl fmt::Debug for Once {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Once").finish_non_exhaustive()
    }
}

impl PartitionStream for Once {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner).take();
        rows.unwrap_or_else(|| Box::pin(EmptyRecordBatchStream::new(self.schema.clone())))
    }
}
