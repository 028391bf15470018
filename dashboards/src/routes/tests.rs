//! The web port as a client sees it.

use axum::body::to_bytes;
use axum::http::Method;
use tower::ServiceExt;

use super::*;
use crate::fixture;

fn port(findings: Findings) -> (watch::Sender<Arc<Findings>>, Router) {
    let (sender, receiver) = watch::channel(Arc::new(findings));
    (sender, router(receiver, probes(true)))
}

fn probes(ready: bool) -> Probes {
    Probes {
        why_not_ready: Arc::new(move || (!ready).then_some("the disk is full")),
        metrics: Arc::new(|| "gilbreth_spans_received_total 7\n".to_owned()),
    }
}

#[tokio::test]
async fn operators_ask_the_service_behind_the_pages() {
    for (ready, status) in [(true, StatusCode::OK), (false, StatusCode::SERVICE_UNAVAILABLE)] {
        let (_sender, receiver) = watch::channel(Arc::new(Findings::default()));
        let router = router(receiver, probes(ready));
        assert_eq!(ask(&router, Method::GET, "/readyz", None).await.status(), status);
        assert_eq!(ask(&router, Method::GET, "/livez", None).await.status(), StatusCode::OK);
        let counted = text(ask(&router, Method::GET, "/metrics", None).await).await;
        assert_eq!(counted, "gilbreth_spans_received_total 7\n");
    }
}

async fn ask(router: &Router, method: Method, path: &str, tag: Option<&HeaderValue>) -> Response {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(tag) = tag {
        request = request.header(header::IF_NONE_MATCH, tag);
    }
    router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

async fn text(response: Response) -> String {
    String::from_utf8(to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()).unwrap()
}

#[tokio::test]
async fn every_link_of_every_page_leads_somewhere_and_is_secure() {
    let (_sender, router) = port(fixture::findings());
    let mut paths: Vec<String> = Page::ALL.iter().map(|page| page.path().to_owned()).collect();
    paths.extend(sections::FIGURES.map(|name| format!("/api/figures/{name}.svg")));
    paths.extend(data::VIEWS.map(|view| format!("/api/data/{view}.csv")));
    paths.extend(["/report.html", "/assets/gilbreth.css", "/livez", "/readyz"].map(str::to_owned));
    for path in paths.clone() {
        let response = ask(&router, Method::GET, &path, None).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("script"), "{path}");
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
        for link in text(response).await.split("href=\"/").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(paths.contains(&format!("/{link}")), "{path} links to /{link}");
        }
    }
}

#[tokio::test]
async fn what_is_not_there_is_404_and_what_is_not_reading_405() {
    let (_sender, router) = port(fixture::findings());
    for path in ["/nothing", "/api/figures/nothing.svg", "/api/figures/fixes", "/api/data/spans.csv", "/assets/x"] {
        let response = ask(&router, Method::GET, path, None).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        assert!(text(response).await.contains("There is no such page"));
    }
    assert_eq!(ask(&router, Method::POST, "/", None).await.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn new_findings_show_without_a_restart_and_old_ones_are_not_sent_again() {
    let (sender, router) = port(Findings::default());
    let empty = ask(&router, Method::GET, "/", None).await;
    let tag = empty.headers()[header::ETAG].clone();
    assert!(text(empty).await.contains("No data yet"));
    let again = ask(&router, Method::GET, "/", Some(&tag)).await;
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    assert!(text(again).await.is_empty());

    sender.send(Arc::new(fixture::findings())).unwrap();
    let filled = ask(&router, Method::GET, "/", Some(&tag)).await;
    assert_eq!(filled.status(), StatusCode::OK);
    assert!(text(filled).await.contains("ndelius costs"));
}

#[tokio::test]
async fn serving_ends_when_asked() {
    let (_sender, router) = port(fixture::findings());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(serve(listener, router, async { stopped.await.unwrap() }));
    stop.send(()).unwrap();
    serving.await.unwrap().unwrap();
}
