//! `gilbreth token`: access tokens, beside a running service or without one.

use std::{fmt::Write as _, path::Path, process::ExitCode};

use chrono::Utc;
use gilbreth_collector::{
    access::{self, Entry, Limits, Rights, Role, Wanted},
    gate::Systems,
    store::Store,
};

use crate::{
    cli::{self, ListFormat, TokenAdd, TokenList, TokenRevoke},
    config::Config,
    output,
};

pub(crate) async fn run(options: cli::Token) -> anyhow::Result<ExitCode> {
    match options {
        cli::Token::Add(options) => add(&options)?,
        cli::Token::List(options) => list(&options)?,
        cli::Token::Revoke(options) => revoke(&options)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn add(options: &TokenAdd) -> anyhow::Result<()> {
    let rights = rights(options)?;
    let default = Limits::default_for(&rights);
    let limits = Limits {
        spans_per_s: options.spans_per_second.or(default.spans_per_s),
        requests_at_once_max: options.requests_at_once.unwrap_or(default.requests_at_once_max),
    };
    let store = Store::open_or_create(&options.store, Config::load(options.config.as_deref())?.manifest())?;
    let (token, entry) = access::add(&store, Wanted { label: options.label.clone(), rights, limits }, Utc::now())?;
    eprintln!("token {} ({}), shown this once: {}", entry.id, entry.label, purpose(&entry.rights));
    output::print(&format!("{}\n", token.reveal()))?;
    Ok(())
}

fn rights(options: &TokenAdd) -> anyhow::Result<Rights> {
    let cli::TokenRights { all_systems, page, role } = &options.rights;
    Ok(match (page, role, options.system.as_slice()) {
        (Some(origin), _, [system]) => Rights::page(origin, system)?,
        (Some(_), _, _) => cli::wrong_usage("a page is one system's: name one --system"),
        (None, Some(role), _) => Rights::read(match role {
            cli::Role::Auditor => Role::Auditor,
            cli::Role::ServiceOwner => Role::ServiceOwner,
            cli::Role::Developer => Role::Developer,
        }),
        (None, None, _) if *all_systems => Rights::send(None, options.replay)?,
        (None, None, systems) => Rights::send(Some(systems), options.replay)?,
    })
}

fn list(options: &TokenList) -> anyhow::Result<()> {
    let tokens = access::list(&open(&options.store)?)?;
    output::print(&match options.format {
        ListFormat::Table => table(&tokens),
        ListFormat::Json => {
            let rows: Vec<_> = tokens.iter().map(row).collect();
            format!("{}\n", serde_json::to_string_pretty(&rows)?)
        }
    })?;
    Ok(())
}

fn revoke(options: &TokenRevoke) -> anyhow::Result<()> {
    let entry = access::revoke(&open(&options.store)?, &options.token, Utc::now())?;
    eprintln!(
        "token {} ({}) is revoked: a running service takes nothing with it from a second on",
        entry.id, entry.label
    );
    Ok(())
}

fn open(store: &Path) -> anyhow::Result<Store> {
    Ok(Store::open(store)?)
}

/// Everything about a token but its hash.
fn row(entry: &Entry) -> serde_json::Value {
    serde_json::json!({
        "id": entry.id,
        "label": entry.label,
        "made_at": entry.made_at,
        "revoked_at": entry.revoked_at,
        "rights": entry.rights,
        "spans_per_second": entry.limits.spans_per_s,
        "requests_at_once": entry.limits.requests_at_once_max,
    })
}

fn table(tokens: &[Entry]) -> String {
    let mut out = String::new();
    let wide = tokens.iter().map(|entry| entry.label.chars().count()).max().unwrap_or(0).max("label".len());
    let _ = writeln!(out, "{:<8}  {:<wide$}  {:<16}  {:<16}  for", "id", "label", "made (UTC)", "revoked (UTC)");
    for entry in tokens {
        let time = |at: &chrono::DateTime<Utc>| at.format("%Y-%m-%d %H:%M").to_string();
        let revoked = entry.revoked_at.as_ref().map(time).unwrap_or_default();
        let _ = writeln!(
            out,
            "{:<8}  {:<wide$}  {:<16}  {revoked:<16}  {}",
            entry.id.as_str(),
            entry.label,
            time(&entry.made_at),
            purpose(&entry.rights)
        );
    }
    out
}

fn purpose(rights: &Rights) -> String {
    let of = |systems: &Systems| match systems {
        Systems::All => "every system".to_owned(),
        Systems::These(names) => names.iter().map(String::as_str).collect::<Vec<_>>().join(", "),
    };
    match rights {
        Rights::Send { systems, replay: false } => format!("sending spans of {}", of(systems)),
        Rights::Send { systems, replay: true } => format!("sending and replaying spans of {}", of(systems)),
        Rights::Page { origin, systems } => format!("pages of {origin}, sending spans of {}", of(systems)),
        Rights::Read { role: Role::Auditor } => "reading as auditor".to_owned(),
        Rights::Read { role: Role::ServiceOwner } => "reading as service owner".to_owned(),
        Rights::Read { role: Role::Developer } => "reading as developer".to_owned(),
    }
}
