//! Connections of every port: so many, none for ever, none of one sender's in everybody's place, and an end to all of them
//! when it is time.

mod stream;
#[cfg(test)]
mod tests;

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, extract::ConnectInfo, response::Response};
use hyper::{Request, body::Incoming, server::conn, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};
use tower::ServiceExt as _;

use self::stream::Stream;
use super::tls::Tls;
use crate::share::{Rule, Sender, Stock};

/// What connections may take.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// Connections at once on a port, fewer where the system allows fewer open files; those beyond a sender's share are
    /// closed.
    connections_max: usize,
    /// How long a connection may be silent: before TLS is agreed on, before a request's head is whole, between requests.
    silence_max: Duration,
    /// How long an answer may wait for its reader.
    stall_max: Duration,
    /// How long requests under way may take once it is time to end.
    drain_time_max: Duration,
}

const LIMITS: Limits = Limits {
    connections_max: 1_024,
    // Senders export every few seconds, and keep the connection.
    silence_max: Duration::from_secs(75),
    stall_max: Duration::from_secs(30),
    drain_time_max: Duration::from_secs(20),
};
/// Handles that the store, its log and the other ports are left with.
const FILES_MIN: usize = 256;
/// When no connection can be accepted, mostly for want of file handles, the next try is no sooner.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(200);
/// TLS is agreed on in so long, or not at all.
const HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(10);

/// A request's head, and what is read ahead of its body. HTTP/1 closes a connection with a larger head.
const HTTP1_BUFFER_BYTES_MAX: usize = 64 << 10;
/// What a sender may send ahead on one connection of HTTP/2 before it is read: enough for 10 MB/s from 50 ms away.
const HTTP2_WINDOW_BYTES: u32 = 512 << 10;
/// Requests at once on one connection of HTTP/2; SDKs send one, collectors ten.
const HTTP2_STREAMS_MAX: u32 = 32;
/// A request's head over HTTP/2; tokens are the longest of what belongs there.
const HTTP2_HEAD_BYTES_MAX: u32 = 16 << 10;
/// Requests that were taken back before they were looked at, until the connection is closed ("rapid reset").
const HTTP2_RESETS_MAX: usize = 32;
/// An answer is a few hundred bytes.
const HTTP2_ANSWER_BYTES_MAX: usize = 64 << 10;
/// A peer over HTTP/2 that is silent is asked whether it is there, and closed if it does not say so.
const HTTP2_PING_EVERY: Duration = Duration::from_secs(30);

/// What is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// HTTP/1; HTTP/2 as well where TLS agrees on it.
    Http,
    /// HTTP/2 alone.
    Http2,
}

impl Protocol {
    /// What TLS may agree on, the best first.
    pub(super) const fn alpn(self) -> &'static [&'static [u8]] {
        match self {
            Self::Http => &[b"h2", b"http/1.1"],
            Self::Http2 => &[b"h2"],
        }
    }
}

/// Answers requests until `shutdown` resolves and those under way are answered, or have had 20 seconds. The routes find
/// the peer's address as [`ConnectInfo`].
///
/// # Errors
/// None now; a listener that cannot accept is tried again.
pub(super) async fn serve(
    listener: TcpListener,
    protocol: Protocol,
    tls: Option<Arc<Tls>>,
    app: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let connections_max = LIMITS.connections_max.min(connections_allowed());
    within(Limits { connections_max, ..LIMITS }, listener, Talk { protocol, tls, app }, shutdown).await;
    Ok(())
}

/// How many connections each of two ports may have, so that files can be opened still. Where the system does not say how
/// many it allows (it is Linux that says so here), as many as most allow.
fn connections_allowed() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let soft = limits.lines().find_map(|line| line.strip_prefix("Max open files")?.split_whitespace().next());
    let files = soft.and_then(|number| number.parse().ok()).unwrap_or(1_024_usize);
    (files.saturating_sub(FILES_MIN) / 2).max(1)
}

/// What a connection is for.
#[derive(Debug, Clone)]
struct Talk {
    protocol: Protocol,
    tls: Option<Arc<Tls>>,
    app: Router,
}

async fn within(limits: Limits, listener: TcpListener, talk: Talk, shutdown: impl Future<Output = ()> + Send) {
    let places = Stock::new(limits.connections_max, Rule::LeaveAsMuch);
    let (stop, stopped) = watch::channel(false);
    let mut open = JoinSet::new();
    tokio::pin!(shutdown);
    loop {
        while open.try_join_next().is_some() {}
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut shutdown => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                // Closed at once: a sender that has as many open as are left for all others can do without this one.
                let Some(place) = places.take(Sender::at(peer), 1) else { continue };
                let talking = converse(limits, stream, peer, talk.clone(), stopped.clone());
                open.spawn(async move {
                    let _place = place;
                    if let Err(error) = talking.await {
                        tracing::debug!(%error, "a connection broke off");
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "no connection can be accepted");
                tokio::time::sleep(ACCEPT_AGAIN_AFTER).await;
            }
        }
    }
    drop(listener);
    stop.send_replace(true);
    let drained = async { while open.join_next().await.is_some() {} };
    if tokio::time::timeout(limits.drain_time_max, drained).await.is_err() {
        tracing::warn!(connections = open.len(), "requests under way are given up: their senders send again");
    }
}

