//! What OTLP 1.11 asks of a receiver, as a table: request → status, headers, body. It drives any server; the journey
//! `conformance` drives ours, and `cargo run --release -p gilbreth --example conformance` whatever it is pointed at.

mod check;
mod grpc;
mod http;
mod rows;

use std::net::SocketAddr;

pub use self::rows::{ORIGIN, rows};

/// One line of the table.
#[derive(Debug)]
pub struct Row {
    /// What it shows.
    pub name: String,
    /// Whom it binds.
    pub scope: Scope,
    sent: Sent,
    expected: Expected,
}

/// Whom a row binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Every receiver: the protocol says so.
    Everyone,
    /// This collector, which chose among what the protocol allows.
    Ours,
    /// This collector while one sender holds all that it may.
    Overloaded,
    /// This collector while its disk is full.
    DiskFull,
}

#[derive(Debug)]
enum Sent {
    Http(http::Request),
    Grpc(grpc::Call),
}

/// What must come back.
#[derive(Debug)]
struct Expected {
    /// The status of HTTP.
    status: u16,
    /// Headers that must be there: with a value, or (`*`) any; or must not (`-`).
    headers: Vec<(&'static str, &'static str)>,
    content: Content,
}

/// What must be in the body; over gRPC, in message and trailers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    /// A response without `partial_success`, in the request's encoding.
    Success,
    /// A response that refuses so many, and says why.
    Partial(i64),
    /// A `google.rpc.Status` with a message, in the request's encoding; for gRPC, the code of the trailers.
    Status(i32),
    /// Whatever.
    Any,
}

/// What came back, of either transport.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    grpc: Option<tonic::Status>,
}

/// Where a server listens.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// OTLP over HTTP.
    pub http: SocketAddr,
    /// OTLP over gRPC, if it is to be looked at.
    pub grpc: Option<SocketAddr>,
}

/// What became of a row.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All as expected.
    Passed,
    /// Something was not, and this is what.
    Failed(String),
    /// Its port is not known.
    Skipped,
}

impl Row {
    /// Sends the request and holds the answer to what is expected.
    pub fn run(&self, target: Target) -> Verdict {
        let answered = match (&self.sent, target.grpc) {
            (Sent::Http(request), _) => request.send(target.http),
            (Sent::Grpc(call), Some(to)) => call.send(to),
            (Sent::Grpc(_), None) => return Verdict::Skipped,
        };
        match answered {
            Err(error) => Verdict::Failed(format!("no answer: {error}")),
            Ok(answer) => match check::differences(&self.sent, &self.expected, &answer) {
                differences if differences.is_empty() => Verdict::Passed,
                differences => Verdict::Failed(differences.join("; ")),
            },
        }
    }
}
