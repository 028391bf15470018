//! nDelius: pages made by the server, laid out by tables, with ids that a framework made up. Every save is a form that is
//! posted, and answered by a page.

use std::sync::Arc;

use axum::{
    Form as Posted, Router,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Redirect, Response},
    routing::get,
};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde::Deserialize;

use super::{
    forms::{Field, Form, Takes},
    host::{Host, Saved},
    records::{Case, Values},
};

const STYLE: &str = include_str!("../../case-systems/ndelius.css");

pub(super) fn router() -> Router<Arc<Host>> {
    Router::new()
        .route("/", get(|| async { Redirect::to("/search") }))
        .route("/sign-in", get(sign_in).post(signed_in))
        .route("/sign-out", get(sign_out))
        .route("/search", get(search))
        .route("/cases/{number}", get(summary))
        .route("/cases/{number}/{form}", get(form).post(save))
}

#[derive(Deserialize)]
pub(super) struct SignIn {
    pub(super) user: String,
}

#[derive(Deserialize)]
pub(super) struct Search {
    #[serde(default)]
    pub(super) q: String,
}

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    saved: String,
}

fn frame(host: &Host, title: &str, worker: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                title { (title) " - " (host.system.title()) }
                style { (PreEscaped(STYLE)) }
                (host.agent())
            }
            body {
                table.top width="100%" { tbody { tr {
                    td { b { (host.system.title()) } }
                    td { a href="/search" { "Case search" } }
                    td align="right" {
                        @if !worker.is_empty() { span #ctl00_lblUser { (worker) } " " a href="/sign-out" { "Log off" } }
                    }
                } } }
                (body)
            }
        }
    }
}

async fn sign_in(State(host): State<Arc<Host>>) -> Markup {
    let body = html! {
        form method="post" action="/sign-in" {
            table.form { tbody {
                tr { td { "User name" } td { input name="user" id="ctl00_txt1" autocomplete="username" required; } }
                tr { td { "Password" } td { input type="password" name="word" id="ctl00_txt2" autocomplete="current-password" required; } }
                tr { td {} td { input type="submit" value="Log on"; } }
            } }
        }
    };
    frame(&host, "Log on", "", &body)
}

async fn signed_in(State(host): State<Arc<Host>>, Posted(given): Posted<SignIn>) -> Response {
    ([(header::SET_COOKIE, host.sessions.begin(&given.user))], Redirect::to("/search")).into_response()
}

async fn sign_out(State(host): State<Arc<Host>>, headers: HeaderMap) -> Redirect {
    host.sessions.end(&headers);
    Redirect::to("/sign-in")
}

async fn search(State(host): State<Arc<Host>>, headers: HeaderMap, Query(asked): Query<Search>) -> Response {
    let Some(worker) = host.worker(&headers) else { return Redirect::to("/sign-in").into_response() };
    let found = host.find(&asked.q).await;
    let body = html! {
        form #ctl00_find method="get" action="/search" {
            table.form { tbody { tr {
                td { "Number or name" }
                td { input name="q" id="ctl00_cph1_txt3" value=(asked.q); }
                td { input type="submit" value="Search"; }
            } } }
        }
        @if !asked.q.is_empty() {
            table.grid { tbody {
                tr { th { "CRN" } th { "Name" } }
                @for case in &found {
                    tr { td { a href={ "/cases/" (case.crn) } { (case.crn) } } td { (name(&host, case)) } }
                }
                @if found.is_empty() { tr { td colspan="2" { "No case has this number or name." } } }
            } }
        }
    };
    frame(&host, "Case search", &worker, &body).into_response()
}

fn name(host: &Host, case: &Case) -> String {
    let personal = host.system.form("personal").expect("the system has it");
    format!("{} {}", case.value(personal, "forename"), case.value(personal, "surname"))
}

fn header_of(host: &Host, case: &Case) -> Markup {
    html! {
        table.case width="100%" { tbody { tr {
            td { "CRN" } td.crn { (case.crn) } td { (name(host, case)) }
        } } }
    }
}

async fn summary(
    State(host): State<Arc<Host>>,
    headers: HeaderMap,
    Path(number): Path<String>,
    Query(said): Query<Said>,
) -> Response {
    let Some(worker) = host.worker(&headers) else { return Redirect::to("/sign-in").into_response() };
    let Some(case) = host.case(&number).await else { return missing(&host, &worker) };
    let saved = host.system.form(&said.saved);
    let body = html! {
        (header_of(&host, &case))
        @if let Some(saved) = saved { p.done role="status" { (saved.title) " saved." } }
        ul.forms {
            @for form in host.system.forms() {
                li { a href={ "/cases/" (case.crn) "/" (form.id) } data-casework-action=(form.title) { (form.title) } }
            }
        }
    };
    frame(&host, "Case summary", &worker, &body).into_response()
}

