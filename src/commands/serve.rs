//! `gilbreth serve`: the service, until SIGTERM or Ctrl-C.

use std::{process::ExitCode, time::Duration};

use gilbreth_collector::store::Store;
use tokio::time::MissedTickBehavior;

use crate::{
    cli,
    config::Config,
    service::{self, Ports, ReplayRight, Service},
};

pub(crate) async fn run(options: cli::Serve) -> anyhow::Result<ExitCode> {
    let asked = service::asked_to_stop()?;
    let config = Config::load(options.config.as_deref())?;
    let store = Store::open_or_create(&options.store, config.manifest())?;
    let ports = Ports { otlp_http: options.otlp_http, otlp_grpc: options.otlp_grpc, web: options.web };
    let service = Service::start(&store, &config, ports, ReplayRight::AsConfigured).await?;
    let Ports { otlp_http, otlp_grpc, web } = service.ports;
    eprintln!("store      {}", options.store.display());
    eprintln!("OTLP/HTTP  {}://{otlp_http}", service.otlp_scheme);
    eprintln!("OTLP/gRPC  {}://{otlp_grpc}", service.otlp_scheme);
    eprintln!("dashboards http://{web}/");

    // A refresh that is under way when it is time to end is given up: readers see the facts as they were, and the next
    // refresh works out everything.
    tokio::select! {
        () = asked => {}
        () = keep_fresh(&service, store.latest_version()?.is_some(), &config) => {}
        () = keep_tidy(&service, &config) => {}
    }
    eprintln!("draining");
    service.stop().await?;
    Ok(ExitCode::SUCCESS)
}

/// Shows what was worked out before while it is brought up to date, then brings it up to date again and again.
pub(super) async fn keep_fresh(service: &Service, is_there: bool, config: &Config) {
    if is_there && let Err(error) = service.show().await {
        tracing::warn!(error = format!("{error:#}"), "the facts of before cannot be shown");
    }
    let mut every = tokio::time::interval(Duration::from_secs(config.serve.refresh_every_s.max(1)));
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        refresh(service).await;
    }
}

/// Merges small files again and again, and now and then removes what is needed no more. What fails is said and tried again
/// at the next turn; work that is under way when it is time to end is given up, and leaves the tables as they were.
async fn keep_tidy(service: &Service, config: &Config) {
    let turns = |seconds: u64| {
        let every = Duration::from_secs(seconds);
        let mut turns = tokio::time::interval_at(tokio::time::Instant::now() + every, every);
        turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
        turns
    };
    let (mut merges, mut sweeps) = (turns(config.upkeep.every_s), turns(config.upkeep.vacuum_every_s));
    loop {
        let (what, done) = tokio::select! {
            _ = merges.tick() => ("merge", service.merge().await),
            _ = sweeps.tick() => ("sweep", service.sweep().await),
        };
        if let Err(error) = done {
            tracing::warn!(what, error = format!("{error:#}"), "the store could not be tidied");
        }
    }
}

/// A refresh that fails is said and tried again at the next turn: receiving goes on.
async fn refresh(service: &Service) {
    let refreshed = async {
        service.refresh().await?;
        service.show().await
    };
    if let Err(error) = refreshed.await {
        tracing::warn!(error = format!("{error:#}"), "the facts could not be refreshed");
    }
}
