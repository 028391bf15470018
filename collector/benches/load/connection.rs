//! One connection, one request at a time: HTTP/1.1 for OTLP over HTTP, HTTP/2 for gRPC.

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Request, Uri,
    client::conn::{http1, http2},
    header,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use crate::{
    answer::Answer,
    options::{Options, Protocol},
};

/// Where requests go and what their heads say.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    authority: String,
    path: String,
    protocol: Protocol,
    gzip: bool,
}

impl Target {
    pub(crate) fn new(endpoint: &str, options: &Options) -> anyhow::Result<Self> {
        let uri: Uri = endpoint.parse().with_context(|| format!("{endpoint} is no address"))?;
        ensure!(uri.scheme_str() == Some("http"), "{endpoint} does not begin with http://");
        let standard = match options.protocol {
            Protocol::Http => "/v1/traces",
            Protocol::Grpc => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        };
        let path = if uri.path().len() > 1 { uri.path() } else { standard };
        let authority = uri.authority().context("an address without a host")?;
        let port = authority.port_u16().context("an address without a port")?;
        Ok(Self {
            authority: format!("{}:{port}", authority.host()),
            path: path.to_owned(),
            protocol: options.protocol,
            gzip: options.gzip,
        })
    }

    /// Host and port.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    fn request(&self, body: Bytes) -> anyhow::Result<Request<Full<Bytes>>> {
        let request = match self.protocol {
            Protocol::Http => {
                let request = Request::post(&self.path)
                    .header(header::HOST, &self.authority)
                    .header(header::CONTENT_TYPE, "application/x-protobuf");
                if self.gzip { request.header(header::CONTENT_ENCODING, "gzip") } else { request }
            }
            Protocol::Grpc => {
                let request = Request::post(format!("http://{}{}", self.authority, self.path))
                    .header(header::CONTENT_TYPE, "application/grpc")
                    .header(header::TE, "trailers");
                if self.gzip { request.header("grpc-encoding", "gzip") } else { request }
            }
        };
        Ok(request.body(Full::new(body))?)
    }
}

/// An open connection.
pub(crate) enum Connection {
    One(http1::SendRequest<Full<Bytes>>),
    Two(http2::SendRequest<Full<Bytes>>),
}

impl Connection {
    pub(crate) async fn open(target: &Target) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(&target.authority).await?;
        stream.set_nodelay(true)?;
        let stream = TokioIo::new(stream);
        match target.protocol {
            Protocol::Http => {
                let (sender, connection) = http1::handshake(stream).await?;
                tokio::spawn(connection);
                Ok(Self::One(sender))
            }
            Protocol::Grpc => {
                let (sender, connection) = http2::handshake(TokioExecutor::new(), stream).await?;
                tokio::spawn(connection);
                Ok(Self::Two(sender))
            }
        }
    }

    /// Sends one request and waits for its answer. After an error the connection is good for nothing.
    pub(crate) async fn send(&mut self, target: &Target, body: Bytes) -> anyhow::Result<Answer> {
        let request = target.request(body)?;
        let response = match self {
            Self::One(sender) => {
                sender.ready().await?;
                sender.send_request(request).await?
            }
            Self::Two(sender) => {
                sender.ready().await?;
                sender.send_request(request).await?
            }
        };
        let (head, body) = response.into_parts();
        let body = body.collect().await?;
        match target.protocol {
            Protocol::Http => Answer::of_http(head.status, &head.headers, &body.to_bytes()),
            Protocol::Grpc => {
                let trailers = body.trailers().cloned().unwrap_or(head.headers);
                Answer::of_grpc(head.status, &trailers, &body.to_bytes())
            }
        }
    }
}
