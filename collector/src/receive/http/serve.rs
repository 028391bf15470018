//! Connections: so many, none for ever, and an end to all of them when it is time.

use std::{io, sync::Arc, time::Duration};

use axum::Router;
use hyper::{
    Request,
    body::Incoming,
    server::conn::http1,
    service::{Service as _, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinSet,
};

use super::{State, router};
use crate::access::Peer;

/// What connections may take.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// Connections at once; further ones wait to be accepted.
    connections_max: usize,
    /// How long a connection may be silent before a request's head is whole.
    head_time_max: Duration,
    /// How long requests under way may take once it is time to end.
    drain_time_max: Duration,
}

const LIMITS: Limits = Limits {
    connections_max: 1_024,
    // Senders export every few seconds, and keep the connection.
    head_time_max: Duration::from_secs(75),
    drain_time_max: Duration::from_secs(20),
};
/// When no connection can be accepted, mostly for want of file handles, the next try is no sooner.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(200);

/// Answers requests until `shutdown` resolves and those under way are answered, or have had 20 seconds.
///
/// # Errors
/// None now; a listener that cannot accept is tried again.
pub async fn serve(
    listener: TcpListener,
    state: State,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    within(LIMITS, listener, router(state), shutdown).await;
    Ok(())
}

async fn within(limits: Limits, listener: TcpListener, app: Router, shutdown: impl Future<Output = ()> + Send) {
    let places = Arc::new(Semaphore::new(limits.connections_max));
    let (stop, stopped) = watch::channel(false);
    let mut open = JoinSet::new();
    tokio::pin!(shutdown);
    loop {
        while open.try_join_next().is_some() {}
        let accepting = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (listener.accept().await, place)
        };
        let (accepted, place) = tokio::select! {
            accepted = accepting => accepted,
            () = &mut shutdown => break,
        };
        match accepted {
            Ok((stream, from)) => {
                let answering = answer(limits, stream, Peer(from.ip()), app.clone(), stopped.clone());
                open.spawn(async move {
                    let _place = place;
                    answering.await;
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

async fn answer(limits: Limits, stream: TcpStream, peer: Peer, app: Router, mut stopped: watch::Receiver<bool>) {
    let _ = stream.set_nodelay(true);
    let app = TowerToHyperService::new(app);
    let app = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        app.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_time_max)
        .serve_connection(TokioIo::new(stream), app);
    tokio::pin!(connection);
    // What `wait_for` gives is a lock, and not to be held while the connection ends.
    let told = async { drop(stopped.wait_for(|stop| *stop).await) };
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = told => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::{get, post};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    const TEST: Limits = Limits {
        connections_max: 1,
        head_time_max: Duration::from_millis(50),
        drain_time_max: Duration::from_millis(50),
    };

    async fn served() -> (std::net::SocketAddr, watch::Sender<bool>, tokio::task::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let to = listener.local_addr().unwrap();
        let (stop, mut stopped) = watch::channel(false);
        let app =
            Router::new().route("/", get(|| async { "here" })).route("/body", post(|body: String| async { body }));
        let shutdown = async move { drop(stopped.wait_for(|stop| *stop).await) };
        (to, stop, tokio::spawn(within(TEST, listener, app, shutdown)))
    }

    #[tokio::test]
    async fn a_silent_connection_gives_its_place_to_the_next() {
        let (to, stop, serving) = served().await;
        let mut silent = TcpStream::connect(to).await.unwrap();
        silent.write_all(b"GET / HTTP/1.1\r\nhost: ").await.unwrap();
        let mut next = TcpStream::connect(to).await.unwrap();
        next.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        next.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("here"), "{answer}");
        stop.send_replace(true);
        serving.await.unwrap();
    }

    #[tokio::test]
    async fn a_request_that_never_ends_does_not_hold_up_the_end() {
        let (to, stop, serving) = served().await;
        let mut endless = TcpStream::connect(to).await.unwrap();
        endless.write_all(b"POST /body HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nhalf").await.unwrap();
        tokio::time::sleep(Duration::from_millis(10)).await;
        stop.send_replace(true);
        tokio::time::timeout(Duration::from_secs(60), serving).await.expect("it ends").unwrap();
        assert!(TcpStream::connect(to).await.is_err(), "nothing is accepted any more");
    }
}
