//! The store key: beside the store and never in it.
//!
//! Whoever holds it can try out dates of birth against the digests; whoever loses it makes every digest and hash of the
//! store meaningless for ever. It comes from `GILBRETH_STORE_KEY` (64 hex digits) or lies in a file of mode 0600 named as
//! the store with `.key` added, which no backup, report or export contains. The store's manifest holds a digest by which a
//! key that is not its own is told, and from which nothing can be learnt.

use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind as IoErrorKind, Write},
    path::{Path, PathBuf},
};

use gilbreth_conventions::digest::Digester;

use crate::{
    Error, ErrorKind,
    schema::SPANS,
    store::{Store, Writer},
};

/// The environment variable that holds the key in hex, if it is not in a file.
pub const VARIABLE: &str = "GILBRETH_STORE_KEY";
const BYTES: usize = 32;
/// What is digested to tell keys apart.
const CHECKED: &str = "gilbreth store";

/// The key of one store. Its bytes are in no message and no debugging output.
#[derive(Clone)]
pub struct StoreKey([u8; BYTES]);

impl std::fmt::Debug for StoreKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("StoreKey(…)")
    }
}

impl StoreKey {
    /// A key of these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; BYTES]) -> Self {
        Self(bytes)
    }

    /// The key of the store that is being written. If the store does not know its key yet, this is it from now on.
    ///
    /// # Errors
    /// As [`Self::load_or_create`]; `Invalid` if the key is that of another store.
    pub fn of(writer: &Writer) -> Result<Self, Error> {
        let key = Self::load_or_create(writer.store().root())?;
        let check = key.check();
        match writer.store().key_check()? {
            Some(known) if known == check => Ok(key),
            Some(_) => Err(key.of_another(writer.store())),
            None => writer.note_key(&check).map(|()| key),
        }
    }

    /// Whether it is the key that a store, or a backup of it, is told by.
    #[must_use]
    pub fn fits(&self, check: &str) -> bool {
        self.check() == check
    }

    fn check(&self) -> String {
        Digester::new(&self.0).hex(CHECKED)
    }

    fn of_another(&self, store: &Store) -> Error {
        let (root, path) = (store.root().display(), path_of(store.root()));
        Error::new(
            ErrorKind::Invalid,
            format!(
                "the store key is not that of {root}: put its own back at {}, or in {VARIABLE}, or nothing new would \
                 ever agree with what is there",
                path.display()
            ),
        )
    }

    /// The key of a store that exists.
    ///
    /// # Errors
    /// If there is none, it cannot be read, others than its owner may read it, or it is no key.
    pub fn load(store: &Path) -> Result<Self, Error> {
        if let Some(key) = from_environment()? {
            return Ok(key);
        }
        let path = path_of(store);
        match read(&path)? {
            Some(key) => Ok(key),
            None => Err(Error::new(
                ErrorKind::Unavailable,
                format!("no store key at {}: put it back there, or set {VARIABLE}", path.display()),
            )),
        }
    }

    /// The key of a store; makes one where there is none yet, on the disk before it is returned. A store that holds spans
    /// or reference data and has lost its key gets no new one, since no old digest would ever agree with a new.
    ///
    /// # Errors
    /// As [`Self::load`], and if the key cannot be written.
    pub fn load_or_create(store: &Path) -> Result<Self, Error> {
        if let Some(key) = from_environment()? {
            return Ok(key);
        }
        let path = path_of(store);
        if let Some(key) = read(&path)? {
            return Ok(key);
        }
        if holds_hashes(store) {
            return Self::load(store);
        }
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes)
            .map_err(|error| Error::new(ErrorKind::Unavailable, "no randomness for a store key").caused_by(error))?;
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let failed = |error| {
            Error::new(ErrorKind::Unavailable, format!("cannot write the store key {}", path.display()))
                .caused_by(error)
        };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        match write_new(&path, &hex) {
            Ok(()) => Ok(Self(bytes)),
            // Another process was quicker: its key is the store's.
            Err(error) if error.kind() == IoErrorKind::AlreadyExists => Self::load(store),
            Err(error) => Err(failed(error)),
        }
    }

    pub(crate) const fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn parse(hex: &str, origin: &str) -> Result<Self, Error> {
        let wrong = || Error::new(ErrorKind::Invalid, format!("{origin} does not hold {} hex digits", 2 * BYTES));
        let digits: Option<Vec<u8>> =
            hex.trim().chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
        let digits = digits.filter(|digits| digits.len() == 2 * BYTES).ok_or_else(wrong)?;
        let mut bytes = [0; BYTES];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = pair[0] << 4 | pair[1];
        }
        Ok(Self(bytes))
    }
}

/// Where the key of a store lies: `<store>.key`, beside it.
#[must_use]
pub fn path_of(store: &Path) -> PathBuf {
    let name = store.file_name().unwrap_or(store.as_os_str());
    let mut key = name.to_owned();
    key.push(".key");
    store.with_file_name(key)
}

