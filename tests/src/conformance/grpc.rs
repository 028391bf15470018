//! A client of gRPC that frames its messages itself.

use std::{io, net::SocketAddr, time::Duration};

use http_body_util::{BodyExt as _, Full};
use hyper::{Method, body::Bytes};
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::Answer;

const PATIENCE: Duration = Duration::from_secs(30);

/// A call.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) content_type: &'static str,
    pub(super) headers: Vec<(&'static str, String)>,
    /// Framed already.
    pub(super) body: Vec<u8>,
}

impl Call {
    pub(super) fn send(&self, to: SocketAddr) -> io::Result<Answer> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async { tokio::time::timeout(PATIENCE, self.answer(to)).await })?.map_err(io::Error::other)
    }

    async fn answer(&self, to: SocketAddr) -> Result<Answer, Box<dyn std::error::Error + Send + Sync>> {
        let stream = TokioIo::new(tokio::net::TcpStream::connect(to).await?);
        let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await?;
        let connection = tokio::spawn(connection);
        let mut request =
            hyper::Request::builder().method(self.method.clone()).uri(format!("http://{to}{}", self.path));
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let request = request.header("content-type", self.content_type).header("te", "trailers");
        let response = sender.send_request(request.body(Full::new(Bytes::from(self.body.clone())))?).await?;
        let (head, body) = response.into_parts();
        let body = body.collect().await?;
        let status = body.trailers().and_then(tonic::Status::from_header_map);
        let grpc = status.or_else(|| tonic::Status::from_header_map(&head.headers));
        connection.abort();
        let headers = head
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
        Ok(Answer { status: head.status.as_u16(), headers: headers.collect(), body: body.to_bytes().to_vec(), grpc })
    }
}
