//! What the four systems have in common: records, sessions, and the steps of every request, each a span of its own.

use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::HeaderMap;
use maud::{Markup, html};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use super::{
    Options,
    forms::{Form, refusal},
    records::{Case, LOOK_UP, Records, Save, Values},
    sessions::Sessions,
    system::System,
};

/// One system as it runs.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) system: System,
    pub(super) sessions: Sessions,
    collector: String,
    token: Option<String>,
    records: Mutex<Records>,
}

/// What became of a save.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Saved {
    /// It is kept.
    Done,
    /// Some fields are not as they must be: which, and why.
    Refused(Vec<(&'static str, String)>),
    /// The store was not there.
    Failed,
}

impl Host {
    pub(super) fn new(system: System, options: &Options) -> Self {
        Self {
            system,
            sessions: Sessions::new(system, options.session),
            collector: options.collector.clone(),
            token: options.page_tokens.get(&system).cloned(),
            records: Mutex::new(Records::new(system)),
        }
    }

    fn records(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The line that makes a page measured, and another by which it says so.
    pub(super) fn agent(&self) -> Markup {
        html! {
            script src={ (self.collector) "/agent.js" } data-system=(self.system.name()) data-release=(self.system.release())
                data-token=[&self.token] {}
            script src={ (self.collector) "/notice.js" } data-text="This page measures how long work takes, and keeps no content." {}
        }
    }

    /// Who sent a request.
    pub(super) fn worker(&self, headers: &HeaderMap) -> Option<String> {
        self.sessions.worker(headers)
    }

    /// The case of a number.
    #[tracing::instrument(name = "SELECT case", skip_all, fields(otel.kind = "client", db.operation.name = "SELECT"))]
    pub(super) async fn case(&self, number: &str) -> Option<Case> {
        tokio::time::sleep(LOOK_UP).await;
        self.records().case(number).cloned()
    }

    /// Cases that have a number or a value that begins so.
    #[tracing::instrument(name = "SELECT cases", skip_all, fields(otel.kind = "client", db.operation.name = "SELECT"))]
    pub(super) async fn find(&self, text: &str) -> Vec<Case> {
        tokio::time::sleep(LOOK_UP * 3).await;
        self.records().found(text)
    }

    /// Checks what a form was given, and keeps it.
    pub(super) async fn save(&self, number: &str, form: &'static Form, mut values: Values) -> Saved {
        values.retain(|id, _| form.fields.iter().any(|field| field.id == id));
        let value = |id: &str| values.get(id).map_or("", String::as_str);
        let refused: Vec<_> =
            form.fields.iter().filter_map(|field| Some((field.id, refusal(field, value(field.id))?))).collect();
        if !refused.is_empty() {
            return Saved::Refused(refused);
        }
        self.keep(number, form, values).await
    }

    #[tracing::instrument(name = "UPDATE case", skip_all, fields(otel.kind = "client", db.operation.name = "UPDATE"))]
    async fn keep(&self, number: &str, form: &'static Form, values: Values) -> Saved {
        let next = self.records().next_save();
        match next {
            Save::Takes(time) => {
                tokio::time::sleep(time).await;
                self.records().save(number, form, values);
                Saved::Done
            }
            Save::Fails(time) => {
                tokio::time::sleep(time).await;
                tracing::Span::current().set_attribute("error.type", "unavailable");
                Saved::Failed
            }
        }
    }
}
