//! A case system's gRPC client: one export at a time over one connection.

use std::{io, net::SocketAddr, time::Duration};

use http_body_util::{BodyExt as _, Full};
use hyper::{body::Bytes, client::conn::http2::SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_mins(1);
const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// A client that keeps its connection.
#[derive(Debug)]
pub struct Client {
    runtime: tokio::runtime::Runtime,
    to: SocketAddr,
    open: Option<SendRequest<Full<Bytes>>>,
}

impl Client {
    /// A client of a server, to which it connects when it first sends.
    ///
    /// # Panics
    /// When the machine lets no runtime start.
    pub fn new(to: SocketAddr) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Self { runtime: runtime.expect("a runtime starts"), to, open: None }
    }

    /// Exports spans; an error when no answer came.
    pub fn export(&mut self, request: &ExportTraceServiceRequest) -> io::Result<tonic::Code> {
        let (to, open) = (self.to, self.open.take());
        let exported = async { tokio::time::timeout(PATIENCE, export(to, open, request)).await };
        let (code, open) = self.runtime.block_on(exported)?.map_err(io::Error::other)?;
        self.open = Some(open);
        Ok(code)
    }
}

type Fault = Box<dyn std::error::Error + Send + Sync>;

async fn export(
    to: SocketAddr,
    open: Option<SendRequest<Full<Bytes>>>,
    request: &ExportTraceServiceRequest,
) -> Result<(tonic::Code, SendRequest<Full<Bytes>>), Fault> {
    let mut sender = match open {
        Some(sender) => sender,
        None => {
            let stream = TokioIo::new(tokio::net::TcpStream::connect(to).await?);
            let (sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await?;
            tokio::spawn(connection);
            sender
        }
    };
    let mut framed = vec![0];
    framed.extend(u32::try_from(request.encoded_len())?.to_be_bytes());
    request.encode(&mut framed)?;
    let sent = hyper::Request::post(format!("http://{to}{EXPORT}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Full::new(Bytes::from(framed)))?;
    let (head, body) = sender.send_request(sent).await?.into_parts();
    let body = body.collect().await?;
    let status = body.trailers().and_then(tonic::Status::from_header_map);
    let status = status.or_else(|| tonic::Status::from_header_map(&head.headers));
    Ok((status.ok_or("an answer without a status of gRPC")?.code(), sender))
}
