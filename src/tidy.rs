//! Background work as the configuration has it: for the service and for commands.

use std::{path::PathBuf, sync::Arc};

use gilbreth_collector::{
    Error,
    pipeline::upkeep,
    schema::Table,
    store::{Vacuumed, Writer},
};

use crate::config::Config;

/// Every table that a store holds.
pub(crate) fn tables() -> Vec<&'static Table> {
    gilbreth_analytics::session::stored_tables().collect()
}

/// The time, Unix microseconds.
pub(crate) fn now_us() -> i64 {
    chrono::Utc::now().timestamp_micros()
}

/// Removes what has expired; says whether there were spans, whose facts are then to be brought up to date.
pub(crate) async fn expire(writer: &Arc<Writer>, config: &Config) -> Result<bool, Error> {
    let expired = upkeep::expire(writer, &config.retention, now_us()).await?;
    if expired.days > 0 {
        tracing::info!(days = expired.days, files = expired.files, "spans have expired");
    }
    Ok(expired.days > 0)
}

/// Removes what no kept version needs.
pub(crate) async fn vacuum(writer: &Arc<Writer>, config: &Config) -> Result<Vacuumed, Error> {
    let vacuumed = upkeep::vacuum(writer, &tables(), config.upkeep.keep(), now_us()).await?;
    tracing::debug!(vacuumed.records, vacuumed.files, vacuumed.bytes, vacuumed.log_entries, "vacuumed");
    Ok(vacuumed)
}

/// What should have expired, and is there.
pub(crate) async fn leftovers(writer: &Writer, config: &Config) -> Result<Vec<PathBuf>, Error> {
    upkeep::leftovers(writer, &config.retention, now_us()).await
}

/// What a vacuum did, for people.
pub(crate) fn said(vacuumed: &Vacuumed) -> String {
    let Vacuumed { records, files, bytes, log_entries } = vacuumed;
    format!("{records} versions, {files} files ({bytes} bytes) and {log_entries} entries of logs removed")
}
