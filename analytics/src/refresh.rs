//! Bringing the facts up to date with the spans: what must be done, as a pure plan, and doing it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
    time::SystemTime,
};

use datafusion::{
    catalog::TableProvider, datasource::MemTable, error::DataFusionError, execution::SendableRecordBatchStream,
};
use gilbreth_collector::{
    ErrorKind,
    schema::{INTAKE, SPANS, Table},
    store::{Snapshot, Store, VersionRecord, Writer},
};

use crate::{
    facts::{
        self, Extent, Keeping, SHARE_MAX, Sink,
        kept::{Kept, Leaving, Mark},
    },
    parameters::Parameters,
    reference::tables::{DECIDING_FACTS, REFERENCE},
    tables::FACTS,
};

/// Delta versions by table.
type Versions = BTreeMap<String, u64>;

/// Why the facts could not be brought up to date. They are as they were: the record of what belongs together is
/// written last.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store could not be read or written.
    #[error("the facts could not be stored")]
    Store(#[from] gilbreth_collector::Error),
    /// The facts could not be worked out.
    #[error("the facts could not be worked out")]
    Facts(#[from] DataFusionError),
    /// The parameters could not be recorded.
    #[error("the parameters could not be recorded")]
    Parameters(#[from] serde_json::Error),
}

impl Error {
    /// What to do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Store(error) => error.kind(),
            Self::Facts(error) => match error.find_root() {
                DataFusionError::ResourcesExhausted(_) => ErrorKind::Overloaded,
                DataFusionError::IoError(_) | DataFusionError::ObjectStore(_) => ErrorKind::Unavailable,
                _ => ErrorKind::Internal,
            },
            Self::Parameters(_) => ErrorKind::Internal,
        }
    }
}

/// What must be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// The facts are those of the spans.
    Nothing,
    /// The facts are those of the spans; other reference data are to be recorded beside them.
    Record,
    /// The facts that other spans make others are worked out again, as far as the last refresh left what is needed for
    /// it; else all.
    Changes,
    /// All facts are worked out again.
    Everything,
}

/// What a refresh did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refreshed {
    /// What was done.
    pub plan: Plan,
    /// How much was worked out.
    pub extent: Extent,
    /// The number of the record that names the tables that belong together.
    pub version: u64,
}

/// What to say of how much was worked out.
struct Days(Extent);

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Extent::Nothing => f.write_str(", nothing to work out"),
            Extent::Days(1) => f.write_str(", 1 day worked out"),
            Extent::Days(days) => write!(f, ", {days} days worked out"),
            Extent::Everything => Ok(()),
        }
    }
}

impl fmt::Display for Refreshed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.plan {
            Plan::Nothing => write!(f, "already up to date, version {}", self.version),
            Plan::Record => write!(f, "version {}, with other reference data", self.version),
            Plan::Changes => write!(f, "version {}{}", self.version, Days(self.extent)),
            Plan::Everything => write!(f, "version {}", self.version),
        }
    }
}

/// What must be done, given the newest record and what the facts would be made from now.
#[must_use]
pub fn plan(
    latest: Option<&VersionRecord>,
    spans: Option<u64>,
    reference: &Versions,
    parameters: &serde_json::Value,
    facts_hash: &str,
    full: bool,
) -> Plan {
    let Some(record) = latest else { return Plan::Everything };
    let same = |table: &&Table| record.tables.get(table.name) == reference.get(table.name);
    let made_alike =
        DECIDING_FACTS.iter().all(same) && record.parameters == *parameters && record.facts_hash == facts_hash;
    if full || !made_alike {
        return Plan::Everything;
    }
    match (record.tables.get(SPANS.name).copied() == spans, REFERENCE.iter().all(same)) {
        (false, _) => Plan::Changes,
        (true, true) => Plan::Nothing,
        (true, false) => Plan::Record,
    }
}

/// The Delta version of each table of reference data that was ever loaded.
async fn reference_versions(store: &Store) -> Result<Versions, Error> {
    let mut versions = Versions::new();
    for table in REFERENCE {
        if let Some(snapshot) = store.snapshot(table).await? {
            versions.insert(table.name.to_owned(), snapshot.version);
        }
    }
    Ok(versions)
}

