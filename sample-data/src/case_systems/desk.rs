//! The page where a visitor begins: where the systems are, what to do in them, and what happens to a session that nobody
//! uses for too long, without the waiting.

use std::{sync::Arc, time::Duration};

use axum::{
    Form, Router,
    extract::State,
    http::StatusCode,
    response::Redirect,
    routing::{get, post},
};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde::Deserialize;

use super::{
    Options,
    host::Host,
    records::CASES,
    system::{System, crn},
};

const STYLE: &str = include_str!("../../case-systems/desk.css");

struct Desk {
    hosts: Vec<(Arc<Host>, String)>,
    dashboards: String,
    refreshed_every: Duration,
}

#[derive(Deserialize)]
struct Ended {
    system: String,
}

pub(super) fn router(hosts: Vec<(Arc<Host>, String)>, options: &Options) -> Router {
    let Options { dashboards, refreshed_every, .. } = options.clone();
    Router::new().route("/", get(page)).route("/time-out", post(time_out)).with_state(Arc::new(Desk {
        hosts,
        dashboards,
        refreshed_every,
    }))
}

async fn page(State(desk): State<Arc<Desk>>) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Four case systems" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    h1 { "Four case systems, measured" }
                    p {
                        "They are built in four ways, and hold the same " (CASES) " cases, " (crn(1)) " to " (crn(CASES)) ", of "
                        "which they know nothing yet. Any name and password sign in; use the same name in all of them."
                    }
                    ol {
                        li { "Register a person in " b { (System::Ndelius.title()) } ": sign in, search for " (crn(1)) ", open Personal details." }
                        li { "Key the same name and date of birth into " b { (System::Oasys.title()) } " for the same case." }
                        li {
                            "Within half a minute the page about re-entry shows that they agree, under "
                            a href={ (desk.dashboards) "re-entry#too-few" } { "Too few cases to tell" }
                            ", and after ten cases that it is no chance. Its figures are made anew every "
                            (desk.refreshed_every.as_secs()) " seconds: reload the page to see the newest."
                        }
                    }
                    table {
                        thead { tr { th { "System" } th { "Built as" } th { "Sessions" } } }
                        tbody {
                            @for (host, origin) in &desk.hosts {
                                tr {
                                    td { a href={ (origin) "/" } target=(host.system.name()) { (host.system.title()) } }
                                    td { (host.system.technology()) }
                                    td {
                                        form method="post" action="/time-out" {
                                            button name="system" value=(host.system.name()) aria-label={ "Let sessions in " (host.system.title()) " time out" } { "Let them time out" }
                                        }
                                    }
                                }
                            }
                        }
                    }
                    p { "Every third save of a system is slow, and every eleventh fails. What is typed stays in memory, and only digests of it are measured. Please type nothing that is true of anybody." }
                }
            }
        }
    }
}

async fn time_out(State(desk): State<Arc<Desk>>, Form(ended): Form<Ended>) -> Result<Redirect, StatusCode> {
    let (host, _) =
        desk.hosts.iter().find(|(host, _)| host.system.name() == ended.system).ok_or(StatusCode::NOT_FOUND)?;
    host.sessions.time_out();
    Ok(Redirect::to("/"))
}
