//! The tokens of a store, as they lie in `access/tokens.json`: what each may, and the hash of it; no token is in it.
//!
//! The file is replaced whole, under a lock of its own, so that tokens are made and revoked beside a running service,
//! which reads it without a lock.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    rights::{Limits, Rights},
    token::{Hash, Id, Token},
};
use crate::{
    Error, ErrorKind,
    disk::{self, Disk, IfTaken, Lock, Locked, put},
    store::Store,
};

/// Tokens of a store, revoked ones included: each is looked through at every start, and some metrics have a line for each.
const TOKENS_MAX: usize = 1_000;
/// A label is for a list.
const LABEL_CHARS_MAX: usize = 80;
/// Another `gilbreth token` is done in milliseconds.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);
const FORMAT: u32 = 1;

/// A token as it is known.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// What it is called by.
    pub id: Id,
    /// What its maker calls it.
    pub label: String,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<DateTime<Utc>>,
    /// What it is for.
    pub rights: Rights,
    /// How much of it.
    pub limits: Limits,
    pub(super) hash: Hash,
}

impl Entry {
    /// Whether it still opens something.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        self.revoked_at.is_none()
    }
}

/// What is asked for when a token is made.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// What to call it: at most 80 characters.
    pub label: String,
    /// What it is for.
    pub rights: Rights,
    /// How much of it.
    pub limits: Limits,
}

/// The file as it is written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Book {
    format: u32,
    /// Set for good by the first token that may send. Had it to be concluded from the tokens, revoking the last one would
    /// let everybody on the machine send again.
    pub(super) sending_needs_token: bool,
    pub(super) tokens: Vec<Entry>,
}

impl Default for Book {
    fn default() -> Self {
        Self { format: FORMAT, sending_needs_token: false, tokens: Vec::new() }
    }
}

impl Book {
    /// Reads what was written; `origin` is named where that makes no sense.
    pub(super) fn parse(bytes: &[u8], origin: &Path) -> Result<Self, Error> {
        // What a parser says may hold what it read.
        let wrong = |why: String| Error::new(ErrorKind::Corrupt, format!("{} {why}", origin.display()));
        let book: Self = serde_json::from_slice(bytes).map_err(|error| {
            wrong(format!("is no list of tokens: line {}, column {}", error.line(), error.column()))
        })?;
        match book.format {
            FORMAT => Ok(book),
            other => Err(wrong(format!("is of format {other}, and this gilbreth reads {FORMAT}"))),
        }
    }

    fn add(&mut self, entry: Entry) -> Result<(), Error> {
        let invalid = |message: String| Err(Error::new(ErrorKind::Invalid, message));
        if entry.label.trim().is_empty()
            || entry.label.chars().count() > LABEL_CHARS_MAX
            || entry.label.chars().any(char::is_control)
        {
            return invalid(format!("a label has 1 to {LABEL_CHARS_MAX} characters, none of them for control"));
        }
        if let Some(other) = self.tokens.iter().find(|known| known.is_live() && known.label == entry.label) {
            return invalid(format!("token {} has this label already: choose another, or revoke it first", other.id));
        }
        if self.tokens.iter().any(|known| known.id == entry.id) {
            return Err(Error::new(ErrorKind::Unavailable, "a token of the same id was drawn: ask again"));
        }
        if self.tokens.len() >= TOKENS_MAX {
            // They stay in the list for those who look back; the newest are looked for.
            let Some(oldest) = self.tokens.iter().position(|known| !known.is_live()) else {
                return invalid(format!("there are {TOKENS_MAX} tokens: revoke those that nobody uses"));
            };
            self.tokens.remove(oldest);
        }
        self.sending_needs_token |= entry.rights.systems().is_some();
        self.tokens.push(entry);
        Ok(())
    }

    fn revoke(&mut self, named: &str, now: DateTime<Utc>) -> Result<Entry, Error> {
        let is_meant = |entry: &Entry| entry.id.as_str() == named || entry.label == named;
        let unknown = |message: &str| Error::new(ErrorKind::Invalid, message);
        let mut meant = self.tokens.iter_mut().filter(|entry| entry.is_live() && is_meant(entry));
        let entry = meant.next().ok_or_else(|| unknown("no token of this id or label is in force: see the list"))?;
        if meant.next().is_some() {
            return Err(unknown("it is the id of one token and the label of another: revoke by the other name"));
        }
        entry.revoked_at = Some(now);
        Ok(entry.clone())
    }
}

