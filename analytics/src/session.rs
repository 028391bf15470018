//! A session: one consistent set of tables at one scope, the views on top of them, and SQL that only reads.
//!
//! - Facts and reference data are read at the versions of the newest version record, `spans` and `intake` at their
//!   newest; rows that are in the log but not committed yet can be joined to `spans`. A table that was never written is
//!   there, and empty, so that every view works.
//! - A session pinned at a version record reads every table, `spans` and `intake` too, as that record names it, with its
//!   parameters; so does nobody else: a pin belongs to one session.
//! - Views whose rows others share (see [`crate::catalogue::Purpose::KeptView`]) are worked out once a session, when
//!   first read; so are the tables that Rust makes of the rows of views (see [`Derived`]). A session of everything leaves
//!   them in the store for the sessions that come after it.
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
    store::Store,
};

use crate::{
    Error,
    catalogue::{self, Purpose},
    parameters::Parameters,
    questions::{self, Question},
    reference::tables::{CATEGORIES, REFERENCE},
    scope::{Filters, Scope},
    statistics,
    tables::{FACTS, MATCHES, WEEKS_WORKED, WORKER_WEEKS},
};

pub(crate) mod built_in;
mod derived;
mod dictionary;
mod functions;
mod kept;
mod pinned;
mod saved;
mod stored;

#[cfg(test)]
pub(crate) mod slt;
#[cfg(test)]
mod tests;

pub use derived::Derived;
pub use dictionary::{Dictionary, Meaning};
use saved::Saved;

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
    scope: Scope,
    parameters: Parameters,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Session").field("estate", &self.estate).field("version", &self.version).finish()
    }
}

impl Session {
    /// Opens a session over a store. The facts' own parameters, kept in the version record, go before those given,
    /// which hold only for a store that was never refreshed. `pending` are rows of `spans` that are not committed yet;
    /// a pinned session has none of them. A version, system, organisation, role or task that is not there is refused.
    pub async fn open(
        store: &Store,
        scope: &Scope,
        parameters: &Parameters,
        pending: Vec<RecordBatch>,
    ) -> Result<Self, Error> {
        let pin = scope.version()?;
        let newest = store.latest_version()?;
        let record = match pin {
            Some(number) => Some(store.version(number)?),
            None => newest.clone(),
        };
        let (providers, received_since) = match &record {
            Some(record) => pinned::recorded(store, record, pin.is_some()).await?,
            None => (pinned::received(store).await?.0, true),
        };
        if record.is_some() {
            pinned::refuse_unknown_names(scope, &providers).await?;
        }
        let pending = if pin.is_some() { Vec::new() } else { pending };
        let told = record.as_ref().and_then(|record| serde_json::from_value(record.parameters.clone()).ok());
        let manifest = store.manifest();
        // What is saved is of everything, at the newest record and with its parameters.
        let whole = Scope { as_of: None, ..scope.clone() } == Scope::default();
        let saved = record.as_ref().filter(|_| whole && told.is_some() && record == newest);
        let saved = saved.map(|record| Saved::new(store, record, received_since || !pending.is_empty()));
        let parameters = told.as_ref().unwrap_or(parameters);
        let zone = manifest.time_zone;
        let mut session = Self::assemble(providers, scope, parameters, pending, zone, saved.map(Arc::new)).await?;
        session.estate.clone_from(&manifest.estate);
        session.version = record.map_or(0, |record| record.number);
        Ok(session)
    }

    /// Opens a session over tables at hand; those that are missing are empty. They have one version: a scope that is
    /// pinned is refused.
    pub async fn over(
        providers: Providers,
        scope: &Scope,
        parameters: &Parameters,
        pending: Vec<RecordBatch>,
        zone: Tz,
    ) -> Result<Self, Error> {
        if let Some(version) = &scope.as_of {
            return Err(Error::Invalid(format!("cannot be pinned as of `{version}`: these tables have one version")));
        }
        Self::assemble(providers, scope, parameters, pending, zone, None).await
    }

    async fn assemble(
        mut providers: Providers,
        scope: &Scope,
        parameters: &Parameters,
        pending: Vec<RecordBatch>,
        zone: Tz,
        saved: Option<Arc<Saved>>,
    ) -> Result<Self, Error> {
        let filters = Filters::of(scope)?;
        let context = context()?;
        // The scope of `matches` is told by the time of targets.
        let (last, first): (Vec<&Table>, Vec<&Table>) = stored_tables().partition(|table| table.name == MATCHES.name);
        for table in first.into_iter().chain(last) {
            let provider = match providers.remove(table.name) {
                Some(provider) => provider,
                None if table.name == CATEGORIES.name => built_in::categories()?,
                None => Arc::new(MemTable::try_new(table.arrow_schema(), vec![vec![]])?),
            };
            if table.name == WORKER_WEEKS.name {
                let weeks = stored::weeks_worked(&context, provider.clone(), &filters, zone).await?;
                context.register_table(WEEKS_WORKED.name, weeks)?;
            }
            let pending = if table.name == SPANS.name { pending.as_slice() } else { &[] };
            let provider = stored::provide(&context, table, provider, pending, &filters, zone).await?;
            context.register_table(table.name, provider)?;
        }
        context.register_table("parameters", built_in::parameters(parameters)?)?;
        for question in Question::ALL {
            let provider = questions::Provider::new(&context, question, parameters).await?;
            context.register_table(question.table().name, Arc::new(provider))?;
        }
        let mut session = Self {
            context,
            dictionary: Vec::new(),
            estate: String::new(),
            version: 0,
            scope: scope.clone(),
            parameters: parameters.clone(),
        };
        session.add_views(saved).await?;
        session.dictionary = dictionary::describe(&session.context).await?;
        session.context.register_table("data_dictionary", dictionary::table(&session.dictionary)?)?;
        Ok(session)
    }

    async fn add_views(&self, saved: Option<Arc<Saved>>) -> Result<(), Error> {
        for file in catalogue::views() {
            let plan = self.context.state().create_logical_plan(file.text).await?;
            let provider: Arc<dyn TableProvider> = match file.purpose {
                Purpose::KeptView => {
                    Arc::new(kept::Kept::new(file.name, plan, file.text, KEPT_BYTES_MAX, saved.clone()))
                }
                _ => Arc::new(ViewTable::new(plan, Some(file.text.to_owned()))),
            };
            self.context.register_table(file.name, provider)?;
            for derived in catalogue::derived_after(file) {
                let provider = derived::Provider::new(&self.context, derived, &self.parameters, saved.clone()).await?;
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

    /// What part of the data it is about.
    #[must_use]
    pub const fn scope(&self) -> &Scope {
        &self.scope
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
pub fn stored_tables() -> impl Iterator<Item = &'static Table> {
    [&SPANS, &INTAKE].into_iter().chain(FACTS).chain(REFERENCE)
}

pub(crate) fn context() -> Result<SessionContext, Error> {
    let mut config =
        SessionConfig::new().with_information_schema(true).with_default_catalog_and_schema("gilbreth", "public");
    let options = config.options_mut();
    // Plain strings everywhere: kept rows then own exactly the bytes that they show.
    options.execution.parquet.schema_force_view_types = false;
    options.sql_parser.map_string_types_to_utf8view = false;
    // So that an error can say where in the query it is.
    options.sql_parser.collect_spans = true;
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
