//! The running platform: collector, refresh of facts and dashboards around one store. `serve` runs it until it is told
//! to stop, `demo` runs it around a simulation.
//!
//! ```text
//! OTLP/HTTP ─▶ receive ─▶ gate ─▶ pipeline ─▶ spans
//!                                               │ refresh
//!                         dashboards ◀─ findings ◀┘
//! ```

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use anyhow::Context as _;
use gilbreth_analytics::{
    findings::Findings,
    reference::{self, Loaded},
    refresh::Refreshed,
    scope::Scope,
    session::Session,
};
use gilbreth_collector::{
    config::Retention,
    gate,
    key::StoreKey,
    pipeline::{Pipeline, upkeep},
    receive::http,
    store::{Store, Writer},
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::watch,
    task::JoinHandle,
};

use crate::{config::Config, tidy};

/// How long pages under way may take once everything else has ended.
const PAGES_TIME_MAX: Duration = Duration::from_secs(5);

/// Who may say when an export was received: see `casework.clock.received`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReplayRight {
    /// As the configuration says.
    AsConfigured,
    /// Every sender: the demo's own simulation.
    Everybody,
}

/// The running platform.
#[derive(Debug)]
pub(crate) struct Service {
    /// Where OTLP over HTTP is taken.
    pub(crate) otlp: SocketAddr,
    /// Where the dashboards are.
    pub(crate) web: SocketAddr,
    config: Config,
    writer: Arc<Writer>,
    pipeline: Pipeline,
    /// Held by whoever reads spans to make facts, and by whoever takes files away from under him.
    facts: tokio::sync::Mutex<()>,
    findings: watch::Sender<Arc<Findings>>,
    stop_otlp: watch::Sender<bool>,
    stop_web: watch::Sender<bool>,
    otlp_task: JoinHandle<std::io::Result<()>>,
    web_task: JoinHandle<std::io::Result<()>>,
}

impl Service {
    /// Binds both ports, takes the lock of the store, replays its log and begins to take work.
    pub(crate) async fn start(
        store: &Store,
        config: &Config,
        otlp: SocketAddr,
        web: SocketAddr,
        replay: ReplayRight,
    ) -> anyhow::Result<Self> {
        let otlp_listener = listen("OTLP/HTTP", otlp).await?;
        let web_listener = listen("dashboards", web).await?;
        let writer = Arc::new(store.lock()?);
        let pipeline = Pipeline::start(Arc::clone(&writer), config.collector.pipeline()).await?;
        let mut policy = gate::Policy::new(&StoreKey::of(&writer)?, &config.collector);
        if replay == ReplayRight::Everybody {
            policy.allow_replay();
        }
        let state = http::State::new(policy, pipeline.clone(), &config.collector);
        let (otlp, web) = (otlp_listener.local_addr()?, web_listener.local_addr()?);

        let (asked, counted) = (state.clone(), state.clone());
        let probes = gilbreth_dashboards::Probes {
            is_ready: Arc::new(move || asked.is_ready()),
            metrics: Arc::new(move || counted.metrics()),
        };
        let (stop_otlp, otlp_stopped) = watch::channel(false);
        let otlp_task = tokio::spawn(http::serve(otlp_listener, state, stopped(otlp_stopped)));
        let (findings, shown) =
            watch::channel(Arc::new(Findings { estate: store.manifest().estate.clone(), ..Findings::default() }));
        let (stop_web, web_stopped) = watch::channel(false);
        let pages = gilbreth_dashboards::router(shown, probes);
        let web_task = tokio::spawn(gilbreth_dashboards::serve(web_listener, pages, stopped(web_stopped)));
        Ok(Self {
            otlp,
            web,
            config: config.clone(),
            writer,
            pipeline,
            facts: tokio::sync::Mutex::default(),
            findings,
            stop_otlp,
            stop_web,
            otlp_task,
            web_task,
        })
    }

    /// Loads every file of reference data in a folder, each named as its table. They hold from the next refresh.
    pub(crate) async fn load_reference(&self, folder: &Path) -> anyhow::Result<Vec<Loaded>> {
        let mut files = Vec::new();
        for name in reference::names() {
            let named = ["csv", "toml"].map(|end| folder.join(name).with_extension(end));
            files.extend(named.into_iter().find(|file| file.exists()).map(|file| (name, file)));
        }
        let files: Vec<(&str, &Path)> = files.iter().map(|(name, file)| (*name, file.as_path())).collect();
        let checked = reference::read(&files)?;
        Ok(reference::store(&self.writer, &StoreKey::of(&self.writer)?, &checked).await?)
    }

    /// Commits what is in the log, brings the facts up to date, and shows them.
    pub(crate) async fn refresh(&self) -> anyhow::Result<Refreshed> {
        let _alone = self.facts.lock().await;
        self.refresh_alone().await
    }

    async fn refresh_alone(&self) -> anyhow::Result<Refreshed> {
        self.pipeline.commit_now().await?;
        let refreshed = gilbreth_analytics::refresh::run(&self.writer, &self.config.measurement, false).await?;
        Ok(refreshed)
    }

    /// Merges small files as they are due.
    pub(crate) async fn merge(&self) -> anyhow::Result<()> {
        upkeep::merge(&self.writer, &tidy::tables(), tidy::now_us()).await?;
        Ok(())
    }

    /// Removes what has expired, with the facts made from it, and what no kept version needs.
    pub(crate) async fn sweep(&self) -> anyhow::Result<()> {
        let alone = self.facts.lock().await;
        if self.config.retention != Retention::default() {
            self.pipeline.turn_log().await?;
        }
        let has_expired = tidy::expire(&self.writer, &self.config).await?;
        if has_expired {
            self.refresh_alone().await?;
        }
        tidy::vacuum(&self.writer, &self.config).await?;
        drop(alone);
        let left = tidy::leftovers(&self.writer, &self.config).await?;
        if let Some(first) = left.first() {
            tracing::warn!(files = left.len(), first = %first.display(), "rows that have expired are still there");
        }
        if has_expired {
            self.show().await?;
        }
        Ok(())
    }

    /// Reads the answers from the facts as they stand and shows them on the pages.
    pub(crate) async fn show(&self) -> anyhow::Result<Arc<Findings>> {
        let session =
            Session::open(self.writer.store(), &Scope::default(), &self.config.measurement, Vec::new()).await?;
        let findings = Arc::new(gilbreth_analytics::findings::gather(&session).await?);
        self.findings.send_replace(Arc::clone(&findings));
        Ok(findings)
    }

    /// Takes no more requests, answers those under way, commits everything and gives the lock back. However slow a sender
    /// or a reader is, it ends.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.stop_otlp.send_replace(true);
        self.stop_web.send_replace(true);
        self.otlp_task.await??;
        self.pipeline.shutdown().await?;
        let web = self.web_task.abort_handle();
        match tokio::time::timeout(PAGES_TIME_MAX, self.web_task).await {
            Ok(ended) => ended??,
            Err(_) => web.abort(),
        }
        Ok(())
    }
}

async fn listen(what: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| match address.port() {
        0 => format!("{what} cannot listen on {address}"),
        port => format!("{what} cannot listen on {address}: is port {port} in use? choose another address"),
    })
}

async fn stopped(mut signal: watch::Receiver<bool>) {
    let _ = signal.wait_for(|stop| *stop).await;
}

/// Listens for SIGTERM and Ctrl-C from now on; the future resolves at the first of them.
pub(crate) fn asked_to_stop() -> std::io::Result<impl Future<Output = ()>> {
    let mut term = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
