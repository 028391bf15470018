//! Which version of each table of a store a session reads.

use std::collections::BTreeMap;

use arrow::{array::AsArray as _, compute::cast, datatypes::DataType};
use datafusion::{
    physical_plan::common::collect,
    prelude::{SessionContext, col},
};
use gilbreth_collector::{
    schema::{INTAKE, SPANS},
    store::{Store, VersionRecord},
};

use super::{Providers, stored_tables};
use crate::{Error, scope::Scope, tables::WORKER_WEEKS};

/// Names that an error lists at most.
const NAMES_MAX: usize = 20;

/// What the collector writes, as it is now, and in which version.
pub(super) async fn received(store: &Store) -> Result<(Providers, BTreeMap<&'static str, u64>), Error> {
    let (mut providers, mut versions) = (Providers::new(), BTreeMap::new());
    for table in [&SPANS, &INTAKE] {
        if let Some(snapshot) = store.snapshot(table).await? {
            versions.insert(table.name, snapshot.version);
            providers.insert(table.name, snapshot.provider);
        }
    }
    Ok((providers, versions))
}

/// The tables that a record names: what the collector writes is as it is now, unless it is `pinned` too. Says, too,
/// whether the collector has written since.
pub(super) async fn recorded(store: &Store, record: &VersionRecord, pinned: bool) -> Result<(Providers, bool), Error> {
    let (mut providers, versions) = if pinned { (Providers::new(), BTreeMap::new()) } else { received(store).await? };
    let received_since = versions.iter().any(|(name, version)| record.tables.get(*name) != Some(version));
    for table in stored_tables().filter(|table| !providers.contains_key(table.name)).collect::<Vec<_>>() {
        if let Some(version) = record.tables.get(table.name) {
            providers.insert(table.name, store.snapshot_at(table, *version).await?.provider);
        }
    }
    let unnoted = pinned && record.tables.contains_key(SPANS.name) && !record.tables.contains_key(INTAKE.name);
    if unnoted && store.snapshot(&INTAKE).await?.is_some() {
        return Err(Error::Invalid(format!(
            "version {} cannot be pinned: an older gilbreth recorded it without saying what belongs to it of `{}`",
            record.number, INTAKE.name
        )));
    }
    Ok((providers, received_since))
}

/// Refuses a scope about something that never was: a slip of the pen must not look like an answer of nought.
pub(super) async fn refuse_unknown_names(scope: &Scope, providers: &Providers) -> Result<(), Error> {
    let Some(weeks) = providers.get(WORKER_WEEKS.name) else { return Ok(()) };
    for (column, wanted) in scope.names() {
        let weeks = SessionContext::new().read_table(weeks.clone())?;
        let known = weeks.select([col(column)])?.distinct()?.sort(vec![col(column).sort(true, false)])?;
        let known = collect(known.execute_stream().await?).await?;
        let known: Vec<String> = known
            .iter()
            .map(|batch| cast(batch.column(0), &DataType::Utf8))
            .collect::<Result<Vec<_>, _>>()?
            .iter()
            .flat_map(|names| names.as_string::<i32>().iter().flatten().map(str::to_owned).collect::<Vec<_>>())
            .collect();
        if known.is_empty() {
            return Err(Error::Invalid(format!("no time was measured of {column} `{wanted}`, nor of any other")));
        }
        if !known.iter().any(|name| name == wanted) {
            let more = if known.len() > NAMES_MAX { " and others" } else { "" };
            let known = known.iter().take(NAMES_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
            return Err(Error::Invalid(format!("no time was measured of {column} `{wanted}`, only of {known}{more}")));
        }
    }
    Ok(())
}
