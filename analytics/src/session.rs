//! A session: one consistent set of tables at one scope, the views on top of them, and SQL that only reads.
//!
//! - Facts and reference data are read at the versions of the newest version record, `spans` at its newest; rows that are in the log but
//!   not committed yet can be joined to it. A table that was never written is there, and empty, so that every view works.
//! - Views whose rows others share (see [`crate::catalogue::Purpose::KeptView`]) are worked out once a session, when
//!   first read; so are the tables that Rust makes of the rows of views (see [`Derived`]).
//! - Memory is bounded: what does not fit is spilled to temporary files, and what cannot be spilled fails.

use std::{collections::HashMap, sync::Arc};

use arrow::record_batch::RecordBatch;
use chrono_tz::Tz;
use datafusion::{
    catalog::TableProvider,
    datasource::{MemTable, ViewTable},
    execution::{SendableRecordBatchStream, memory_pool::FairSpillPool, runtime_env::RuntimeEnvBuilder},
    logical_expr::LogicalPlan,
    physical_plan::execute_stream,
    prelude::{SQLOptions, SessionConfig, SessionContext},
};
use gilbreth_collector::{
    schema::{INTAKE, SPANS, Table},
    store::{Store, VersionRecord},
};

use crate::{
    Error,
    catalogue::{self, Purpose},
    parameters::Parameters,
    reference::tables::{CATEGORIES, REFERENCE},
    scope::{Filters, Scope},
    statistics,
    tables::FACTS,
};

pub(crate) mod built_in;
mod derived;
mod dictionary;
mod functions;
mod kept;
mod stored;

#[cfg(test)]
mod slt;
#[cfg(test)]
mod tests;

pub use derived::Derived;
pub use dictionary::{Dictionary, Meaning};

/// Memory that the queries of a session may hold before they spill.
const QUERY_BYTES_MAX: usize = 2 << 30;
/// Memory that one kept view may take of that; a greater one is worked out anew each time.
const KEPT_BYTES_MAX: usize = 512 << 20;

/// Tables by name, as a session is built from them.
pub type Providers = HashMap<&'static str, Arc<dyn TableProvider>>;

/// Reads a store, at one version and one scope. Cheap to share behind an `Arc`; each query is planned anew.
pub struct Session {
    context: SessionContext,
    dictionary: Vec<Meaning>,
    estate: String,
    version: u64,
    parameters: Parameters,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Session").field("estate", &self.estate).field("version", &self.version).finish()
    }
}

impl Session {
    /// Opens a session over a store. The facts' own parameters, kept in the version record, go before those given,
    /// which hold only for a store that was never refreshed. `pending` are rows of `spans` that are not committed yet.
    pub async fn open(
        store: &Store,
        scope: &Scope,
        parameters: &Parameters,
        pending: Vec<RecordBatch>,
    ) -> Result<Self, Error> {
        let record = store.latest_version()?;
        let mut providers = Providers::new();
        for table in [&SPANS, &INTAKE] {
            if let Some(snapshot) = store.snapshot(table).await? {
                providers.insert(table.name, snapshot.provider);
            }
        }
        for table in FACTS.into_iter().chain(REFERENCE) {
            let version = record.as_ref().and_then(|record: &VersionRecord| record.tables.get(table.name));
            if let Some(version) = version {
                providers.insert(table.name, store.snapshot_at(table, *version).await?.provider);
            }
        }
        let recorded = record.as_ref().and_then(|record| serde_json::from_value(record.parameters.clone()).ok());
        let manifest = store.manifest();
        let mut session =
            Self::over(providers, scope, recorded.as_ref().unwrap_or(parameters), pending, manifest.time_zone).await?;
        session.estate.clone_from(&manifest.estate);
        session.version = record.map_or(0, |record| record.number);
        Ok(session)
    }

