//! Who is signed in.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use axum::http::{HeaderMap, HeaderValue, header};
use rand::RngExt as _;

use super::system::System;

/// Most sessions at once; the one without a request for the longest time goes first.
const SESSIONS_MAX: usize = 200;
/// Most characters of a worker's name.
const WORKER_CHARS_MAX: usize = 40;

/// The sessions of one system, by the value of its cookie.
#[derive(Debug)]
pub(super) struct Sessions {
    cookie: String,
    lasts: Duration,
    open: Mutex<HashMap<String, Session>>,
}

#[derive(Debug)]
struct Session {
    worker: String,
    seen: Instant,
}

impl Sessions {
    pub(super) fn new(system: System, lasts: Duration) -> Self {
        // Ports of one host share their cookies.
        Self { cookie: format!("{}-session", system.name()), lasts, open: Mutex::default() }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Signs in; returns what the browser is to keep.
    pub(super) fn begin(&self, worker: &str) -> HeaderValue {
        let id = format!("{:032x}", rand::rng().random::<u128>());
        let mut open = self.open();
        if open.len() >= SESSIONS_MAX {
            let oldest = open.iter().min_by_key(|(_, session)| session.seen).map(|(id, _)| id.clone());
            oldest.and_then(|oldest| open.remove(&oldest));
        }
        let worker = worker.trim().chars().take(WORKER_CHARS_MAX).collect();
        open.insert(id.clone(), Session { worker, seen: Instant::now() });
        let cookie = format!("{}={id}; Path=/; HttpOnly; SameSite=Lax", self.cookie);
        HeaderValue::from_str(&cookie).expect("hexadecimal digits and a constant name")
    }

    /// Who sent a request; nobody if there was no sign-in, or the last request was too long ago.
    pub(super) fn worker(&self, headers: &HeaderMap) -> Option<String> {
        let id = self.id(headers)?;
        let mut open = self.open();
        let session = open.get_mut(id)?;
        if session.seen.elapsed() > self.lasts {
            open.remove(id);
            return None;
        }
        session.seen = Instant::now();
        Some(session.worker.clone())
    }

    /// Signs out.
    pub(super) fn end(&self, headers: &HeaderMap) {
        if let Some(id) = self.id(headers) {
            self.open().remove(id);
        }
    }

    /// Ends every session as if no request had come for too long; returns how many there were.
    pub(super) fn time_out(&self) -> usize {
        std::mem::take(&mut *self.open()).len()
    }

    fn id<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
        cookies
            .flat_map(|line| line.split(';'))
            .find_map(|one| one.trim().strip_prefix(&self.cookie)?.strip_prefix('='))
    }
}
