//! A physical operator that hands a pure core whole groups of rows: all rows of one worker, or of one case.
//!
//! [`grouped`] puts it over any plan: the rows are partitioned by the hash of the key, each partition is sorted (spilling
//! where memory is short), and the core sees runs of complete groups. Only the largest group must fit into memory. Rows
//! of a group that are equal in the core's order are one span that came more than once: the core sees the first alone.

use std::{fmt, ops::Range, sync::Arc};

use arrow::{
    array::{RecordBatch, UInt32Array},
    compute::{SortOptions, concat_batches, partition, take_record_batch},
    datatypes::SchemaRef,
};
use datafusion::{
    common::{Result, internal_err, tree_node::TreeNodeRecursion},
    execution::{SendableRecordBatchStream, TaskContext},
    physical_expr::{EquivalenceProperties, LexOrdering, PhysicalExpr, PhysicalSortExpr, expressions::col},
    physical_plan::{
        ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
        ReplaceChildrenOptions,
        execution_plan::{Boundedness, EmissionType},
        repartition::RepartitionExec,
        sorts::sort::SortExec,
        stream::RecordBatchStreamAdapter,
    },
};
use futures::{StreamExt, TryStreamExt};

/// A core that works on whole groups.
pub trait GroupCore: fmt::Debug + Send + Sync + 'static {
    /// What it is called in plans.
    fn name(&self) -> &'static str;
    /// The column that rows of one group share.
    fn key(&self) -> &'static str;
    /// The order of rows within a group; it ends in the identity of the span.
    fn order(&self) -> &'static [&'static str];
    /// What comes out.
    fn schema(&self) -> SchemaRef;
    /// Works on complete groups: `groups` are the ranges of rows of `batch`, in order, that share a key.
    fn process(&self, batch: &RecordBatch, groups: &[Range<usize>]) -> Result<RecordBatch>;
}

/// Rows of this many are handed over at once, or one group where that is larger.
const BATCH_ROWS: usize = 65_536;

/// The plan that runs a core over all groups of the input, in this many partitions.
pub fn grouped(
    input: Arc<dyn ExecutionPlan>,
    core: Arc<dyn GroupCore>,
    partitions: usize,
) -> Result<Arc<dyn ExecutionPlan>> {
    let schema = input.schema();
    let ascending = SortOptions { descending: false, nulls_first: true };
    let order: Vec<PhysicalSortExpr> = std::iter::once(core.key())
        .chain(core.order().iter().copied())
        .map(|name| Ok(PhysicalSortExpr::new(col(name, &schema)?, ascending)))
        .collect::<Result<_>>()?;
    let Some(order) = LexOrdering::new(order) else { return internal_err!("a group has a key") };
    let hash = Partitioning::Hash(vec![col(core.key(), &schema)?], partitions);
    let partitioned = Arc::new(RepartitionExec::try_new(input, hash)?);
    let sorted = Arc::new(SortExec::new(order, partitioned).with_preserve_partitioning(true));
    Ok(Arc::new(GroupedExec::new(sorted, core)))
}

/// The operator. Its input must be partitioned by the core's key and sorted by the key and the core's order.
#[derive(Debug)]
pub struct GroupedExec {
    input: Arc<dyn ExecutionPlan>,
    core: Arc<dyn GroupCore>,
    properties: Arc<PlanProperties>,
}

impl GroupedExec {
    fn new(input: Arc<dyn ExecutionPlan>, core: Arc<dyn GroupCore>) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(core.schema()),
            Partitioning::UnknownPartitioning(input.properties().output_partitioning().partition_count()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self { input, core, properties: Arc::new(properties) }
    }
}

impl DisplayAs for GroupedExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GroupedExec: {} by {}", self.core.name(), self.core.key())
    }
}

impl ExecutionPlan for GroupedExec {
    fn name(&self) -> &str {
        self.core.name()
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let (Some(input), true) = (children.pop(), children.is_empty()) else {
            return internal_err!("a grouped operator has one input");
        };
        Ok(Arc::new(Self::new(input, self.core.clone())))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(partition, context)?;
        let groups = Groups {
            schema: self.input.schema(),
            core: self.core.clone(),
            held: Vec::new(),
            rows: 0,
            enough: BATCH_ROWS,
        };
        // After the last batch comes one `None`, which lets go of the last group.
        let ends = input.map(|batch| batch.map(Some)).chain(futures::stream::once(async { Ok(None) }));
        let output = ends
            .scan(groups, |groups, batch| {
                let result = batch.and_then(|batch| match batch {
                    Some(batch) => groups.take(batch),
                    None => groups.release(true),
                });
                futures::future::ready(Some(result))
            })
            .try_filter_map(|batch| futures::future::ready(Ok(batch)));
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.core.schema(), output)))
    }
}

/// Rows held until their group is complete.
struct Groups {
    schema: SchemaRef,
    core: Arc<dyn GroupCore>,
    held: Vec<RecordBatch>,
    rows: usize,
    /// Rows held before they are looked at: twice as many as the open group has, so that a large group is not put
    /// together again with every batch.
    enough: usize,
}

impl Groups {
    fn take(&mut self, batch: RecordBatch) -> Result<Option<RecordBatch>> {
        self.rows += batch.num_rows();
        self.held.push(batch);
        if self.rows < self.enough { Ok(None) } else { self.release(false) }
    }

    /// Hands complete groups to the core: all but the last, which may go on, or all at the end of the input.
    fn release(&mut self, end: bool) -> Result<Option<RecordBatch>> {
        let all = self.distinct(concat_batches(&self.schema, &self.held)?)?;
        self.held.clear();
        self.rows = 0;
        if all.num_rows() == 0 {
            return Ok(None);
        }
        let key = all.column(self.schema.index_of(self.core.key())?).clone();
        let mut groups = partition(&[key])?.ranges();
        if !end && let Some(last) = groups.pop() {
            self.rows = last.len();
            self.held.push(all.slice(last.start, last.len()));
        }
        self.enough = BATCH_ROWS.max(2 * self.rows);
        if groups.is_empty() { Ok(None) } else { self.core.process(&all, &groups).map(Some) }
    }

    /// The rows without those that repeat the one before.
    fn distinct(&self, rows: RecordBatch) -> Result<RecordBatch> {
        let identity = std::iter::once(self.core.key()).chain(self.core.order().iter().copied());
        let columns =
            identity.map(|name| Ok(rows.column(self.schema.index_of(name)?).clone())).collect::<Result<Vec<_>>>()?;
        let spans = if rows.num_rows() == 0 { return Ok(rows) } else { partition(&columns)?.ranges() };
        if spans.len() == rows.num_rows() {
            return Ok(rows);
        }
        let firsts = UInt32Array::from_iter_values(spans.iter().map(|span| span.start as u32));
        Ok(take_record_batch(&rows, &firsts)?)
    }
}
