//! `gilbreth demo --live`: the sample case systems in place of a simulation, and the dashboards beside them.

use std::{
    collections::BTreeMap,
    fs,
    net::{IpAddr, Ipv4Addr},
    path::Path,
    process::ExitCode,
    time::Duration,
};

use anyhow::Context as _;
use chrono::Utc;
use gilbreth_collector::{
    access::{self, Limits, Rights, Wanted},
    receive::tls,
    store::Store,
};
use gilbreth_sample_data::case_systems::{self, System};

use crate::{
    cli,
    commands::{demo, serve},
    config::Config,
    output,
    service::{self, Ports, ReplayRight, Service},
};

/// What was done shows on the pages so soon.
const REFRESH_EVERY: Duration = Duration::from_secs(5);
/// Anybody signs in to them: they are for whoever sits at this machine.
const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// As long as those of the real ones. The desk's page ends sessions at once.
const SESSION: Duration = Duration::from_mins(15);

pub(crate) async fn run(options: &cli::Demo) -> anyhow::Result<ExitCode> {
    let asked = service::asked_to_stop()?;
    demo::clear(&options.out)?;
    let mut config = Config::load(None)?;
    config.store.estate = "sample case systems".to_owned();
    config.collector.tls = tls::Config::default();
    config.collector.agent_rules = rules(&options.out.join("rules"))?;
    config.serve.refresh_every_s = REFRESH_EVERY.as_secs();
    let store = Store::open_or_create(&options.out.join("store"), config.manifest())?;

    // Pages and servers send with tokens, as they would in earnest.
    let ports = case_systems::Ports::bind(LOOPBACK).await.context("the case systems cannot listen")?;
    let (desk, origins) = (ports.desk()?, ports.origins()?);
    let mut page_tokens = BTreeMap::new();
    for (system, origin) in &origins {
        page_tokens.insert(
            *system,
            token(&store, &format!("pages of {}", system.name()), Rights::page(origin, system.name())?)?,
        );
    }
    let names: Vec<String> = System::ALL.iter().map(|system| system.name().to_owned()).collect();
    let server_token = token(&store, "servers of case systems", Rights::send(Some(&names), false)?)?;

    let any = "127.0.0.1:0".parse().expect("the address is constant");
    let listening = Ports { otlp_http: any, otlp_grpc: any, web: options.web };
    let service = Service::start(&store, &config, listening, ReplayRight::AsConfigured).await?;
    let dashboards = format!("http://{}/", service.ports.web);
    let running = case_systems::start(
        ports,
        &case_systems::Options {
            collector: format!("http://{}", service.ports.otlp_http),
            page_tokens,
            traces: format!("http://{}", service.ports.otlp_grpc),
            server_token: Some(server_token),
            dashboards: dashboards.clone(),
            refreshed_every: REFRESH_EVERY,
            session: SESSION,
        },
    )?;

    let mut said = format!("begin here  {desk}/\n");
    for (system, origin) in &origins {
        said += &format!("{:<11} {origin}/\n", system.name());
    }
    output::print(&format!("{said}dashboards  {dashboards}\n"))?;
    eprintln!("Ctrl-C ends");
    tokio::select! {
        () = asked => {}
        () = serve::keep_fresh(&service, false, &config) => {}
    }
    running.stop().await?;
    // Theirs were the last spans.
    service.refresh().await?;
    service.stop().await?;
    Ok(ExitCode::SUCCESS)
}

fn token(store: &Store, label: &str, rights: Rights) -> anyhow::Result<String> {
    let wanted = Wanted { label: label.to_owned(), limits: Limits::default_for(&rights), rights };
    let (token, _) = access::add(store, wanted, Utc::now())?;
    Ok(token.reveal().to_string())
}

/// Writes the rules of the systems whose pages say nothing themselves; returns their folder.
fn rules(folder: &Path) -> anyhow::Result<std::path::PathBuf> {
    let context = || format!("cannot write the rules into {}", folder.display());
    fs::create_dir_all(folder).with_context(context)?;
    for system in System::ALL {
        if let Some(rules) = system.rules() {
            fs::write(folder.join(system.name()).with_extension("json"), rules).with_context(context)?;
        }
    }
    Ok(folder.to_owned())
}
