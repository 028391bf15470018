//! `versions/expired.json`: what retention took away, by table. A version that is older than that is no longer whole.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{VersionRecord, unavailable};
use crate::{
    Error, ErrorKind,
    disk::{Disk, IfTaken, put},
};

/// What retention took away from a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gone {
    /// Rows before this day are gone …
    pub before: NaiveDate,
    /// … from this Delta version on: no earlier one can be read.
    pub version: u64,
}

/// What retention took away, by table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Expired(BTreeMap<String, Gone>);

impl Expired {
    /// What is noted; nothing in a store of which nothing ever expired.
    pub(super) fn read(disk: &dyn Disk, root: &Path) -> Result<Self, Error> {
        let path = path_of(root);
        match disk.read(&path, None) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
                Error::new(ErrorKind::Corrupt, format!("{} does not say what expired", path.display())).caused_by(error)
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(unavailable(&format!("{} cannot be read", path.display()), error)),
        }
    }

    /// Notes it durably.
    pub(super) fn note(mut self, disk: &dyn Disk, root: &Path, table: &str, gone: Gone) -> Result<(), Error> {
        self.0.insert(table.to_owned(), gone);
        let path = path_of(root);
        let text = serde_json::to_vec_pretty(&self).map_err(|error| {
            Error::new(ErrorKind::Internal, "what expired cannot be written as JSON").caused_by(error)
        })?;
        put(disk, &path, &[text.into()], IfTaken::Replace)
            .map_err(|error| unavailable(&format!("{} cannot be written", path.display()), error))
    }

    /// The first version of a table of which nothing is gone that it named.
    pub(super) fn version_of(&self, table: &str) -> Option<u64> {
        self.0.get(table).map(|gone| gone.version)
    }

    /// The table and what is gone of it, for a version that is no longer whole.
    pub(super) fn of(&self, record: &VersionRecord) -> Option<(&str, &Gone)> {
        let named = self.0.iter().map(|(table, gone)| (table.as_str(), gone));
        named.into_iter().find(|(table, gone)| record.tables.get(*table).is_some_and(|&version| version < gone.version))
    }
}

fn path_of(root: &Path) -> PathBuf {
    root.join("versions").join("expired.json")
}
