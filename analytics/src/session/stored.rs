//! How a stored table appears in a session: with the declared types, joined by rows that are not committed yet, and
//! filtered to the scope.

use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use chrono_tz::Tz;
use datafusion::{
    catalog::TableProvider,
    common::{JoinType, ScalarValue},
    datasource::ViewTable,
    prelude::{DataFrame, SessionContext, cast, col, lit},
};
use gilbreth_collector::schema::Table;

use crate::{
    Error, facts,
    scope::Filters,
    tables::{MATCHED_TIMES, MATCHES, WEEKLY_TIMES, WEEKS_WORKED, WORKER_WEEKS},
};

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
    let by_target = table.name == MATCHES.name && filters.needs_target();
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
    if table.name == WEEKLY_TIMES.name
        && let Some(torn) = filters.torn_weeks()
    {
        // Of a week that the scope tears, only some days count: the ledger, in scope already, has them.
        let of_days = context.sql(facts::sql::WEEKLY_TIMES).await?.filter(torn)?;
        rows = rows.union(with_declared_types(of_days, table)?)?;
    }
    if let Some(whole) = cut {
        rows = rows.with_column("whole_week", whole)?;
    }
    if by_target {
        // The time of a target has the organisation, role and task that it was told, and is in scope already.
        let targets = context
            .table(MATCHED_TIMES.name)
            .await?
            .select([col("worker").alias("in_worker"), col("span_id").alias("in_span")])?;
        rows = rows.join(targets, JoinType::LeftSemi, &["worker", "span_id"], &["in_worker", "in_span"], None)?;
    }
    Ok(Arc::new(ViewTable::new(rows.into_unoptimized_plan(), None)))
}

/// Who worked in which week, from the stored `worker_weeks`: what rates are divided by.
pub(super) async fn weeks_worked(
    context: &SessionContext,
    stored: Arc<dyn TableProvider>,
    filters: &Filters,
    zone: Tz,
) -> Result<Arc<dyn TableProvider>, Error> {
    let people = filters.people();
    let weeks = provide(context, &WORKER_WEEKS, stored, &[], &people, zone).await?;
    let columns = WEEKS_WORKED.columns.iter().map(|column| col(column.name)).collect::<Vec<_>>();
    let rows = context.read_table(weeks)?.select(columns)?.distinct()?;
    Ok(Arc::new(ViewTable::new(rows.into_unoptimized_plan(), None)))
}

/// The rows with the declared columns. A version that an older gilbreth wrote may lack one: it is null there if it may
/// be, and else the version cannot be read.
fn with_declared_types(rows: DataFrame, table: &Table) -> Result<DataFrame, Error> {
    let columns = table.columns.iter().map(|column| {
        let found = rows.schema().field_with_unqualified_name(column.name).map(|field| field.data_type().clone());
        let wanted = column.kind.data_type();
        match found {
            Ok(found) if found == wanted => Ok(col(column.name)),
            Ok(_) => Ok(cast(col(column.name), wanted).alias(column.name)),
            Err(_) if column.nullable => Ok(cast(lit(ScalarValue::Null), wanted).alias(column.name)),
            Err(_) => Err(Error::Invalid(format!(
                "this version of {} has no column {}: it was made by an older gilbreth, and cannot be read by this one",
                table.name, column.name
            ))),
        }
    });
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    Ok(rows.select(columns)?)
}
