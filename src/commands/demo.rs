//! `gilbreth demo`: the main job, start to finish.

use std::{fs, path::Path, process::ExitCode, time::Instant};

use anyhow::{Context as _, bail};
use gilbreth_collector::store::Store;

use crate::{
    cli,
    commands::{live, simulate},
    config::Config,
    output,
    progress::Step,
    service::{self, Ports, ReplayRight, Service},
    summary,
};

/// Marks a folder as a demo's, which the next demo may replace.
const MARK: &str = ".gilbreth-demo";

pub(crate) async fn run(options: cli::Demo) -> anyhow::Result<ExitCode> {
    if options.live {
        return Box::pin(live::run(&options)).await;
    }
    let began = Instant::now();
    clear(&options.out)?;
    let mut config = Config::load(None)?;
    config.store.estate = "simulated probation estate".to_owned();
    // Its sender is this process.
    config.collector.tls = gilbreth_collector::receive::tls::Config::default();
    let store = Store::open_or_create(&options.out.join("store"), config.manifest())?;
    let any = "127.0.0.1:0".parse().expect("the address is constant");
    let ports = Ports { otlp_http: any, otlp_grpc: any, web: options.web };
    let service = Service::start(&store, &config, ports, ReplayRight::Everybody).await?;

    let estate = cli::Estate { ..options.estate.clone() };
    let title = format!("{} people, {} weeks, over OTLP", estate.staff, estate.weeks);
    let page_key = config.collector.page_key.clone();
    let plan = simulate::Plan {
        estate,
        scenario: cli::Scenario::Clean,
        effects: true,
        logins_apart: false,
        truth: None,
        reference: Some(options.out.join("reference")),
        page_key,
    };
    simulate::send(plan, &format!("http://{}", service.ports.otlp_http), None, &title).await?;

    let step = Step::begin("reference data", 0);
    let loaded = service.load_reference(&options.out.join("reference")).await?;
    let tables: Vec<&str> = loaded.iter().map(|loaded| loaded.table).collect();
    step.done(&tables.join(", "));

    let step = Step::begin("facts", 0);
    let refreshed = service.refresh().await?;
    step.done(&refreshed.to_string());

    // The pages show it from here on.
    let step = Step::begin("report", 0);
    let findings = service.show().await?;
    let report = options.out.join("report");
    gilbreth_dashboards::report::write(&report, &findings)?;
    step.done(&report.join("report.html").display().to_string());

    let said = summary::of(&findings);
    output::print(&format!("{said}\nThe estate is simulated: these figures show the method, not real staff.\n"))?;
    eprintln!("\nall of it                            {:.0} s", began.elapsed().as_secs_f64());
    if options.no_serve {
        service.stop().await?;
        return Ok(ExitCode::SUCCESS);
    }
    let asked = service::asked_to_stop()?;
    eprintln!("dashboards                           http://{}/  (Ctrl-C ends)", service.ports.web);
    asked.await;
    service.stop().await?;
    Ok(ExitCode::SUCCESS)
}

/// Makes the folder, or empties it if an earlier demo made it; anything else in the way is left alone.
pub(super) fn clear(out: &Path) -> anyhow::Result<()> {
    let context = || format!("cannot prepare the folder {}", out.display());
    if out.exists() {
        let empty = fs::read_dir(out).with_context(context)?.next().is_none();
        if !empty && !out.join(MARK).exists() {
            bail!("{} is not empty and was not made by a demo: choose another folder with --out", out.display());
        }
        // One that is being served, or written by another demo, stays: the lock says by whom.
        let store = out.join("store");
        let held = if store.join("store.toml").exists() { Some(Store::open(&store)?.lock()?) } else { None };
        for made in ["store", "report", "reference", "rules"] {
            if out.join(made).exists() {
                fs::remove_dir_all(out.join(made)).with_context(context)?;
            }
        }
        let key = out.join("store.key");
        if key.exists() {
            fs::remove_file(key).with_context(context)?;
        }
        drop(held);
    }
    fs::create_dir_all(out).with_context(context)?;
    fs::write(out.join(MARK), "a demo; the next demo into this folder replaces it\n").with_context(context)
}
