//! The web port: pages, figures and data for reading. Nothing is written, no script is served, and every answer is
//! made from the findings of the moment, so that a refresh shows without a restart.

use std::future::Future;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use gilbreth_analytics::findings::Findings;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::{Page, data, pages, sections};

/// Where the pages take their findings from: send new ones, and the next request shows them.
pub type Source = watch::Receiver<Arc<Findings>>;

/// What operators ask the web port: answered by whoever runs the service.
#[derive(Clone)]
pub struct Probes {
    /// Why the service takes no work, in words; `None` if it does.
    pub why_not_ready: Arc<dyn Fn() -> Option<&'static str> + Send + Sync>,
    /// What was counted since the start, as Prometheus text.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
}

impl std::fmt::Debug for Probes {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Probes").finish_non_exhaustive()
    }
}

/// How long requests under way may take once a stop is asked for.
const DRAIN_MAX: Duration = Duration::from_secs(5);

/// Prometheus' own.
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";
/// Pages take style and pictures from here and nothing from elsewhere.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Files that stand alone carry their style inside.
const POLICY_INLINE: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The routes of the web port.
pub fn router(source: Source, probes: Probes) -> Router {
    let Probes { why_not_ready, metrics } = probes;
    let mut router = Router::new();
    for page in Page::ALL {
        let show = move |State(source): State<Source>, headers: HeaderMap| async move {
            tagged(&headers, HTML, pages::page(&now(&source), page))
        };
        router = router.route(page.path(), get(show));
    }
    router
        .route("/report.html", get(report))
        .route("/api/figures/{file}", get(figure))
        .route("/api/data/{file}", get(csv))
        .route("/assets/gilbreth.css", get(stylesheet))
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(move || async move { readiness(why_not_ready()) }))
        .route("/metrics", get(move || async move { ([(header::CONTENT_TYPE, METRICS)], metrics()) }))
        .fallback(|| async { not_found() })
        .layer(middleware::from_fn(secure))
        .with_state(source)
}

/// Serves until `shutdown` ends, then lets requests under way finish for up to five seconds.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let asked = async move {
        shutdown.await;
        // Whoever waits for this has gone only when serving has ended already.
        let _ = stop.send(());
    };
    let overdue = async move {
        match stopped.await {
            Ok(()) => tokio::time::sleep(DRAIN_MAX).await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        ended = axum::serve(listener, router).with_graceful_shutdown(asked).into_future() => ended,
        () = overdue => {
            tracing::warn!(seconds = DRAIN_MAX.as_secs(), "stopped with requests under way");
            Ok(())
        }
    }
}

async fn report(State(source): State<Source>, headers: HeaderMap) -> Response {
    inline(tagged(&headers, HTML, pages::report(&now(&source))))
}

async fn figure(State(source): State<Source>, Path(file): Path<String>, headers: HeaderMap) -> Response {
    let svg = file.strip_suffix(".svg").and_then(|name| sections::figure(&now(&source), name));
    svg.map_or_else(not_found, |svg| inline(tagged(&headers, "image/svg+xml; charset=utf-8", svg)))
}

async fn csv(State(source): State<Source>, Path(file): Path<String>, headers: HeaderMap) -> Response {
    let csv = file.strip_suffix(".csv").and_then(|view| data::csv(&now(&source), view));
    csv.map_or_else(not_found, |csv| tagged(&headers, "text/csv; charset=utf-8; header=present", csv))
}

async fn stylesheet(headers: HeaderMap) -> Response {
    tagged(&headers, "text/css; charset=utf-8", pages::stylesheet())
}

fn readiness(why_not: Option<&'static str>) -> Response {
    match why_not {
        None => "ready\n".into_response(),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
    }
}

fn not_found() -> Response {
    (StatusCode::NOT_FOUND, [(header::CONTENT_TYPE, HTML)], pages::not_found()).into_response()
}

fn now(source: &Source) -> Arc<Findings> {
    Arc::clone(&source.borrow())
}

/// The body with its tag, or 304 where the client has it. Clients keep it, and ask each time whether it still holds.
fn tagged(headers: &HeaderMap, kind: &'static str, body: String) -> Response {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    let tag = format!("\"{:016x}\"", hasher.finish());
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let fresh = known.flat_map(|value| value.split(',')).any(|value| {
        let value = value.trim();
        value == "*" || value.strip_prefix("W/").unwrap_or(value) == tag
    });
    let mut response = if fresh { StatusCode::NOT_MODIFIED.into_response() } else { Body::from(body).into_response() };
    let to = response.headers_mut();
    to.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    to.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    to.insert(header::ETAG, HeaderValue::from_str(&tag).expect("a quoted hexadecimal number is a header value"));
    response
}

fn inline(mut response: Response) -> Response {
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY_INLINE));
    response
}

async fn secure(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(POLICY));
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests;
