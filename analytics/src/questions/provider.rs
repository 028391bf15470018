//! The answer to a question as a table of a session.

use std::{fmt, sync::Arc};

use arrow::{datatypes::SchemaRef, record_batch::RecordBatch};
use async_trait::async_trait;
use datafusion::{
    catalog::{Session, TableProvider},
    datasource::MemTable,
    error::Result,
    logical_expr::{Expr, LogicalPlan, TableType},
    physical_plan::ExecutionPlan,
    prelude::{SessionContext, ident},
};
use gilbreth_collector::schema::SPANS;
use tokio::sync::OnceCell;

use super::{
    Question, Rules,
    active_time::ActiveTime,
    first_sources::FirstSources,
    passes::{Pass, ask},
};
use crate::parameters::Parameters;

/// The table: worked out when first read, and kept for the session.
pub(crate) struct Provider {
    question: Question,
    rules: Rules,
    schema: SchemaRef,
    spans: LogicalPlan,
    answer: OnceCell<MemTable>,
}

impl fmt::Debug for Provider {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Provider").field("question", &self.question).finish_non_exhaustive()
    }
}

impl Provider {
    /// The question, asked of the spans that the context knows.
    pub(crate) async fn new(context: &SessionContext, question: Question, parameters: &Parameters) -> Result<Self> {
        let columns = match question {
            Question::FirstSources => FirstSources::COLUMNS,
            Question::ActiveTime => ActiveTime::COLUMNS,
        };
        let spans = context.table(SPANS.name).await?.select(columns.iter().map(|name| ident(*name)))?;
        Ok(Self {
            question,
            rules: Rules::of(parameters),
            schema: question.table().arrow_schema(),
            spans: context.state().optimize(&spans.into_unoptimized_plan())?,
            answer: OnceCell::new(),
        })
    }

    async fn work_out(&self, state: &dyn Session) -> Result<MemTable> {
        let rows: RecordBatch = match self.question {
            Question::FirstSources => ask::<FirstSources>(&self.spans, self.rules, state).await?,
            Question::ActiveTime => ask::<ActiveTime>(&self.spans, self.rules, state).await?,
        };
        MemTable::try_new(self.schema.clone(), vec![vec![rows]])
    }
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
        self.answer.get_or_try_init(|| self.work_out(state)).await?.scan(state, projection, filters, limit).await
    }
}
