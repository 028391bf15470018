//! Case allocation: web components, each with a shadow root of its own, and `XMLHttpRequest`.

use std::sync::Arc;

use axum::{Router, extract::State, routing::get};
use maud::{DOCTYPE, Markup, html};

use super::{
    host::Host,
    single::{interface, script},
};

const SCRIPT: &str = include_str!("../../case-systems/cas.js");

pub(super) fn router() -> Router<Arc<Host>> {
    Router::new().route("/", get(page)).route("/parts.js", get(|| async { script(SCRIPT) })).merge(interface())
}

async fn page(State(host): State<Arc<Host>>) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (host.system.title()) }
                (host.agent())
                style { "body { margin: 0 }" }
                script src="/parts.js" type="module" {}
            }
            body { cas-app {} }
        }
    }
}
