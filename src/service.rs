//! The running platform: collector, refresh of facts and dashboards around one store. `serve` runs it until it is told
//! to stop, `demo` runs it around a simulation.
//!
//! ```text
//! OTLP/HTTP, OTLP/gRPC ─▶ receive ─▶ gate ─▶ pipeline ─▶ spans
//!                                                          │ refresh
//!                                    dashboards ◀─ findings ◀┘
//! ```
//! Receiving has threads of its own, and so have commits ([`Threads`]): a query, a merge or a refresh keeps its threads busy
//! for seconds, and neither an export may stand behind it, nor what makes room for exports.

use std::{
    net::SocketAddr,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use gilbreth_analytics::{
    findings::Findings,
    reference::{self, Loaded},
    refresh::Refreshed,
    scope::Scope,
    session::Session,
};
use gilbreth_collector::{
    Error,
    access::Access,
    agent::Rulebook,
    config::Retention,
    gate,
    key::StoreKey,
    pipeline::{Pipeline, upkeep},
    receive::{Receiver, grpc, http, tls::Tls},
    store::{Store, Writer},
    telemetry::untraced,
};
use tokio::{
    net::TcpListener,
    runtime::{self, Runtime},
    signal::unix::{SignalKind, signal},
    sync::watch,
    task::JoinHandle,
};
use tracing::Instrument as _;

use crate::{config::Config, tidy};

/// How long pages under way may take once everything else has ended.
const PAGES_TIME_MAX: Duration = Duration::from_secs(5);

/// Which senders without a token may say when an export was received (see `casework.clock.received`); with a token, it
/// says so itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReplayRight {
    /// As the configuration says.
    AsConfigured,
    /// Every sender: the demo's own simulation.
    Everybody,
}

/// Where the service listens; port 0 is any that is free.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ports {
    /// OTLP over HTTP.
    pub(crate) otlp_http: SocketAddr,
    /// OTLP over gRPC.
    pub(crate) otlp_grpc: SocketAddr,
    /// The dashboards.
    pub(crate) web: SocketAddr,
}

/// Threads that do one kind of work and nothing else.
#[derive(Debug)]
struct Threads(Option<Runtime>);

impl Threads {
    fn start(name: &str) -> anyhow::Result<Self> {
        let runtime = runtime::Builder::new_multi_thread().thread_name(name).enable_all().build();
        Ok(Self(Some(runtime.with_context(|| format!("there are no threads to {name} with"))?)))
    }

    /// Starts work on them.
    fn spawn<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        self.0.as_ref().expect("they end when this is dropped").spawn(work)
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // To wait for them is not possible from within another runtime; who wants to, waits for what it spawned.
            runtime.shutdown_background();
        }
    }
}

/// The running platform.
#[derive(Debug)]
pub(crate) struct Service {
    /// Where it listens.
    pub(crate) ports: Ports,
    /// How URLs of the OTLP ports begin: `http`, or `https` where they speak TLS.
    pub(crate) otlp_scheme: &'static str,
    config: Config,
    writer: Arc<Writer>,
    pipeline: Pipeline,
    /// Held by whoever reads spans to make facts, and by whoever takes files away from under him.
    facts: tokio::sync::Mutex<()>,
    findings: watch::Sender<Arc<Findings>>,
    stop_otlp: watch::Sender<bool>,
    stop_web: watch::Sender<bool>,
    otlp_tasks: [JoinHandle<std::io::Result<()>>; 2],
    _threads: [Threads; 2],
    web_task: JoinHandle<std::io::Result<()>>,
}

