//! A rehabilitation company's own system, as they were bought in the nineties: a frameset, a form in a frame, and another in a
//! window that pops up. The agent stands in the frameset and in the window; the frames know nothing of it.

use std::sync::Arc;

use axum::{
    Form as Posted, Router,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Redirect, Response},
    routing::{get, post},
};
use maud::{Markup, PreEscaped, html};

use super::{
    forms::{Field, Form, Takes},
    host::{Host, Saved},
    pages::{Search, SignIn},
    records::{Case, Values},
};

const STYLE: &str = include_str!("../../case-systems/crc-a.css");
/// The form that has a window of its own.
const IN_WINDOW: &str = "referral";

pub(super) fn router() -> Router<Arc<Host>> {
    Router::new()
        .route("/", get(frameset))
        .route("/menu", get(menu))
        .route("/welcome", get(welcome))
        .route("/sign-in", post(signed_in))
        .route("/sign-out", get(sign_out))
        .route("/find", get(find))
        .route("/case/{number}", get(summary))
        .route("/case/{number}/{form}", get(form).post(save))
}

/// The page that holds the frames. Old browsers know nothing else.
async fn frameset(State(host): State<Arc<Host>>, headers: HeaderMap) -> Response {
    if host.worker(&headers).is_none() {
        return sign_in(&host, Place::Window("")).into_response();
    }
    html! {
        (PreEscaped(r#"<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01 Frameset//EN" "http://www.w3.org/TR/html4/frameset.dtd">"#))
        html lang="en" {
            head { meta charset="utf-8"; title { (host.system.title()) } (host.agent()) }
            frameset cols="190,*" {
                frame name="menu" src="/menu" title="Menu";
                frame name="main" src="/welcome" title="Work";
            }
        }
    }
    .into_response()
}

/// Where a page is shown.
#[derive(Debug, Clone, Copy)]
enum Place<'a> {
    /// In a frame, beside the menu.
    Frame,
    /// In a window of its own, which has the agent and says who works in it, if anybody does.
    Window(&'a str),
}

impl<'a> Place<'a> {
    fn of(form: &str, worker: &'a str) -> Self {
        if form == IN_WINDOW { Self::Window(worker) } else { Self::Frame }
    }
}

fn page(host: &Host, title: &str, place: Place<'_>, body: &Markup) -> Markup {
    html! {
        (PreEscaped(r#"<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01 Transitional//EN" "http://www.w3.org/TR/html4/loose.dtd">"#))
        html lang="en" {
            head {
                meta charset="utf-8";
                title { (title) }
                style { (PreEscaped(STYLE)) }
                @if let Place::Window(_) = place { (host.agent()) }
            }
            body {
                @if let Place::Window(worker) = place { @if !worker.is_empty() { p align="right" { "Operator " span #operator { (worker) } } } }
                (body)
            }
        }
    }
}

/// Who is not signed in is asked to, wherever that is: in a frame and in a window, too.
fn sign_in(host: &Host, place: Place<'_>) -> Markup {
    let body = html! {
        div #logon {
            h1 { (host.system.title()) }
            form method="post" action="/sign-in" target="_top" {
                table { tbody {
                    tr { td { "User" } td { input name="user" autocomplete="username"; } }
                    tr { td { "Password" } td { input type="password" name="word" autocomplete="current-password"; } }
                    tr { td {} td { input type="submit" value="Log on"; } }
                } }
            }
        }
    };
    page(host, "Log on", place, &body)
}

async fn signed_in(State(host): State<Arc<Host>>, Posted(given): Posted<SignIn>) -> Response {
    ([(header::SET_COOKIE, host.sessions.begin(&given.user))], Redirect::to("/")).into_response()
}

async fn sign_out(State(host): State<Arc<Host>>, headers: HeaderMap) -> Redirect {
    host.sessions.end(&headers);
    Redirect::to("/")
}

async fn menu(State(host): State<Arc<Host>>, headers: HeaderMap) -> Markup {
    let worker = host.worker(&headers).unwrap_or_default();
    let body = html! {
        div #menu {
            p { b { "Case Manager" } }
            p #operator { (worker) }
            p { a href="/find" target="main" { "Find a client" } }
            p { a href="/sign-out" target="_top" { "Log off" } }
        }
    };
    page(&host, "Menu", Place::Frame, &body)
}

async fn welcome(State(host): State<Arc<Host>>, headers: HeaderMap) -> Markup {
    if host.worker(&headers).is_none() {
        return sign_in(&host, Place::Frame);
    }
    page(&host, "Welcome", Place::Frame, &html! { div #welcome { h1 { "Welcome" } p { "Choose from the menu." } } })
}

async fn find(State(host): State<Arc<Host>>, headers: HeaderMap, Query(asked): Query<Search>) -> Markup {
    if host.worker(&headers).is_none() {
        return sign_in(&host, Place::Frame);
    }
    let found = host.find(&asked.q).await;
    let body = html! {
        h1 { "Find a client" }
        form #finder method="get" action="/find" {
            "Client or CRN " input name="q" value=(asked.q); " " input type="submit" value="Find";
        }
        @if !asked.q.is_empty() {
            table.list border="1" cellspacing="0" { tbody {
                tr { th { "Client" } th { "CRN" } }
                @for case in &found {
                    tr { td { a href={ "/case/" (case.number) } { (case.number) } } td { (case.crn) } }
                }
            } }
        }
    };
    page(&host, "Find a client", Place::Frame, &body)
}

fn heading(case: &Case) -> Markup {
    html! { p.client { "Client " span.no { (case.number) } ", CRN " span.no { (case.crn) } } }
}

async fn summary(State(host): State<Arc<Host>>, headers: HeaderMap, Path(number): Path<String>) -> Response {
    if host.worker(&headers).is_none() {
        return sign_in(&host, Place::Frame).into_response();
    }
    let Some(case) = host.case(&number).await else { return missing(&host) };
    let body = html! {
        div #client {
            (heading(&case))
            @for form in host.system.forms() {
                @let address = format!("/case/{}/{}", case.number, form.id);
                @if form.id == IN_WINDOW {
                    // A window, as the manual of the time has it.
                    p { a href=(address) onclick={ "window.open(this.href, 'referral', 'width=560,height=520'); return false" } data-casework-action=(form.title) { (form.title) } }
                } @else {
                    p { a href=(address) data-casework-action=(form.title) { (form.title) } }
                }
            }
        }
    };
    page(&host, "Client", Place::Frame, &body).into_response()
}

fn missing(host: &Host) -> Response {
    (StatusCode::NOT_FOUND, page(host, "Not found", Place::Frame, &html! { p.bad { "There is no such client." } }))
        .into_response()
}

async fn form(
    State(host): State<Arc<Host>>,
    headers: HeaderMap,
    Path((number, form)): Path<(String, String)>,
) -> Response {
    let Some(worker) = host.worker(&headers) else { return sign_in(&host, Place::of(&form, "")).into_response() };
    let place = Place::of(&form, &worker);
    let (Some(form), Some(case)) = (host.system.form(&form), host.case(&number).await) else { return missing(&host) };
    page(&host, form.title, place, &form_body(&case, form, &case.values(form), &[], "")).into_response()
}

async fn save(
    State(host): State<Arc<Host>>,
    headers: HeaderMap,
    Path((number, form)): Path<(String, String)>,
    Posted(values): Posted<Values>,
) -> Response {
    let Some(worker) = host.worker(&headers) else { return sign_in(&host, Place::of(&form, "")).into_response() };
    let place = Place::of(&form, &worker);
    let (Some(form), Some(case)) = (host.system.form(&form), host.case(&number).await) else { return missing(&host) };
    match host.save(&number, form, values.clone()).await {
        Saved::Done => {
            let body = html! {
                div id={ (form.id) "-saved" } {
                    (heading(&case))
                    p.done { (form.title) " saved." }
                    @if let Place::Window(_) = place { p { input type="button" value="Close" onclick="window.close()"; } }
                    @else { p { a href={ "/case/" (case.number) } data-casework-action="Back to the client" { "Back to the client" } } }
                }
            };
            page(&host, form.title, place, &body).into_response()
        }
        Saved::Refused(refused) => {
            page(&host, form.title, place, &form_body(&case, form, &values, &refused, "")).into_response()
        }
        Saved::Failed => {
            let body = form_body(&case, form, &values, &[], "The system is not available. Save again.");
            (StatusCode::SERVICE_UNAVAILABLE, page(&host, form.title, place, &body)).into_response()
        }
    }
}

fn form_body(case: &Case, form: &Form, values: &Values, refused: &[(&str, String)], failed: &str) -> Markup {
    html! {
        div id=(form.id) {
            (heading(case))
            h1 { (form.title) }
            @for (_, why) in refused { p.bad { (why) } }
            @if !failed.is_empty() { p.bad { (failed) } }
            form name="f" method="post" action={ "/case/" (case.number) "/" (form.id) } {
                table { tbody {
                    @for field in form.fields {
                        @let is_bad = refused.iter().any(|(id, _)| *id == field.id);
                        tr { td align="right" { (field.label) } td { (input(field, values, is_bad)) } }
                    }
                    // Saved by a script, as was the fashion: no `submit` event is seen.
                    tr { td {} td { input type="button" value="Save" onclick="document.f.submit()"; } }
                } }
            }
        }
    }
}

fn input(field: &Field, values: &Values, is_bad: bool) -> Markup {
    let value = values.get(field.id).map_or("", String::as_str);
    let invalid = is_bad.then_some("true");
    html! {
        @match field.takes {
            Takes::One(list) => {
                select name=(field.id) aria-invalid=[invalid] {
                    option value="" { "" }
                    @for one in list { option selected[*one == value] { (one) } }
                }
            }
            Takes::Text => { textarea name=(field.id) rows="4" cols="40" aria-invalid=[invalid] { (value) } }
            _ => { input name=(field.id) value=(value) size="30" autocomplete="off" aria-invalid=[invalid]; }
        }
    }
}
