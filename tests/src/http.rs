//! A case system's HTTP client: one request at a time.

use std::net::{IpAddr, SocketAddr};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// `Content-Type`, empty when there is none.
    pub content_type: String,
    /// The body.
    pub body: Vec<u8>,
}

/// A client that keeps its connection.
#[derive(Debug)]
pub struct Client {
    runtime: tokio::runtime::Runtime,
    http: reqwest::Client,
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

impl Client {
    /// A client without proxies.
    ///
    /// # Panics
    /// When the machine lets no runtime start.
    pub fn new() -> Self {
        Self::over(reqwest::Client::builder())
    }

    /// A client at an address of this machine, by which the server tells senders apart.
    ///
    /// # Panics
    /// When the machine lets no runtime start.
    pub fn from(address: IpAddr) -> Self {
        Self::over(reqwest::Client::builder().local_address(address))
    }

    fn over(builder: reqwest::ClientBuilder) -> Self {
        Self {
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts"),
            http: builder.no_proxy().build().expect("a client without TLS can always be made"),
        }
    }

    /// POSTs a body with headers; an error when no answer came.
    pub fn post(
        &self,
        to: SocketAddr,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Answer, reqwest::Error> {
        let mut request = self.http.post(format!("http://{to}{path}")).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.runtime.block_on(answer(request))
    }

    /// GETs a page; an error when no answer came.
    pub fn get(&self, from: SocketAddr, path: &str) -> Result<Answer, reqwest::Error> {
        self.runtime.block_on(answer(self.http.get(format!("http://{from}{path}"))))
    }

    /// Exports spans as protobuf; an error when no answer came.
    pub fn export(&self, to: SocketAddr, request: &ExportTraceServiceRequest) -> Result<Answer, reqwest::Error> {
        self.post(to, "/v1/traces", &[("content-type", "application/x-protobuf")], request.encode_to_vec())
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Result<Answer, reqwest::Error> {
    let response = request.send().await?;
    let status = response.status().as_u16();
    let content_type =
        response.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    Ok(Answer { status, content_type, body: response.bytes().await?.to_vec() })
}
