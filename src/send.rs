//! Sends a simulated estate's exports over the network, as case systems do: OTLP/HTTP, several requests at a time, again
//! where the answer says so.

use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;
use reqwest::{Client, StatusCode, Url, header};
use tokio::{sync::mpsc, task::JoinSet};

/// How many requests are under way at once.
const REQUESTS_AT_ONCE: usize = 4;
/// How often a request is tried before the sender gives up.
const TRIES_MAX: u32 = 8;

/// How long the service may take to be reached, and to answer.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);
const REQUEST_TIME_MAX: Duration = Duration::from_secs(60);

/// An encoded `ExportTraceServiceRequest`.
#[derive(Debug)]
pub(crate) struct Body {
    /// The bytes.
    pub(crate) bytes: Vec<u8>,
    /// How many spans they hold.
    pub(crate) spans: u64,
}

/// Sends every body to `endpoint` (its `/v1/traces`) and tells `sent` of each as it is acknowledged. Ends when the channel
/// closes; fails at the first body that cannot be delivered or is refused in part.
pub(crate) async fn all(
    endpoint: &str,
    token: Option<String>,
    mut bodies: mpsc::Receiver<Body>,
    mut sent: impl FnMut(u64),
) -> anyhow::Result<()> {
    let url = format!("{}/v1/traces", endpoint.trim_end_matches('/'));
    let client = client(&url, token)?;
    let mut under_way = JoinSet::new();
    loop {
        let body = tokio::select! {
            Some(done) = under_way.join_next() => {
                sent(done??);
                continue;
            }
            body = bodies.recv(), if under_way.len() < REQUESTS_AT_ONCE => body,
        };
        let Some(body) = body else { break };
        under_way.spawn(one(client.clone(), url.clone(), body));
    }
    while let Some(done) = under_way.join_next().await {
        sent(done??);
    }
    Ok(())
}

/// A client that gives up on a request that is never answered, and that goes through no proxy to this machine: a proxy
/// would look for the service on its own.
fn client(url: &str, token: Option<String>) -> anyhow::Result<Client> {
    let mut headers = header::HeaderMap::new();
    if let Some(token) = token {
        // What is wrong about it is not said: the message would hold it.
        let bearer = header::HeaderValue::try_from(format!("Bearer {token}"));
        let mut bearer = bearer.map_err(|_| anyhow!("the token is none: it holds what no header may"))?;
        bearer.set_sensitive(true);
        headers.insert(header::AUTHORIZATION, bearer);
    }
    let builder =
        Client::builder().default_headers(headers).connect_timeout(CONNECT_TIME_MAX).timeout(REQUEST_TIME_MAX);
    Ok(if is_loopback(url) { builder.no_proxy() } else { builder }.build()?)
}

pub(crate) fn is_loopback(url: &str) -> bool {
    let Some(host) = Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)) else { return false };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// One request, tried again on the four statuses that OTLP calls retryable and when no answer came.
async fn one(client: Client, url: String, body: Body) -> anyhow::Result<u64> {
    let bytes = bytes::Bytes::from(body.bytes);
    let mut pause = Duration::from_millis(100);
    for attempt in 1..=TRIES_MAX {
        let request = client.post(&url).header(header::CONTENT_TYPE, "application/x-protobuf").body(bytes.clone());
        match request.send().await {
            Ok(response) if response.status() == StatusCode::OK => {
                let answer = ExportTraceServiceResponse::decode(response.bytes().await?)
                    .with_context(|| format!("{url} answered something else than OTLP"))?;
                if let Some(partial) = answer.partial_success.filter(|partial| partial.rejected_spans > 0) {
                    bail!(
                        "{url} refused {} spans: {}; simulated days lie in the past, and a collector takes them only with a \
                         token that may replay, or without tokens when it runs with GILBRETH_COLLECTOR_REPLAY=true (or \
                         replay = true under [collector])",
                        partial.rejected_spans,
                        partial.error_message
                    );
                }
                return Ok(body.spans);
            }
            Ok(response) if response.status() == StatusCode::UNAUTHORIZED => {
                bail!("{url} wants a token that it knows: --token, or the environment variable GILBRETH_TOKEN");
            }
            Ok(response) if !matches!(response.status().as_u16(), 429 | 502 | 503 | 504) => {
                bail!("{url} answered {}", response.status());
            }
            Ok(response) if attempt == TRIES_MAX => bail!("{url} still answers {}", response.status()),
            Err(error) if attempt == TRIES_MAX => {
                return Err(error).with_context(|| format!("{url} cannot be reached"));
            }
            Ok(_) | Err(_) => {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(5));
            }
        }
    }
    unreachable!("the last try returns")
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn this_machine_is_told_from_others() {
        for (url, expected) in [
            ("http://127.0.0.1:4318/v1/traces", true),
            ("http://[::1]:4318/v1/traces", true),
            ("http://localhost:4318/v1/traces", true),
            ("http://10.0.0.7:4318/v1/traces", false),
            ("http://collector.example/v1/traces", false),
            ("nonsense", false),
        ] {
            assert_eq!(is_loopback(url), expected, "{url}");
        }
    }
}