fn missing(host: &Host, worker: &str) -> Response {
    let body = html! { p.bad { "There is no such case." } };
    (StatusCode::NOT_FOUND, frame(host, "Not found", worker, &body)).into_response()
}

async fn form(
    State(host): State<Arc<Host>>,
    headers: HeaderMap,
    Path((number, form)): Path<(String, String)>,
) -> Response {
    let Some(worker) = host.worker(&headers) else { return Redirect::to("/sign-in").into_response() };
    let (Some(form), Some(case)) = (host.system.form(&form), host.case(&number).await) else {
        return missing(&host, &worker);
    };
    let body = form_body(&host, &case, form, &case.values(form), &[], &[]);
    frame(&host, form.title, &worker, &body).into_response()
}

async fn save(
    State(host): State<Arc<Host>>,
    headers: HeaderMap,
    Path((number, form)): Path<(String, String)>,
    Posted(given): Posted<Values>,
) -> Response {
    let Some(worker) = host.worker(&headers) else { return Redirect::to("/sign-in").into_response() };
    let (Some(form), Some(case)) = (host.system.form(&form), host.case(&number).await) else {
        return missing(&host, &worker);
    };
    let names = form.fields.iter().enumerate().map(|(at, field)| (generated(form, at), field.id));
    let values: Values = names.filter_map(|(name, id)| Some((id.to_owned(), given.get(&name)?.clone()))).collect();
    match host.save(&number, form, values.clone()).await {
        Saved::Done => Redirect::to(&format!("/cases/{}?saved={}", case.crn, form.id)).into_response(),
        // As such systems do: the answer says that all is well, and the page that it is not.
        Saved::Refused(refused) => {
            let why = refused.iter().map(|(_, why)| why.as_str()).collect::<Vec<_>>();
            let body = form_body(&host, &case, form, &values, &refused, &why);
            frame(&host, form.title, &worker, &body).into_response()
        }
        Saved::Failed => {
            let body = form_body(&host, &case, form, &values, &[], &["The system is not available. Save again."]);
            (StatusCode::SERVICE_UNAVAILABLE, frame(&host, form.title, &worker, &body)).into_response()
        }
    }
}

/// A name as a framework makes it up: by where the field stands.
fn generated(form: &Form, at: usize) -> String {
    format!("ctl00$cph{}$ctl{:02}", form.fields.len(), at + 3)
}

/// A form with what it held before it was refused or could not be kept, what was wrong with it, and what to say of that.
fn form_body(
    host: &Host,
    case: &Case,
    form: &Form,
    values: &Values,
    refused: &[(&str, String)],
    why: &[&str],
) -> Markup {
    html! {
        (header_of(host, case))
        h2 { (form.title) }
        @if !why.is_empty() {
            ul.bad role="alert" { @for why in why { li { (why) } } }
        }
        form method="post" action={ "/cases/" (case.crn) "/" (form.id) } novalidate {
            input type="hidden" name="__VIEWSTATE" value="dDwtMTA4NzczMzUwODs7Pg==";
            table.form { tbody {
                @for (at, field) in form.fields.iter().enumerate() {
                    @let is_bad = refused.iter().any(|(id, _)| *id == field.id);
                    tr { td { (field.label) } td { (input(form, at, field, values, is_bad)) } }
                }
                tr { td {} td { input type="submit" value="Save"; } }
            } }
        }
    }
}

fn input(form: &Form, at: usize, field: &Field, values: &Values, is_bad: bool) -> Markup {
    let name = generated(form, at);
    let id = name.replace('$', "_");
    let value = values.get(field.id).map_or("", String::as_str);
    let invalid = is_bad.then_some("true");
    html! {
        @match field.takes {
            Takes::One(list) => {
                select name=(name) id=(id) aria-invalid=[invalid] {
                    option value="" { "-- select --" }
                    @for one in list { option selected[*one == value] { (one) } }
                }
            }
            Takes::YesNo => {
                @for one in ["Yes", "No"] {
                    label { input type="radio" name=(name) value=(one) checked[one == value] aria-invalid=[invalid]; (one) }
                }
            }
            Takes::Text => { textarea name=(name) id=(id) rows="5" cols="50" aria-invalid=[invalid] { (value) } }
            _ => { input name=(name) id=(id) value=(value) size="36" autocomplete="off" aria-invalid=[invalid]; }
        }
    }
}
