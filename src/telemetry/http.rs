//! Sends spans of our own by OTLP/HTTP. The exporter of the OpenTelemetry project for that would bring a second build of
//! its HTTP client; the messages and the client are here already.

use std::time::Duration;

use anyhow::Context as _;
use gilbreth_collector::telemetry as own;
use opentelemetry_proto::{
    tonic::collector::trace::v1::ExportTraceServiceRequest,
    transform::{common::tonic::ResourceAttributesWithSchema, trace::tonic::group_spans_by_resource_and_scope},
};
use opentelemetry_sdk::{
    Resource,
    error::{OTelSdkError, OTelSdkResult},
    trace::{SpanData, SpanExporter},
};
use prost::Message as _;
use reqwest::{
    Client,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use tokio::runtime::Handle;

use super::variable;

/// What is not taken by then is lost: spans of our own are worth no more.
const TIME_MAX: Duration = Duration::from_secs(10);
/// Where a collector listens if nobody says.
const ENDPOINT: &str = "http://127.0.0.1:4318";

#[derive(Debug)]
pub(super) struct Exporter {
    client: Client,
    url: String,
    resource: ResourceAttributesWithSchema,
    /// The processor calls from a thread of its own.
    runtime: Handle,
}

impl Exporter {
    /// An exporter to the endpoint that the standard variables name, else to this one. To be called in a runtime.
    pub(super) fn new(endpoint: &str) -> anyhow::Result<Self> {
        let base = variable("OTEL_EXPORTER_OTLP_ENDPOINT").unwrap_or_else(|| endpoint.to_owned());
        let base = if base.is_empty() { ENDPOINT } else { base.as_str() };
        let url = variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
            .unwrap_or_else(|| format!("{}/v1/traces", base.trim_end_matches('/')));
        let mut headers =
            match variable("OTEL_EXPORTER_OTLP_TRACES_HEADERS").or_else(|| variable("OTEL_EXPORTER_OTLP_HEADERS")) {
                Some(text) => parsed(&text).context("OTEL_EXPORTER_OTLP_HEADERS is no list of name=value")?,
                None => HeaderMap::new(),
            };
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
        headers.insert(own::HEADER, HeaderValue::from_static("1"));
        let client = Client::builder().default_headers(headers).timeout(TIME_MAX);
        let client = if crate::send::is_loopback(&url) { client.no_proxy() } else { client }.build()?;
        Ok(Self { client, url, resource: ResourceAttributesWithSchema::default(), runtime: Handle::current() })
    }
}

impl SpanExporter for Exporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let resource_spans = group_spans_by_resource_and_scope(batch, &self.resource);
        let body = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
        let request = self.client.post(&self.url).body(body);
        // The client sets its timer at once, which asks for the runtime.
        let sending = self.runtime.spawn(async move { request.send().await });
        let failed = |why: String| OTelSdkError::InternalFailure(why);
        let answer = sending.await.map_err(|error| failed(error.to_string()))?;
        let status = answer.map_err(|error| failed(error.to_string()))?.status();
        if status.is_success() { Ok(()) } else { Err(failed(format!("{} answered {status}", self.url))) }
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.resource = resource.into();
    }
}

/// `name=value,…`, values percent-encoded as in a URL. What is wrong is not said: a value may be a token.
fn parsed(text: &str) -> Option<HeaderMap> {
    let pairs = text.split(',').filter(|pair| !pair.trim().is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=')?;
        let mut value = HeaderValue::from_bytes(&decoded(value.trim())?).ok()?;
        value.set_sensitive(true);
        Some((HeaderName::try_from(name.trim()).ok()?, value))
    });
    pairs.collect()
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut parts = text.split('%');
    let mut out = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        out.push(u8::from_str_radix(digits, 16).ok()?);
        out.extend(rest.as_bytes());
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_as_the_variable_defines_them() {
        let headers = parsed("authorization=Bearer%20abc, x-y = 1,").unwrap();
        assert_eq!(headers.len(), 2);
        assert_eq!((headers["authorization"].as_bytes(), headers["x-y"].as_bytes()), (&b"Bearer abc"[..], &b"1"[..]));
        assert!(headers["authorization"].is_sensitive());
        for wrong in ["authorization", "a b=c", "a=%2", "a=%zz", "a=%0a"] {
            assert!(parsed(wrong).is_none(), "{wrong}");
        }
        assert_eq!(parsed("").unwrap().len(), 0);
    }
}
