//! Which pages may send. A `text/plain` post needs no preflight, so the origin of the post itself is looked at too: else
//! any page that somebody opens could fill the store of their machine.

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::Receiver;

/// Whether the request comes from no page, from one of our own origin, or from a configured one.
pub(super) fn is_allowed(receiver: &Receiver, headers: &HeaderMap) -> bool {
    match headers.get(header::ORIGIN) {
        None => true,
        Some(origin) => is_configured(receiver, origin) || is_own(origin, headers),
    }
}

/// The answer to a preflight; without permission in it if the origin is neither configured nor that of the page's token.
pub(super) async fn preflight(receiver: &Receiver, headers: &HeaderMap, query: Option<&str>) -> Response {
    receiver.access().look_for(query).await;
    let mut response = StatusCode::NO_CONTENT.into_response();
    let allow = |name, value| (name, HeaderValue::from_static(value));
    if headers.get(header::ORIGIN).is_some_and(|origin| is_permitted(receiver, origin, query)) {
        response.headers_mut().extend([
            allow(header::ACCESS_CONTROL_ALLOW_METHODS, "POST"),
            allow(header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type, content-encoding, authorization"),
            allow(header::ACCESS_CONTROL_MAX_AGE, "7200"),
        ]);
    }
    permit(receiver, headers, query, &mut response);
    response
}

/// Lets the page read the answer, and when it should come again. The origin is named, never `*`, which a beacon with
/// credentials does not accept.
pub(super) fn permit(receiver: &Receiver, headers: &HeaderMap, query: Option<&str>, response: &mut Response) {
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = headers.get(header::ORIGIN).filter(|origin| is_permitted(receiver, origin, query)) {
        let granted = response.headers_mut();
        granted.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        granted.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        granted.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("retry-after"));
    }
}

fn is_permitted(receiver: &Receiver, origin: &HeaderValue, query: Option<&str>) -> bool {
    is_configured(receiver, origin) || receiver.access().is_page(query, origin.as_bytes())
}

fn is_configured(receiver: &Receiver, origin: &HeaderValue) -> bool {
    receiver.cors_origins().iter().any(|known| known == "*" || known.as_bytes() == origin.as_bytes())
}

/// Whether a page was served from where it sends to. Only hosts that are addresses count: a name may have been pointed
/// here by whoever owns it, after they had served the page from elsewhere.
fn is_own(origin: &HeaderValue, headers: &HeaderMap) -> bool {
    let own = |origin: &HeaderValue| {
        let authority = origin.to_str().ok()?.split_once("://")?.1;
        let same = authority.as_bytes() == headers.get(header::HOST)?.as_bytes();
        Some(same && is_address(authority))
    };
    own(origin).unwrap_or(false)
}

fn is_address(authority: &str) -> bool {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || host.parse::<std::net::IpAddr>().is_ok()
}
