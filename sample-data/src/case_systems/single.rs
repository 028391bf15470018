//! OASys: one page whose script makes the views, and JSON behind it. Its makers help the agent: the script says which screen
//! and case it shows, in attributes.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde::Serialize;
use serde_json::json;

use super::{
    forms::{Field, Form, Takes},
    host::{Host, Saved},
    pages::{Search, SignIn},
    records::{Case, Values},
};

const STYLE: &str = include_str!("../../case-systems/oasys.css");
const SCRIPT: &str = include_str!("../../case-systems/oasys.js");

pub(super) fn router() -> Router<Arc<Host>> {
    Router::new()
        .route("/app.js", get(|| async { script(SCRIPT) }))
        .merge(interface())
        // Every other address is the application's own affair.
        .fallback(get(page))
}

/// The interface behind applications: JSON in, JSON out.
pub(super) fn interface() -> Router<Arc<Host>> {
    Router::new()
        .route("/api/session", get(session).post(sign_in).delete(sign_out))
        .route("/api/cases", get(search))
        .route("/api/cases/{number}", get(case))
        .route("/api/cases/{number}/{form}", post(save))
}

pub(super) fn script(text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], text).into_response()
}

async fn page(State(host): State<Arc<Host>>) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (host.system.title()) }
                style { (PreEscaped(STYLE)) }
                (host.agent())
                script src="/app.js" type="module" {}
            }
            body { header #top {} main #view {} }
        }
    }
}

#[derive(Serialize)]
struct FormShape {
    id: &'static str,
    title: &'static str,
    fields: Vec<FieldShape>,
}

#[derive(Serialize)]
struct FieldShape {
    id: &'static str,
    label: &'static str,
    takes: &'static str,
    list: &'static [&'static str],
}

impl From<&'static Form> for FormShape {
    fn from(form: &'static Form) -> Self {
        Self { id: form.id, title: form.title, fields: form.fields.iter().map(FieldShape::from).collect() }
    }
}

impl From<&'static Field> for FieldShape {
    fn from(field: &'static Field) -> Self {
        const YES_NO: &[&str] = &["Yes", "No"];
        let (takes, list): (_, &[&str]) = match field.takes {
            Takes::Words | Takes::Postcode | Takes::Phone => ("words", &[]),
            Takes::Text => ("text", &[]),
            Takes::Date => ("date", &[]),
            Takes::Number => ("number", &[]),
            Takes::One(list) => ("one", list),
            Takes::YesNo => ("yes-no", YES_NO),
        };
        Self { id: field.id, label: field.label, takes, list }
    }
}

fn said(case: &Case) -> serde_json::Value {
    json!({ "crn": case.crn, "number": case.number, "saved": case.saved })
}

/// Nobody is signed in.
fn unknown() -> Response {
    (StatusCode::UNAUTHORIZED, Json(json!({ "error": "sign in" }))).into_response()
}

async fn session(State(host): State<Arc<Host>>, headers: HeaderMap) -> Response {
    let Some(worker) = host.worker(&headers) else { return unknown() };
    let forms: Vec<FormShape> = host.system.forms().iter().map(FormShape::from).collect();
    Json(json!({ "worker": worker, "title": host.system.title(), "forms": forms })).into_response()
}

async fn sign_in(State(host): State<Arc<Host>>, Json(given): Json<SignIn>) -> Response {
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, host.sessions.begin(&given.user))]).into_response()
}

async fn sign_out(State(host): State<Arc<Host>>, headers: HeaderMap) -> StatusCode {
    host.sessions.end(&headers);
    StatusCode::NO_CONTENT
}

async fn search(State(host): State<Arc<Host>>, headers: HeaderMap, Query(asked): Query<Search>) -> Response {
    if host.worker(&headers).is_none() {
        return unknown();
    }
    let found = host.find(&asked.q).await;
    Json(found.iter().map(said).collect::<Vec<_>>()).into_response()
}

async fn case(State(host): State<Arc<Host>>, headers: HeaderMap, Path(number): Path<String>) -> Response {
    if host.worker(&headers).is_none() {
        return unknown();
    }
    match host.case(&number).await {
        Some(case) => Json(said(&case)).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn save(
    State(host): State<Arc<Host>>,
    headers: HeaderMap,
    Path((number, form)): Path<(String, String)>,
    Json(values): Json<Values>,
) -> Response {
    if host.worker(&headers).is_none() {
        return unknown();
    }
    let (Some(form), Some(_)) = (host.system.form(&form), host.case(&number).await) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    match host.save(&number, form, values).await {
        Saved::Done => StatusCode::NO_CONTENT.into_response(),
        Saved::Refused(refused) => {
            let refused: Values = refused.into_iter().map(|(id, why)| (id.to_owned(), why)).collect();
            (StatusCode::UNPROCESSABLE_ENTITY, Json(refused)).into_response()
        }
        Saved::Failed => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}