/// Brings the facts up to date. With `full`, also where nothing seems to have changed. The record of what belongs
/// together is written once every table is, so that a refresh which fails half-way changes nothing for readers.
#[tracing::instrument(name = "refresh", skip(writer, parameters))]
pub async fn run(writer: &Writer, parameters: &Parameters, full: bool) -> Result<Refreshed, Error> {
    let store = writer.store();
    // Asked before the snapshot: what it names is in the snapshot in any case.
    let log_watermark = store.log_watermark().await?;
    let spans = store.snapshot(&SPANS).await?;
    let spans_version = spans.as_ref().map(|spans| spans.version);
    // Beside a running collector it may be a commit ahead of `spans`, or behind.
    let intake = store.snapshot(&INTAKE).await?;
    let latest = store.latest_version()?;
    let parameters_said = serde_json::to_value(parameters)?;
    let facts_hash = facts::sql::hash(store.manifest().time_zone);
    let reference = reference_versions(store).await?;
    let plan = plan(latest.as_ref(), spans_version, &reference, &parameters_said, &facts_hash, full);
    let mark = |tables: &Versions| mark(tables, &parameters_said, &facts_hash);
    let (mut tables, extent, leaving) = match (plan, &latest) {
        (Plan::Nothing, Some(record)) => {
            return Ok(Refreshed { plan, extent: Extent::Nothing, version: record.number });
        }
        (Plan::Record, Some(record)) => (record.tables.clone(), Extent::Nothing, None),
        _ => {
            let before = latest.as_ref().filter(|_| plan == Plan::Changes);
            let before = match before {
                Some(record) if !are_newest(store, record).await? => None,
                before => before,
            };
            let kept = Kept::of(store.root(), before.map(|record| mark(&record.tables)).as_ref());
            let kept = Arc::new(kept);
            let leaving = Arc::new(kept.begin().map_err(DataFusionError::IoError)?);
            let (tables, extent) = work_out(writer, parameters, spans, before, (&kept, &leaving)).await?;
            (tables, extent, Some(leaving))
        }
    };
    tables.extend(intake.map(|intake| (INTAKE.name.to_owned(), intake.version)));
    tables.extend(reference);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let mark = mark(&tables);
    let version = writer.record_version(VersionRecord {
        number: 0,
        written_at_us: now.as_micros() as i64,
        tables,
        log_watermark,
        parameters: parameters_said,
        facts_hash,
    })?;
    if let Some(leaving) = leaving {
        let unfinished = || std::io::Error::other("somebody still writes");
        let left = Arc::into_inner(leaving).ok_or_else(unfinished).and_then(|leaving| leaving.finish(mark));
        if let Err(error) = left {
            tracing::warn!(%error, "nothing may be left for the next refresh, which then works out everything");
        }
    }
    Ok(Refreshed { plan, extent, version })
}