/// Makes a token. It is on the disk before it is returned, and a running service knows it by the time that it comes.
///
/// # Errors
/// `Invalid` if the label is empty, long or taken, or there are a thousand tokens; `Unavailable` if the disk refuses or
/// somebody else has been changing the list for five seconds.
pub fn add(store: &Store, wanted: Wanted, now: DateTime<Utc>) -> Result<(Token, Entry), Error> {
    change(store, |book| {
        let (token, id) = Token::make()?;
        let Wanted { label, rights, limits } = wanted;
        let hash = Hash::of(token.reveal());
        let entry = Entry { id, label, made_at: now, revoked_at: None, rights, limits, hash };
        book.add(entry.clone())?;
        Ok((token, entry))
    })
}

/// Every token, the oldest first.
///
/// # Errors
/// If the list cannot be read.
pub fn list(store: &Store) -> Result<Vec<Entry>, Error> {
    Ok(read(store.disk().as_ref(), &path_in(store.root()))?.tokens)
}

/// Revokes the token of an id or a label. A running service takes no request with it after about a second.
///
/// # Errors
/// `Invalid` if there is none in force, or two; `Unavailable` if the disk refuses.
pub fn revoke(store: &Store, named: &str, now: DateTime<Utc>) -> Result<Entry, Error> {
    change(store, |book| book.revoke(named, now))
}

pub(super) fn path_in(root: &Path) -> PathBuf {
    root.join("access").join("tokens.json")
}

/// The bytes of the file; `None` where there is no file.
pub(super) fn bytes(disk: &dyn Disk, path: &Path) -> Result<Option<Bytes>, Error> {
    match disk.read(path, None) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unavailable(path, "read", error)),
    }
}

fn read(disk: &dyn Disk, path: &Path) -> Result<Book, Error> {
    bytes(disk, path)?.map_or_else(|| Ok(Book::default()), |bytes| Book::parse(&bytes, path))
}

/// Reads, changes and writes, with nobody in between.
fn change<T>(store: &Store, change: impl FnOnce(&mut Book) -> Result<T, Error>) -> Result<T, Error> {
    let disk = store.disk().as_ref();
    let path = path_in(store.root());
    let folder = path.parent().unwrap_or(&path);
    let failed = |error| unavailable(&path, "written", error);
    disk.create_folder(folder).map_err(failed)?;
    let _lock = lock(disk, folder)?;
    // What somebody left half-written; whoever else writes here holds the lock.
    for entry in disk.list(folder).map_err(failed)? {
        if disk::is_temporary(&entry.path) {
            disk.remove(&entry.path).map_err(failed)?;
        }
    }
    let mut book = read(disk, &path)?;
    let changed = change(&mut book)?;
    let mut text = serde_json::to_vec_pretty(&book)
        .map_err(|error| Error::new(ErrorKind::Internal, "tokens cannot be written as JSON").caused_by(error))?;
    text.push(b'\n');
    put(disk, &path, &[text.into()], IfTaken::Replace).map_err(failed)?;
    Ok(changed)
}

fn lock(disk: &dyn Disk, folder: &Path) -> Result<Lock, Error> {
    let path = folder.join("lock");
    let began = Instant::now();
    loop {
        match disk.lock(&path).map_err(|error| unavailable(&path, "locked", error))? {
            Locked::Ours(lock) => return Ok(lock),
            Locked::Theirs(_) if began.elapsed() < LOCK_PATIENCE => std::thread::sleep(Duration::from_millis(20)),
            Locked::Theirs(process) => {
                let holder = process.map_or_else(|| "another process".to_owned(), |id| format!("process {id}"));
                return Err(Error::new(ErrorKind::Unavailable, format!("{} is held by {holder}", path.display())));
            }
        }
    }
}

fn unavailable(path: &Path, what: &str, error: std::io::Error) -> Error {
    Error::new(ErrorKind::Unavailable, format!("{} cannot be {what}: {error}", path.display())).caused_by(error)
}
