//! Who may send: tokens, what each is for, and how much of it.
//!
//! ```text
//! gilbreth token ──▶ access/tokens.json (hashes) ──▶ Access ──grant──▶ receive ─▶ gate
//!                                        presented ──▶┘ └──denied──▶ 401, 403, 503
//! ```
//!
//! - A token is shown once, when it is made. What is kept is its hash; no message, metric, log or debugging output holds
//!   a token.
//! - Without tokens, senders on this machine may send, and nobody else. From the first token on that may send, one is
//!   needed, on this machine too, and stays needed when all are revoked.
//! - Tokens are made and revoked beside the running service. It looks at the file at most a second before it answers a
//!   token that it knows, and once more before it turns away one that it does not: at most ten times a second, however
//!   many come.
//! - A file that can no longer be read changes nothing: what was known holds, and the service is not ready.
//!
//! Deliberately absent: trust in forwarding headers. Whoever connects through a proxy on this machine is on this machine.

mod book;
mod grant;
mod meter;
mod rights;
#[cfg(test)]
mod tests;
mod token;

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;

use self::{
    book::Book,
    grant::{Bearer, Holder, Known, in_query},
    meter::Meter,
    token::Hash,
};
pub use self::{
    book::{Entry, Wanted, add, list, revoke},
    grant::{Denied, Grant, Peer, Presented},
    meter::Limit,
    rights::{Limits, Rights, Role},
    token::{Id, Token},
};
use crate::{Error, ErrorKind, disk::Disk, store::Store, telemetry::Page};

/// What is known of the file is no older than this when a token that is known comes.
const LOOK_EVERY: Duration = Duration::from_millis(if cfg!(test) { 20 } else { 1_000 });
/// Unknown tokens make it look no more often than this.
const LOOK_PAUSE: Duration = Duration::from_millis(if cfg!(test) { 5 } else { 100 });

/// The tokens of a store that is being served.
#[derive(Debug)]
pub struct Access {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    /// Whether senders without token, where none is needed, may replay.
    replay_without_token: bool,
    began: Instant,
    known: RwLock<Arc<Knowledge>>,
    /// Held while looking, so that one looks and the others wait for what it sees.
    looking: tokio::sync::Mutex<()>,
    /// When the last look began, in nanoseconds since `began`.
    looked_ns: AtomicU64,
    unreadable: AtomicBool,
    denied: Mutex<BTreeMap<&'static str, u64>>,
    #[cfg(test)]
    looks: AtomicU64,
}

/// What the file said.
#[derive(Debug, Default)]
struct Knowledge {
    read: Option<Bytes>,
    sending_needs_token: bool,
    tokens: HashMap<Id, Arc<Known>>,
}

impl Access {
    /// Reads the tokens of a store. `replay_without_token`: whether senders without a token, where none is needed, may
    /// send spans of any time and say when they were first received.
    ///
    /// # Errors
    /// If the file cannot be read: better no service than one that lets in whom it should not.
    pub fn open(store: &Store, replay_without_token: bool) -> Result<Self, Error> {
        Self::on(Arc::clone(store.disk()), book::path_in(store.root()), replay_without_token)
    }

    fn on(disk: Arc<dyn Disk>, path: PathBuf, replay_without_token: bool) -> Result<Self, Error> {
        let known = Knowledge::read(disk.as_ref(), &path, &Knowledge::default())?.unwrap_or_default();
        Ok(Self {
            disk,
            path,
            replay_without_token,
            began: Instant::now(),
            known: RwLock::new(Arc::new(known)),
            looking: tokio::sync::Mutex::default(),
            looked_ns: AtomicU64::new(0),
            unreadable: AtomicBool::new(false),
            denied: Mutex::default(),
            #[cfg(test)]
            looks: AtomicU64::new(0),
        })
    }