/// Whether the tables of the facts are what a record names, in columns and version. They are not where a refresh was given
/// up half-way, or where another program wrote them: nothing can be added to such tables.
async fn are_newest(store: &Store, record: &VersionRecord) -> Result<bool, Error> {
    for table in FACTS {
        let Some(newest) = store.snapshot(table).await? else { return Ok(false) };
        let same_columns = newest.provider.schema().fields() == table.arrow_schema().fields();
        if record.tables.get(table.name) != Some(&newest.version) || !same_columns {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What decides which facts there are, and which they are.
fn mark(tables: &Versions, parameters: &serde_json::Value, facts_hash: &str) -> Mark {
    let known = FACTS.into_iter().chain(DECIDING_FACTS).map(|table| table.name).chain([SPANS.name]);
    let tables = known.filter_map(|name| Some((name.to_owned(), *tables.get(name)?))).collect();
    Mark { tables, parameters: parameters.clone(), facts_hash: facts_hash.to_owned() }
}

/// Works out facts, going on from those of a record where there is one; the version of each of their tables and of the
/// spans.
async fn work_out(
    writer: &Writer,
    parameters: &Parameters,
    spans: Option<Snapshot>,
    before: Option<&VersionRecord>,
    (kept, leaving): (&Arc<Kept>, &Arc<Leaving>),
) -> Result<(Versions, Extent), Error> {
    let store = writer.store();
    let spans_version = spans.as_ref().map(|spans| spans.version);
    let files = match spans_version {
        Some(version) => store.files_of_days_at(&SPANS, version).await?,
        None => BTreeMap::new(),
    };

    let context = facts::context()?;
    let provider: Arc<dyn TableProvider> = match spans {
        Some(Snapshot { provider, .. }) => provider,
        None => Arc::new(MemTable::try_new(SPANS.arrow_schema(), vec![vec![]])?),
    };
    context.register_table(SPANS.name, provider)?;
    for table in DECIDING_FACTS {
        if let Some(known) = store.snapshot(table).await? {
            context.register_table(table.name, known.provider)?;
        }
    }
    let mut tables = Versions::new();
    for table in FACTS.into_iter().filter(|_| !kept.is_empty()) {
        let Some(version) = before.and_then(|record| record.tables.get(table.name)) else { continue };
        context.register_table(table.name, store.snapshot_at(table, *version).await?.provider)?;
        tables.insert(table.name.to_owned(), *version);
    }
    let mut sink = Stored { writer, tables };
    let keeping = Keeping { kept, leaving, files, share_max: SHARE_MAX };
    let zone = store.manifest().time_zone;
    let extent = facts::compute(&context, parameters, zone, Some(&keeping), &mut sink).await?;
    let mut tables = sink.tables;
    tables.extend(spans_version.map(|version| (SPANS.name.to_owned(), version)));
    Ok((tables, extent))
}

/// Facts in a store, with the version that each table got.
struct Stored<'a> {
    writer: &'a Writer,
    tables: BTreeMap<String, u64>,
}

impl Sink for Stored<'_> {
    async fn write(&mut self, table: &'static Table, rows: SendableRecordBatchStream) -> Result<(), DataFusionError> {
        let started = std::time::Instant::now();
        let version =
            self.writer.replace(table, rows).await.map_err(|error| DataFusionError::External(error.into()))?;
        self.tables.insert(table.name.to_owned(), version);
        tracing::debug!(table = table.name, version, elapsed = ?started.elapsed(), "facts written");
        Ok(())
    }

    async fn write_sorted(
        &mut self,
        table: &'static Table,
        days: Option<&BTreeSet<i32>>,
        rows: Vec<SendableRecordBatchStream>,
    ) -> Result<(), DataFusionError> {
        let started = std::time::Instant::now();
        let written = match days {
            None => self.writer.replace_sorted(table, rows).await,
            Some(days) => self.writer.replace_days(table, days, rows).await,
        };
        let version = written.map_err(|error| DataFusionError::External(error.into()))?;
        self.tables.insert(table.name.to_owned(), version);
        tracing::debug!(table = table.name, version, elapsed = ?started.elapsed(), "facts written");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(spans: u64) -> VersionRecord {
        VersionRecord {
            number: 3,
            written_at_us: 0,
            tables: BTreeMap::from([(SPANS.name.to_owned(), spans)]),
            log_watermark: 0,
            parameters: serde_json::json!({"switch_s": 5.0}),
            facts_hash: "a".to_owned(),
        }
    }

    #[test]
    fn facts_are_made_again_when_anything_they_rest_on_changed() {
        let same = serde_json::json!({"switch_s": 5.0});
        let other = serde_json::json!({"switch_s": 2.0});
        let record = record(7);
        let none = Versions::new();
        assert_eq!(plan(Some(&record), Some(7), &none, &same, "a", false), Plan::Nothing);
        assert_eq!(plan(Some(&record), Some(7), &none, &same, "a", true), Plan::Everything);
        assert_eq!(plan(Some(&record), Some(8), &none, &same, "a", false), Plan::Changes);
        assert_eq!(plan(Some(&record), Some(7), &none, &other, "a", false), Plan::Everything);
        assert_eq!(plan(Some(&record), Some(7), &none, &same, "b", false), Plan::Everything);
        assert_eq!(plan(None, None, &none, &same, "a", false), Plan::Everything);
    }

    #[test]
    fn other_reference_data_are_recorded_and_only_those_that_decide_facts_make_them_again() {
        let parameters = serde_json::json!({"switch_s": 5.0});
        for table in REFERENCE {
            let decides = DECIDING_FACTS.iter().any(|deciding| deciding.name == table.name);
            let changed = if decides { Plan::Everything } else { Plan::Record };
            let loaded = |version| Versions::from([(table.name.to_owned(), version)]);
            let mut record = record(7);
            let planned =
                |record: &_, version, full| plan(Some(record), Some(7), &loaded(version), &parameters, "a", full);
            assert_eq!(planned(&record, 1, false), changed, "{} for the first time", table.name);
            record.tables.extend(loaded(1));
            assert_eq!(planned(&record, 1, false), Plan::Nothing, "{} as before", table.name);
            assert_eq!(planned(&record, 2, false), changed, "{} again", table.name);
            assert_eq!(planned(&record, 2, true), Plan::Everything, "{} in full", table.name);
        }
    }
}
