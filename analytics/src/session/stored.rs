//! How a stored table appears in a session: with the declared types, joined by rows that are not committed yet, and
//! filtered to the scope.

use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use chrono_tz::Tz;
use datafusion::{
    catalog::TableProvider,
    common::JoinType,
    datasource::ViewTable,
    prelude::{DataFrame, SessionContext, cast, col},
};
use gilbreth_collector::schema::Table;

use crate::{Error, scope::Filters};

/// The table as the session shows it.
pub(super) async fn provide(
    context: &SessionContext,
    table: &Table,
    stored: Arc<dyn TableProvider>,
    pending: &[RecordBatch],
    filters: &Filters,
    zone: Tz,
) -> Result<Arc<dyn TableProvider>, Error> {
    let declared = stored.schema() == table.arrow_schema();
    let in_scope = filters.rows(table.name, zone);
    let cut = if table.name == "worker_weeks" { filters.whole_week() } else { None };
    let by_target = table.name == "matches" && filters.needs_target();
    if declared && pending.is_empty() && in_scope.is_none() && cut.is_none() && !by_target {
        return Ok(stored);
    }
    let mut rows = context.read_table(stored)?;
    if !declared {
        rows = with_declared_types(rows, table)?;
    }
    if !pending.is_empty() {
        let pending = with_declared_types(context.read_batches(pending.iter().cloned())?, table)?;
        rows = rows.union(pending)?;
    }
    if let Some(in_scope) = in_scope {
        rows = rows.filter(in_scope)?;
    }
    if let Some(whole) = cut {
        rows = rows.with_column("whole_week", whole)?;
    }
    if by_target {
        // Both are registered before, and filtered to the scope already. A span may name no task where its trace does:
        // the ledger knows. A target that took no time is in `spans` alone.
        let targets = |span: &'static str| [col("worker").alias("in_worker"), col(span).alias("in_span")];
        let timed = context.table("ledger").await?.select(targets("target_span_id"))?;
        let named = context.table("spans").await?.select(targets("span_id"))?;
        let targets = timed.union(named)?;
        rows = rows.join(targets, JoinType::LeftSemi, &["worker", "span_id"], &["in_worker", "in_span"], None)?;
    }
    Ok(Arc::new(ViewTable::new(rows.into_unoptimized_plan(), None)))
}

fn with_declared_types(rows: DataFrame, table: &Table) -> Result<DataFrame, Error> {
    let columns = table.columns.iter().map(|column| {
        let found = rows.schema().field_with_unqualified_name(column.name).map(|field| field.data_type().clone());
        let wanted = column.kind.data_type();
        match found {
            Ok(found) if found == wanted => col(column.name),
            _ => cast(col(column.name), wanted).alias(column.name),
        }
    });
    let columns: Vec<_> = columns.collect();
    Ok(rows.select(columns)?)
}