    /// What a request may do, or why it may do nothing. To be asked before anything of its body is read, and the grant to
    /// be held until it is answered.
    ///
    /// # Errors
    /// Why not.
    pub async fn grant(self: &Arc<Self>, presented: Presented<'_>) -> Result<Grant, Denied> {
        let granted = self.judge(presented).await;
        if let Err(denied) = &granted {
            // A counter is whole between any two additions.
            let mut counted = self.denied.lock().unwrap_or_else(PoisonError::into_inner);
            *counted.entry(denied.as_str()).or_default() += 1;
        }
        granted
    }

    async fn judge(self: &Arc<Self>, presented: Presented<'_>) -> Result<Grant, Denied> {
        let known = match self.find_now(presented.bearer()).await {
            Found::Nothing => return self.without_token(presented.peer),
            Found::Unknown => return Err(Denied::Unknown),
            Found::Token(known) => known,
        };
        match &known.entry.rights {
            Rights::Send { .. } if matches!(presented.bearer(), Bearer::Query(_)) => return Err(Denied::InQuery),
            Rights::Send { .. } => {}
            Rights::Page { origin, .. } => {
                if presented.origin.is_none_or(|sent| sent.as_bytes() != origin.as_bytes()) {
                    return Err(Denied::OtherOrigin);
                }
            }
            Rights::Read { .. } => return Err(Denied::MayNotSend),
        }
        match known.meter.enter(self.began.elapsed()) {
            Ok(place) => Ok(Grant { holder: Holder::Token { known, _place: place } }),
            Err((limit, retry_after)) => Err(Denied::Limited { limit, retry_after }),
        }
    }

    /// Counts what came with a request against its token's limit.
    pub fn charge(&self, grant: &Grant, spans: u64) {
        if let Some(meter) = grant.meter() {
            meter.charge(spans, self.began.elapsed());
        }
    }

    /// Makes sure that the token in a query is known, if it is one: a preflight may be the first request that has it.
    pub async fn look_for(self: &Arc<Self>, query: Option<&str>) {
        self.find_now(query.and_then(in_query).map_or(Bearer::None, Bearer::Query)).await;
    }

    /// Whether the query holds the token of a page of this origin, as far as is known: what a preflight asks, which is
    /// sent without any other sign of who sends it.
    #[must_use]
    pub fn is_page(&self, query: Option<&str>, origin: &[u8]) -> bool {
        let Some(presented) = query.and_then(in_query) else { return false };
        let Found::Token(known) = self.find(Bearer::Query(presented)) else { return false };
        matches!(&known.entry.rights, Rights::Page { origin: own, .. } if own.as_bytes() == origin)
    }

    /// Writes how often senders were turned away, and by which limit of which token.
    pub(crate) fn write(&self, page: &mut Page) {
        page.counters("gilbreth_requests_denied_total", "Requests that got no grant, by reason.", |lines| {
            let denied = self.denied.lock().unwrap_or_else(PoisonError::into_inner);
            for (reason, count) in denied.iter() {
                lines.line(&[("reason", reason)], *count);
            }
        });
        page.counters("gilbreth_token_limited_total", "Requests beyond a token's limit, by the token's id.", |lines| {
            for (id, limit, count) in self.limits_reached() {
                lines.line(&[("token", id.as_str()), ("limit", limit.as_str())], count);
            }
        });
    }

    /// How often each token in force reached each of its limits, since it was first seen.
    #[must_use]
    pub fn limits_reached(&self) -> Vec<(Id, Limit, u64)> {
        let known = self.known();
        let hits = known.tokens.values().flat_map(|known| {
            [Limit::Spans, Limit::Requests].map(|limit| (known.entry.id.clone(), limit, known.meter.hits(limit)))
        });
        let mut hits: Vec<_> = hits.filter(|(_, _, count)| *count > 0).collect();
        hits.sort();
        hits
    }

    /// Whether the file of tokens could be read when it was last looked at.
    #[must_use]
    pub fn is_readable(&self) -> bool {
        !self.unreadable.load(Ordering::Relaxed)
    }