/// Whether rows were ever taken: the table then has a folder for a day, or the log a segment; or reference data loaded,
/// which have a folder for a table.
fn holds_hashes(store: &Path) -> bool {
    if fs::read_dir(store.join("log")).is_ok_and(|mut entries| entries.next().is_some()) {
        return true;
    }
    let day = |entry: std::io::Result<fs::DirEntry>| {
        entry.is_ok_and(|entry| entry.file_name().to_string_lossy().starts_with("day="))
    };
    fs::read_dir(store.join(SPANS.folder)).is_ok_and(|mut entries| entries.any(day))
        || fs::read_dir(store.join("reference")).is_ok_and(|mut entries| entries.next().is_some())
}

fn from_environment() -> Result<Option<StoreKey>, Error> {
    match std::env::var(VARIABLE) {
        Ok(hex) if !hex.is_empty() => StoreKey::parse(&hex, VARIABLE).map(Some),
        _ => Ok(None),
    }
}

fn read(path: &Path) -> Result<Option<StoreKey>, Error> {
    let failed = |error| {
        Error::new(ErrorKind::Unavailable, format!("cannot read the store key {}", path.display())).caused_by(error)
    };
    let hex = match fs::read_to_string(path) {
        Ok(hex) => hex,
        Err(error) if error.kind() == IoErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(path).map_err(failed)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(Error::new(
                ErrorKind::Invalid,
                format!("the store key {} may be read by others: chmod 600 it", path.display()),
            ));
        }
    }
    StoreKey::parse(&hex, &path.display().to_string()).map(Some)
}

/// Writes a file that must not be there yet, whole or not at all: under another name first, then linked to its own.
fn write_new(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}.new", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    let linked = fs::hard_link(&temporary, path);
    fs::remove_file(&temporary)?;
    linked?;
    fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("deeper").join("gilbreth-store");
        assert!(StoreKey::load(&store).unwrap_err().to_string().contains("gilbreth-store.key"));
        let made = StoreKey::load_or_create(&store).unwrap();
        assert_eq!(StoreKey::load_or_create(&store).unwrap().bytes(), made.bytes());
        assert_eq!(StoreKey::load(&store).unwrap().bytes(), made.bytes());
        assert!(!store.exists(), "the key lies beside the store");
        assert_eq!(format!("{made:?}"), "StoreKey(…)");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let path = path_of(&store);
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
            assert_eq!(StoreKey::load(&store).unwrap_err().kind(), ErrorKind::Invalid);
        }
    }

    #[test]
    fn a_store_that_lost_its_key_gets_no_new_one() {
        for held in ["spans/day=2024-01-01", "reference/directory"] {
            let folder = tempfile::tempdir().unwrap();
            let store = folder.path().join("s");
            fs::create_dir_all(store.join(held)).unwrap();
            assert_eq!(StoreKey::load_or_create(&store).unwrap_err().kind(), ErrorKind::Unavailable, "{held}");
        }
        let folder = tempfile::tempdir().unwrap();
        let only_logged = folder.path().join("only-logged");
        fs::create_dir_all(only_logged.join("log")).unwrap();
        fs::write(only_logged.join("log/00000001.log"), b"frames").unwrap();
        assert_eq!(StoreKey::load_or_create(&only_logged).unwrap_err().kind(), ErrorKind::Unavailable);
    }

    #[test]
    fn a_store_knows_its_key_and_refuses_another() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("s");
        let manifest =
            crate::store::Manifest { format: 0, estate: "E".to_owned(), time_zone: chrono_tz::Europe::London };
        let store = Store::open_or_create(&root, manifest).unwrap();
        let before = fs::read_to_string(root.join("store.toml")).unwrap();
        assert!(!before.contains("key_check"), "as an older store: {before}");
        let writer = store.lock().unwrap();
        let key = StoreKey::of(&writer).unwrap();
        assert_eq!(StoreKey::of(&writer).unwrap().bytes(), key.bytes());
        let manifest = fs::read_to_string(root.join("store.toml")).unwrap();
        assert!(manifest.starts_with(&before) && manifest.contains("key_check"), "{manifest}");
        let reopened = Store::open(&root).unwrap();
        assert_eq!((reopened.collector(), reopened.manifest().estate.as_str()), (store.collector(), "E"));
        fs::write(path_of(&root), "ab".repeat(BYTES)).unwrap();
        let error = StoreKey::of(&writer).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains("not that of") && !error.to_string().contains("abab"), "{error}");
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_shown() {
        for text in ["", "abc", &"g".repeat(64), &"0".repeat(65)] {
            let error = StoreKey::parse(text, "somewhere").unwrap_err();
            assert_eq!(error.to_string(), "somewhere does not hold 64 hex digits");
        }
    }
}