type Broken = Box<dyn std::error::Error + Send + Sync>;

/// One connection, from its first byte to its last.
async fn converse(
    limits: Limits,
    stream: TcpStream,
    peer: SocketAddr,
    talk: Talk,
    stopped: watch::Receiver<bool>,
) -> Result<(), Broken> {
    let _ = stream.set_nodelay(true);
    let stream = match &talk.tls {
        None => Stream::plain(stream, limits.stall_max),
        Some(tls) => {
            let agreeing = tls.acceptor(talk.protocol).accept(stream);
            let agreed = tokio::time::timeout(HANDSHAKE_TIME_MAX.min(limits.silence_max), agreeing);
            Stream::encrypted(agreed.await??, limits.stall_max)
        }
    };
    let is_http2 = talk.protocol == Protocol::Http2 || stream.agreed_on(b"h2");
    let traffic = Arc::new(Traffic::default());
    let service = {
        let traffic = Arc::clone(&traffic);
        service_fn(move |request| respond(talk.app.clone(), peer, Arc::clone(&traffic), request))
    };
    let io = TokioIo::new(stream);
    if is_http2 {
        let connection = conn::http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .initial_stream_window_size(HTTP2_WINDOW_BYTES)
            .initial_connection_window_size(HTTP2_WINDOW_BYTES)
            .max_concurrent_streams(HTTP2_STREAMS_MAX)
            .max_header_list_size(HTTP2_HEAD_BYTES_MAX)
            .max_pending_accept_reset_streams(HTTP2_RESETS_MAX)
            .max_local_error_reset_streams(HTTP2_RESETS_MAX)
            .max_send_buf_size(HTTP2_ANSWER_BYTES_MAX)
            .keep_alive_interval(HTTP2_PING_EVERY)
            .keep_alive_timeout(limits.stall_max)
            .serve_connection(io, service);
        until_end(limits, connection, conn::http2::Connection::graceful_shutdown, &traffic, stopped).await
    } else {
        let connection = conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.silence_max)
            .max_buf_size(HTTP1_BUFFER_BYTES_MAX)
            .serve_connection(io, service);
        until_end(limits, connection, conn::http1::Connection::graceful_shutdown, &traffic, stopped).await
    }
}

/// Drives a connection until its peer ends it, has been silent for too long, or it is time to end.
async fn until_end<C: Future<Output = hyper::Result<()>>>(
    limits: Limits,
    connection: C,
    finish: impl FnOnce(Pin<&mut C>),
    traffic: &Traffic,
    mut stopped: watch::Receiver<bool>,
) -> Result<(), Broken> {
    tokio::pin!(connection);
    // What `wait_for` gives is a lock, and not to be held while the connection ends.
    let told = async { drop(stopped.wait_for(|stop| *stop).await) };
    let is_silent = tokio::select! {
        ended = connection.as_mut() => return ended.map_err(Into::into),
        () = told => false,
        () = traffic.silent_for(limits.silence_max) => true,
    };
    finish(connection.as_mut());
    if is_silent {
        // Only a request that came at the last moment is under way; whoever reads no farewell is left.
        return Ok(tokio::time::timeout(limits.drain_time_max, connection).await??);
    }
    Ok(connection.await?)
}

/// What goes on on a connection.
#[derive(Debug, Default)]
struct Traffic {
    began: AtomicUsize,
    ended: AtomicUsize,
}

impl Traffic {
    /// Resolves when no request was begun or under way for so long, and at most twice as long.
    async fn silent_for(&self, silence_max: Duration) {
        let mut before = None;
        loop {
            let now = (self.began.load(Ordering::Relaxed), self.ended.load(Ordering::Relaxed));
            if before == Some(now) && now.0 == now.1 {
                return;
            }
            before = Some(now);
            tokio::time::sleep(silence_max).await;
        }
    }
}

async fn respond(
    app: Router,
    peer: SocketAddr,
    traffic: Arc<Traffic>,
    mut request: Request<Incoming>,
) -> Result<Response, Infallible> {
    struct UnderWay(Arc<Traffic>);
    impl Drop for UnderWay {
        fn drop(&mut self) {
            self.0.ended.fetch_add(1, Ordering::Relaxed);
        }
    }
    traffic.began.fetch_add(1, Ordering::Relaxed);
    let _under_way = UnderWay(traffic);
    request.extensions_mut().insert(ConnectInfo(peer));
    app.oneshot(request.map(axum::body::Body::new)).await
}