    fn without_token(&self, peer: Option<Peer>) -> Result<Grant, Denied> {
        if self.known().sending_needs_token {
            return Err(Denied::NoToken);
        }
        if peer.is_some_and(Peer::is_loopback) {
            return Ok(Grant { holder: Holder::Anybody { replay: self.replay_without_token } });
        }
        Err(Denied::NotLoopback)
    }

    async fn find_now(self: &Arc<Self>, bearer: Bearer<'_>) -> Found {
        let came = self.began.elapsed();
        self.look_since(came.saturating_sub(LOOK_EVERY)).await;
        match self.find(bearer) {
            Found::Unknown => {
                // Perhaps it was made a moment ago.
                self.look_since(came).await;
                self.find(bearer)
            }
            found => found,
        }
    }

    fn find(&self, bearer: Bearer<'_>) -> Found {
        let token = match bearer {
            Bearer::None => return Found::Nothing,
            Bearer::Unreadable => return Found::Unknown,
            Bearer::Header(token) | Bearer::Query(token) => token,
        };
        let known = Id::of_presented(token).and_then(|id| self.known().tokens.get(&id).cloned());
        known.filter(|known| known.entry.hash.agrees(&Hash::of(token))).map_or(Found::Unknown, Found::Token)
    }

    fn known(&self) -> Arc<Knowledge> {
        // It is replaced whole.
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns once a look at the file has been taken that began at that time or later.
    async fn look_since(self: &Arc<Self>, since: Duration) {
        let looked = || Duration::from_nanos(self.looked_ns.load(Ordering::Acquire));
        if looked() >= since {
            return;
        }
        let _one = self.looking.lock().await;
        let pause = (looked() + LOOK_PAUSE).saturating_sub(self.began.elapsed());
        if looked() >= since {
            return;
        }
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        let began = u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let access = Arc::clone(self);
        // A disk that hangs holds up no other connection.
        let looked = tokio::task::spawn_blocking(move || access.look()).await;
        let failure = looked.unwrap_or_else(|_| Err(Error::new(ErrorKind::Internal, "a look at the tokens broke off")));
        if let Err(error) = &failure
            && self.is_readable()
        {
            tracing::warn!(%error, "the tokens cannot be read: those known so far hold");
        }
        self.unreadable.store(failure.is_err(), Ordering::Relaxed);
        self.looked_ns.store(began, Ordering::Release);
    }

    fn look(&self) -> Result<(), Error> {
        #[cfg(test)]
        self.looks.fetch_add(1, Ordering::Relaxed);
        if let Some(read) = Knowledge::read(self.disk.as_ref(), &self.path, &self.known())? {
            *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(read);
        }
        Ok(())
    }
}

enum Found {
    /// No token was presented.
    Nothing,
    /// What was presented is none that is in force.
    Unknown,
    Token(Arc<Known>),
}

impl Knowledge {
    /// What the file says now; `None` if it is what is known. The whole file is compared: times of change are too coarse
    /// to tell two changes apart, and reading it takes no longer than a look at its time.
    fn read(disk: &dyn Disk, path: &std::path::Path, known: &Self) -> Result<Option<Self>, Error> {
        let read = book::bytes(disk, path)?;
        if read == known.read {
            return Ok(None);
        }
        let book = read.as_ref().map_or_else(|| Ok(Book::default()), |bytes| Book::parse(bytes, path))?;
        let live = book.tokens.into_iter().filter(Entry::is_live);
        let tokens = live.map(|entry| {
            let before = known.tokens.get(&entry.id).map(|before| &before.meter);
            let meter = before.filter(|meter| meter.limits() == entry.limits);
            let meter = meter.map_or_else(|| Arc::new(Meter::new(entry.limits)), Arc::clone);
            (entry.id.clone(), Arc::new(Known { entry, meter }))
        });
        Ok(Some(Self { tokens: tokens.collect(), sending_needs_token: book.sending_needs_token, read }))
    }
}