impl Service {
    /// Binds the ports, takes the lock of the store, replays its log and begins to take work.
    pub(crate) async fn start(
        store: &Store,
        config: &Config,
        ports: Ports,
        replay: ReplayRight,
    ) -> anyhow::Result<Self> {
        let (receiving, committing) = (Threads::start("receive")?, Threads::start("commit")?);
        let http_listener = receiving.spawn(listen("OTLP/HTTP", ports.otlp_http)).await??;
        let grpc_listener = receiving.spawn(listen("OTLP/gRPC", ports.otlp_grpc)).await??;
        let web_listener = listen("dashboards", ports.web).await?;
        let tls = Tls::load(&config.collector.tls)?;
        let rules = Rulebook::load(&config.collector)?;
        let writer = Arc::new(store.lock()?);
        let starting = Pipeline::start(Arc::clone(&writer), config.collector.pipeline());
        let pipeline = committing.spawn(starting).await??;
        let policy = gate::Policy::new(&StoreKey::of(&writer)?, &config.collector);
        let access = Access::open(store, replay == ReplayRight::Everybody || config.collector.replay)?;
        let receiver = Receiver::new(policy, access, pipeline.clone(), rules, &config.collector);
        let ports = Ports {
            otlp_http: http_listener.local_addr()?,
            otlp_grpc: grpc_listener.local_addr()?,
            web: web_listener.local_addr()?,
        };
        let otlp_scheme = if tls.is_some() { "https" } else { "http" };

        let (asked, counted) = (receiver.clone(), receiver.clone());
        let probes = gilbreth_dashboards::Probes {
            why_not_ready: Arc::new(move || asked.why_not_ready()),
            metrics: Arc::new(move || counted.metrics()),
        };
        let (stop_otlp, otlp_stopped) = watch::channel(false);
        let otlp_tasks = [
            receiving.spawn(http::serve(http_listener, receiver.clone(), tls.clone(), stopped(otlp_stopped.clone()))),
            receiving.spawn(grpc::serve(grpc_listener, receiver, tls, stopped(otlp_stopped))),
        ];
        let (findings, shown) =
            watch::channel(Arc::new(Findings { estate: store.manifest().estate.clone(), ..Findings::default() }));
        let (stop_web, web_stopped) = watch::channel(false);
        let pages = gilbreth_dashboards::router(shown, probes);
        let web_task = tokio::spawn(gilbreth_dashboards::serve(web_listener, pages, stopped(web_stopped)));
        Ok(Self {
            ports,
            otlp_scheme,
            config: config.clone(),
            writer,
            pipeline,
            facts: tokio::sync::Mutex::default(),
            findings,
            stop_otlp,
            stop_web,
            otlp_tasks,
            _threads: [receiving, committing],
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
        let measured = self.pipeline.telemetry();
        let began = Instant::now();
        let refresh = gilbreth_analytics::refresh::run(&self.writer, &self.config.measurement, false);
        // What finds only spans of our own, or none, leaves no span.
        let refreshed = if measured.others.since_refresh() { refresh.await } else { untraced(refresh).await };
        measured.refreshed(began.elapsed(), refreshed.is_ok());
        Ok(refreshed?)
    }

    /// Merges small files as they are due.
    pub(crate) async fn merge(&self) -> anyhow::Result<()> {
        let is_traced = self.pipeline.telemetry().others.since_compaction();
        self.tidying(is_traced, upkeep::merge(&self.writer, &tidy::tables(), tidy::now_us())).await?;
        Ok(())
    }

    /// Removes what has expired, with the facts made from it, and what no kept version needs.
    pub(crate) async fn sweep(&self) -> anyhow::Result<()> {
        let alone = self.facts.lock().await;
        if self.config.retention != Retention::default() {
            self.pipeline.turn_log().await?;
        }
        let is_traced = self.pipeline.telemetry().others.since_compaction();
        let has_expired = self.tidying(is_traced, tidy::expire(&self.writer, &self.config)).await?;
        if has_expired {
            self.refresh_alone().await?;
        }
        self.tidying(is_traced, tidy::vacuum(&self.writer, &self.config)).await?;
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

    /// Work on the files of tables, measured, and with a span of its own if anybody but ourselves sent something since.
    async fn tidying<T>(&self, is_traced: bool, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let began = Instant::now();
        let done = if is_traced { work.instrument(tracing::info_span!("compact")).await } else { untraced(work).await };
        if done.is_ok() {
            self.pipeline.telemetry().compacted(began.elapsed());
        }
        done
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
        for task in self.otlp_tasks {
            task.await??;
        }
        self.pipeline.shutdown().await?;
        let web = self.web_task.abort_handle();
        match tokio::time::timeout(PAGES_TIME_MAX, self.web_task).await {
            Ok(ended) => ended??,
            Err(_) => web.abort(),
        }
        Ok(())
    }
}

async fn listen(what: &'static str, address: SocketAddr) -> anyhow::Result<TcpListener> {
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
