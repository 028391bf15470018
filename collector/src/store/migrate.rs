//! Bringing a store of an older format to today's, one number at a time.
//!
//! Each migration can be done again: the number in the manifest goes up only after its work has reached the disk, so a
//! crash half way leaves a store that is migrated by running it once more.

use std::{path::Path, sync::Arc};

use super::{FORMAT, Store, absolute, manifest::text_of_known_format, unavailable};
use crate::{
    Error, ErrorKind,
    disk::{Disk, IfTaken, LocalDisk, Locked, put},
};

/// From one number to the next.
struct Migration {
    from: u32,
    /// What it does, for whoever is asked whether to run it.
    does: &'static str,
    run: fn(&dyn Disk, &Path) -> std::io::Result<()>,
}

/// All there are, in order.
static MIGRATIONS: [Migration; 1] = [Migration {
    from: 1,
    does: "marks the store as one that may hold access tokens and may have been vacuumed, which no older gilbreth may \
           open; the next refresh works out all facts anew",
    run: forget_days,
}];

/// What a migration did, or would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// The format that was found.
    pub from: u32,
    /// The format that it is now, or would be.
    pub to: u32,
    /// What was done, or would be.
    pub steps: Vec<&'static str>,
}

impl Store {
    /// Brings a store to [`FORMAT`]; with `check`, only says what that would do. Nobody may be writing it.
    pub fn migrate(root: &Path, check: bool) -> Result<Migrated, Error> {
        Self::migrate_on(&(Arc::new(LocalDisk) as Arc<dyn Disk>), root, check)
    }

    /// [`Store::migrate`] on a disk of choice.
    pub fn migrate_on(disk: &Arc<dyn Disk>, root: &Path, check: bool) -> Result<Migrated, Error> {
        let root = absolute(root)?;
        let failed = |error| unavailable(&format!("the store {} cannot be migrated", root.display()), error);
        let missing = || Error::new(ErrorKind::Unavailable, format!("there is no store at {}", root.display()));
        let (from, _) = text_of_known_format(disk.as_ref(), &root)?.ok_or_else(missing)?;
        let due: Vec<&Migration> = MIGRATIONS.iter().filter(|migration| migration.from >= from).collect();
        let migrated = Migrated { from, to: FORMAT, steps: due.iter().map(|migration| migration.does).collect() };
        if check || due.is_empty() {
            return Ok(migrated);
        }
        let Locked::Ours(_lock) = disk.lock(&root.join("lock")).map_err(failed)? else {
            let said = format!("the store {} is being written: stop whoever does so first", root.display());
            return Err(Error::new(ErrorKind::Unavailable, said));
        };
        for migration in due {
            (migration.run)(disk.as_ref(), &root).map_err(failed)?;
            let (_, text) = text_of_known_format(disk.as_ref(), &root)?.ok_or_else(missing)?;
            let text = with_format(&text, migration.from + 1)?;
            put(disk.as_ref(), &root.join("store.toml"), &[text.into()], IfTaken::Replace).map_err(failed)?;
        }
        Ok(migrated)
    }
}

/// The same manifest with another number.
fn with_format(text: &str, format: u32) -> Result<String, Error> {
    let corrupt = |error: &dyn std::fmt::Display| {
        Error::new(ErrorKind::Corrupt, format!("the manifest of the store cannot be understood: {error}"))
    };
    let mut table: toml::Table = toml::from_str(text).map_err(|error: toml::de::Error| corrupt(&error.message()))?;
    table.insert("format".to_owned(), toml::Value::Integer(i64::from(format)));
    toml::to_string(&table).map_err(|error| corrupt(&error))
}

/// What a refresh of format 1 left tells days by the names of their files, which is done otherwise by now: without the
/// list nothing of it holds.
fn forget_days(disk: &dyn Disk, root: &Path) -> std::io::Result<()> {
    let folder = root.join("refresh");
    match disk.remove(&folder.join("files.json")) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(()) => disk.sync_folder(&folder),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::simulated::SimulatedDisk;

    #[test]
    fn there_is_a_way_from_every_format_to_the_next() {
        let from: Vec<u32> = MIGRATIONS.iter().map(|migration| migration.from).collect();
        assert_eq!(from, (1..FORMAT).collect::<Vec<_>>());
    }

    #[test]
    fn a_migration_that_breaks_off_anywhere_is_finished_by_the_next() {
        let root = Path::new("/store");
        let old = "format = 1\nestate = \"E\"\ntime_zone = \"Europe/London\"\ncollector = \"c\"\nlater = 3\n";
        let mut broken_off = 0;
        for seed in 0..200 {
            let disk = SimulatedDisk::new(seed);
            for (name, text) in [("store.toml", old), ("refresh/files.json", "{}"), ("refresh/day-1", "x")] {
                put(&disk, &root.join(name), &[text.into()], IfTaken::Fail).unwrap();
            }
            let on = |disk: &SimulatedDisk| Arc::new(disk.clone()) as Arc<dyn Disk>;
            let refused = Store::open_on(on(&disk), root).unwrap_err();
            assert!(refused.to_string().contains("gilbreth migrate --store /store"), "{refused}");
            assert_eq!(Store::migrate_on(&on(&disk), root, true).unwrap().steps.len(), 1);
            Store::open_on(on(&disk), root).unwrap_err();
            disk.lose_power_after(seed % 9);
            broken_off += u32::from(Store::migrate_on(&on(&disk), root, false).is_err());
            let disk = disk.reboot();
            let again = Store::migrate_on(&on(&disk), root, false).unwrap();
            assert_eq!(again.to, FORMAT);
            Store::open_on(on(&disk), root).unwrap();
            assert!(disk.read(&root.join("refresh/files.json"), None).is_err(), "seed {seed}");
            let text = String::from_utf8(disk.read(&root.join("store.toml"), None).unwrap().to_vec()).unwrap();
            assert!(text.contains("later = 3") && text.contains("collector = \"c\""), "{text}");
            assert_eq!(Store::migrate_on(&on(&disk), root, false).unwrap().steps.len(), 0);
        }
        assert!((1..200).contains(&broken_off), "some must break off and some not: {broken_off}");
    }
}
