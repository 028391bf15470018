//! Sends a simulated estate's exports over the network, as case systems do: OTLP/HTTP, several requests at a time, again
//! where the answer says so.

use std::time::Duration;

use anyhow::{Context as _, bail};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;
use reqwest::{Client, StatusCode, header};
use tokio::{sync::mpsc, task::JoinSet};

/// How many requests are under way at once.
const REQUESTS_AT_ONCE: usize = 4;
/// How often a request is tried before the sender gives up.
const TRIES_MAX: u32 = 8;

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
    mut bodies: mpsc::Receiver<Body>,
    mut sent: impl FnMut(u64),
) -> anyhow::Result<()> {
    let url = format!("{}/v1/traces", endpoint.trim_end_matches('/'));
    let client = Client::builder().build()?;
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
                        "{url} refused {} spans: {}; simulated days lie in the past, and a collector takes them only when it \
                         runs with GILBRETH_COLLECTOR_REPLAY=true (or replay = true under [collector])",
                        partial.rejected_spans,
                        partial.error_message
                    );
                }
                return Ok(body.spans);
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
