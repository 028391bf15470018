//! Small real case systems to prove the browser agent on: web applications as they were and are built, each with a search,
//! several forms, validation, saves that are slow or fail, and sessions that time out.
//!
//! ```text
//! System ─▶ host (what all have: Records, Sessions, spans) ─▶ one way of building pages each ─▶ a port
//!   ndelius  pages   made by the server, laid out by tables, generated ids
//!   oasys    single  one page, its views made by a script, JSON behind it
//!   cas      parts   web components with shadow roots, XMLHttpRequest
//!   crc-a    frames  a frameset and windows that pop up
//! desk ─▶ a page that says where they are, and lets sessions time out
//! ```
//! Their pages carry one line for the agent, and nothing else of the platform: two of them say in attributes what they are,
//! two are named by rules ([`System::rules`]). Their servers say what they do by `tracing`, as OTLP to the same collector.
//!
//! Invariants: they listen where they are told and nowhere else; what is typed is kept in memory alone, within bounds; any
//! name and password sign in, since there is nothing to protect.

mod desk;
mod forms;
mod frames;
mod host;
mod pages;
mod parts;
mod records;
mod sessions;
mod single;
mod system;
mod telemetry;

use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::Router;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

pub use system::System;

use host::Host;

/// Where they listen, before they do anything: who sends from a page is known by its address.
#[derive(Debug)]
pub struct Ports {
    desk: TcpListener,
    systems: Vec<(System, TcpListener)>,
}

/// How they are started.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where their pages get the agent and it sends to, as a URL: OTLP over HTTP.
    pub collector: String,
    /// With which token the pages of each send; none where the collector asks for none.
    pub page_tokens: BTreeMap<System, String>,
    /// Where their servers send, as a URL: OTLP over gRPC.
    pub traces: String,
    /// With which token.
    pub server_token: Option<String>,
    /// Where the dashboards are, as a URL that ends in a slash: the desk's page leads there.
    pub dashboards: String,
    /// How often their figures are made anew: the desk's page says so.
    pub refreshed_every: Duration,
    /// How long a session lasts without a request.
    pub session: Duration,
}

/// The running case systems.
#[derive(Debug)]
pub struct CaseSystems {
    stop: watch::Sender<bool>,
    serving: Vec<JoinHandle<io::Result<()>>>,
    telemetry: Vec<telemetry::Telemetry>,
}

impl Ports {
    /// Takes a free port for each, and for the desk.
    ///
    /// # Errors
    /// Where they cannot listen at that address.
    pub async fn bind(address: IpAddr) -> io::Result<Self> {
        let free = SocketAddr::new(address, 0);
        let mut systems = Vec::new();
        for system in System::ALL {
            systems.push((system, TcpListener::bind(free).await?));
        }
        Ok(Self { desk: TcpListener::bind(free).await?, systems })
    }

    /// The page where a visitor begins, as a URL.
    ///
    /// # Errors
    /// Where the system cannot say which port it gave.
    pub fn desk(&self) -> io::Result<String> {
        Ok(format!("http://{}", self.desk.local_addr()?))
    }

    /// Each system with the origin of its pages, as browsers write it.
    ///
    /// # Errors
    /// Where the system cannot say which port it gave.
    pub fn origins(&self) -> io::Result<Vec<(System, String)>> {
        let origin =
            |(system, listener): &(System, TcpListener)| Ok((*system, format!("http://{}", listener.local_addr()?)));
        self.systems.iter().map(origin).collect()
    }
}

/// Starts them.
///
/// # Errors
/// Where what sends their spans cannot be made.
pub fn start(ports: Ports, options: &Options) -> io::Result<CaseSystems> {
    let (stop, stopped) = watch::channel(false);
    let mut running = CaseSystems { stop, serving: Vec::new(), telemetry: Vec::new() };
    let mut hosts = Vec::new();
    for ((system, origin), (_, listener)) in ports.origins()?.into_iter().zip(ports.systems) {
        let host = Arc::new(Host::new(system, options));
        let router = match system {
            System::Ndelius => pages::router(),
            System::Oasys => single::router(),
            System::Cas => parts::router(),
            System::Crc => frames::router(),
        };
        let telemetry = telemetry::Telemetry::start(system, options)?;
        let router = telemetry.traced(router.with_state(Arc::clone(&host)));
        running.telemetry.push(telemetry);
        running.serve(listener, router, stopped.clone());
        hosts.push((host, origin));
    }
    running.serve(ports.desk, desk::router(hosts, options), stopped);
    Ok(running)
}

impl CaseSystems {
    fn serve(&mut self, listener: TcpListener, router: Router, mut stopped: watch::Receiver<bool>) {
        self.serving.push(tokio::spawn(async move {
            tokio::select! {
                ended = axum::serve(listener, router).into_future() => ended,
                _ = stopped.wait_for(|stop| *stop) => Ok(()),
            }
        }));
    }

    /// Stops them and sends what is left of their spans. Requests under way end without an answer.
    ///
    /// # Errors
    /// What one of them ended with.
    pub async fn stop(self) -> io::Result<()> {
        self.stop.send_replace(true);
        for serving in self.serving {
            serving.await??;
        }
        for telemetry in self.telemetry {
            // The exporter waits for its answers.
            tokio::task::spawn_blocking(move || telemetry.stop()).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
