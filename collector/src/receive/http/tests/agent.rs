//! What pages of case systems load.

use axum::http::HeaderValue;

use super::*;
use crate::agent::{AGENT, NOTICE};

#[tokio::test]
async fn the_agent_is_served_to_pages_of_every_origin_as_they_can_read_it() {
    let bench = bench();
    for (accepts, encoding, expected) in [
        ("gzip, deflate, br, zstd", Some("gzip"), AGENT.gzip),
        ("br;q=1.0, GZIP;q=0.8", Some("gzip"), AGENT.gzip),
        ("gzip;q=0, *", None, AGENT.plain),
        ("", None, AGENT.plain),
    ] {
        let headers = [("accept-encoding", accepts), ("origin", "https://anybody.example")];
        let (status, told, body) = bench.request("GET", "/agent.js", &headers, "").await;
        let said = |name| told.get(name).map(|value: &HeaderValue| value.to_str().unwrap());
        assert_eq!((status, body.as_slice()), (StatusCode::OK, expected), "{accepts}");
        assert_eq!(said(header::CONTENT_ENCODING), encoding, "{accepts}");
        assert_eq!(said(header::CONTENT_TYPE), Some("text/javascript; charset=utf-8"));
        assert_eq!(said(header::VARY), Some("accept-encoding"), "else a cache gives gzip to who cannot read it");
        assert_eq!(said(header::ACCESS_CONTROL_ALLOW_ORIGIN), Some("*"));
        assert_eq!(said(header::CACHE_CONTROL), Some("public, max-age=300"));

        let again =
            [("accept-encoding", accepts), ("if-none-match", &format!("\"x\", W/{}", said(header::ETAG).unwrap()))];
        let (status, _, body) = bench.request("GET", "/agent.js", &again, "").await;
        assert_eq!((status, body.len()), (StatusCode::NOT_MODIFIED, 0), "{accepts}");
    }
}

#[tokio::test]
async fn so_is_its_notice() {
    let (status, told, body) = bench().request("GET", "/notice.js", &[("accept-encoding", "gzip")], "").await;
    assert_eq!((status, body.as_slice()), (StatusCode::OK, NOTICE.gzip));
    assert_eq!(told[header::CONTENT_TYPE], "text/javascript; charset=utf-8");
}

#[tokio::test]
async fn every_system_has_rules_if_only_the_page_key() {
    let bench = bench();
    let (status, told, body) = bench.request("GET", "/agent/ndelius.json", &[], "").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(told[header::CONTENT_TYPE], "application/json");
    let rules: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(rules["key"], Config::default().page_key);
    for path in ["/agent/ndelius", "/agent/../secret.json", "/agent/a/b.json"] {
        assert_eq!(bench.request("GET", path, &[], "").await.0, StatusCode::NOT_FOUND, "{path}");
    }
}