    /// Opens a session over tables at hand; those that are missing are empty.
    pub async fn over(
        mut providers: Providers,
        scope: &Scope,
        parameters: &Parameters,
        pending: Vec<RecordBatch>,
        zone: Tz,
    ) -> Result<Self, Error> {
        let filters = Filters::of(scope)?;
        let context = context()?;
        for table in stored_tables() {
            let provider = match providers.remove(table.name) {
                Some(provider) => provider,
                None if table.name == CATEGORIES.name => built_in::categories()?,
                None => Arc::new(MemTable::try_new(table.arrow_schema(), vec![vec![]])?),
            };
            let pending = if table.name == SPANS.name { pending.as_slice() } else { &[] };
            let provider = stored::provide(&context, table, provider, pending, &filters, zone).await?;
            context.register_table(table.name, provider)?;
        }
        context.register_table("parameters", built_in::parameters(parameters)?)?;
        let mut session =
            Self { context, dictionary: Vec::new(), estate: String::new(), version: 0, parameters: parameters.clone() };
        session.add_views().await?;
        session.dictionary = dictionary::describe(&session.context).await?;
        session.context.register_table("data_dictionary", dictionary::table(&session.dictionary)?)?;
        Ok(session)
    }

    async fn add_views(&self) -> Result<(), Error> {
        for file in catalogue::views() {
            let plan = self.context.state().create_logical_plan(file.text).await?;
            let provider: Arc<dyn TableProvider> = match file.purpose {
                Purpose::KeptView => Arc::new(kept::Kept::new(file.name, plan, file.text, KEPT_BYTES_MAX)),
                _ => Arc::new(ViewTable::new(plan, Some(file.text.to_owned()))),
            };
            self.context.register_table(file.name, provider)?;
            for derived in catalogue::derived_after(file) {
                let provider = derived::Provider::new(&self.context, derived, &self.parameters).await?;
                self.context.register_table(derived.table.name, Arc::new(provider))?;
            }
        }
        Ok(())
    }

    /// The estate's name.
    #[must_use]
    pub fn estate(&self) -> &str {
        &self.estate
    }

    /// Number of the version record that is read; 0 before the first refresh.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// The parameters of the measurement.
    #[must_use]
    pub const fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The answer to one statement, whole.
    pub async fn sql(&self, sql: &str) -> Result<Vec<RecordBatch>, Error> {
        Ok(datafusion::physical_plan::common::collect(self.stream(sql).await?).await?)
    }

    /// The answer to one statement, as it is worked out. Anything that would change something is refused.
    pub async fn stream(&self, sql: &str) -> Result<SendableRecordBatchStream, Error> {
        let state = self.context.state();
        let plan = state.create_logical_plan(sql).await?;
        refuse_changes(&plan)?;
        let physical = state.create_physical_plan(&plan).await?;
        Ok(execute_stream(physical, state.task_ctx())?)
    }

    /// The data dictionary: all of it, or one table's part; says so when there is no such table.
    pub fn dictionary(&self, table: Option<&str>) -> Result<Dictionary, Error> {
        Dictionary::of(&self.dictionary, table)
    }
}

/// Each parameter of a session's measurement, with its value and unit.
pub(crate) fn parameters(session: &Session) -> Result<Vec<(String, f64, &'static str)>, Error> {
    built_in::list(&session.parameters)
}

/// Every table that a store holds.
fn stored_tables() -> impl Iterator<Item = &'static Table> {
    [&SPANS, &INTAKE].into_iter().chain(FACTS).chain(REFERENCE)
}

fn context() -> Result<SessionContext, Error> {
    let mut config =
        SessionConfig::new().with_information_schema(true).with_default_catalog_and_schema("gilbreth", "public");
    let options = config.options_mut();
    // Plain strings everywhere: kept rows then own exactly the bytes that they show.
    options.execution.parquet.schema_force_view_types = false;
    options.sql_parser.map_string_types_to_utf8view = false;
    options.execution.time_zone = Some("UTC".to_owned());
    let runtime =
        RuntimeEnvBuilder::new().with_memory_pool(Arc::new(FairSpillPool::new(QUERY_BYTES_MAX))).build_arc()?;
    let context = SessionContext::new_with_config_rt(config, runtime);
    context.register_udf(functions::hex());
    context.register_udf(statistics::binomial_tail_udf());
    Ok(context)
}

fn refuse_changes(plan: &LogicalPlan) -> Result<(), Error> {
    let refused = match plan {
        LogicalPlan::Ddl(statement) => Some(statement.name()),
        LogicalPlan::Dml(statement) => Some(statement.name()),
        LogicalPlan::Copy(_) => Some("COPY"),
        LogicalPlan::Statement(statement) => Some(statement.name()),
        _ => None,
    };
    if let Some(name) = refused {
        return Err(Error::Invalid(format!("{name} is refused: a session only reads")));
    }
    let reading = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    Ok(reading.verify_plan(plan)?)
}
