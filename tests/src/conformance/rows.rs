//! The table.

mod bodies;
mod grpc;
mod http;
mod json;

use std::io::Write as _;

use hyper::Method;

use super::{
    Content, Expected, Row, Scope, Sent,
    grpc::Call,
    http::{Framing, Request},
};

const TRACES: &str = "/v1/traces";
const LOGS: &str = "/v1/logs";
const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";
/// A page that the server is configured to take from.
pub const ORIGIN: &str = "https://cases.example";
/// Bytes of a request after decompression, as OTLP recommends.
const BYTES_MAX: usize = 64 << 20;

/// All rows. Their spans are of now.
#[must_use]
pub fn rows() -> Vec<Row> {
    [http::rows(), json::rows(), grpc::rows()].into_iter().flatten().collect()
}

/// An export over HTTP that succeeds, to be changed into what a row needs.
fn post(name: impl Into<String>, path: &'static str, content_type: &str, body: impl Into<Vec<u8>>) -> Row {
    let request = Request {
        method: "POST",
        path,
        version: "HTTP/1.1",
        headers: vec![("content-type", content_type.to_owned())],
        body: body.into(),
        framing: Framing::Length,
    };
    let expected = Expected { status: 200, headers: Vec::new(), content: Content::Success };
    Row { name: format!("HTTP: {}", name.into()), scope: Scope::Everyone, sent: Sent::Http(request), expected }
}

/// A call over gRPC that succeeds.
fn call(name: impl Into<String>, path: &'static str, body: Vec<u8>) -> Row {
    let headers = Vec::new();
    let call = Call { method: Method::POST, path, content_type: "application/grpc", headers, body };
    let expected = Expected { status: 200, headers: Vec::new(), content: Content::Success };
    Row { name: format!("gRPC: {}", name.into()), scope: Scope::Everyone, sent: Sent::Grpc(call), expected }
}

impl Row {
    fn of(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        match &mut self.sent {
            Sent::Http(request) => request.headers.push((name, value.to_owned())),
            Sent::Grpc(call) => call.headers.push((name, value.to_owned())),
        }
        self
    }

    fn http(mut self, change: impl FnOnce(&mut Request)) -> Self {
        if let Sent::Http(request) = &mut self.sent {
            change(request);
        }
        self
    }

    fn grpc(mut self, change: impl FnOnce(&mut Call)) -> Self {
        if let Sent::Grpc(call) = &mut self.sent {
            change(call);
        }
        self
    }

    fn gives(mut self, status: u16, content: Content) -> Self {
        self.expected.status = status;
        self.expected.content = content;
        // Only what is to be sent again says when.
        if matches!(self.sent, Sent::Http(_)) {
            self.expected.headers.push(("retry-after", if status == 503 { "*" } else { "-" }));
        }
        self
    }

    fn fails(self, code: i32) -> Self {
        self.gives(200, Content::Status(code))
    }

    fn has(mut self, name: &'static str, value: &'static str) -> Self {
        self.expected.headers.push((name, value));
        self
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(bytes).and_then(|()| writer.finish()).expect("memory takes what is written")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).expect("memory takes what is written")
}
