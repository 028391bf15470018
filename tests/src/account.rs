//! Senders that keep account of what was acknowledged, and how the store is held to it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use gilbreth_conventions::attribute;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;

use crate::{
    grpc, http,
    program::{Program, Service},
    spans,
};

/// Spans of each numbered request.
pub const SPANS_A_REQUEST: u64 = 40;

/// What a sender was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// It is stored.
    Acknowledged,
    /// To come again.
    Later,
    /// Nothing: whether it is stored is not known.
    Nothing,
}

/// A sender over one connection.
#[derive(Debug)]
pub enum Sender {
    /// Over HTTP.
    Http(http::Client, std::net::SocketAddr),
    /// Over gRPC.
    Grpc(grpc::Client),
}

impl Sender {
    /// Every other number sends over gRPC.
    pub fn numbered(number: u64, service: &Service) -> Self {
        if number.is_multiple_of(2) {
            Self::Http(http::Client::new(), service.otlp())
        } else {
            Self::Grpc(grpc::Client::new(service.grpc()))
        }
    }

    /// Sends a numbered request.
    ///
    /// # Panics
    /// When it is refused for good.
    pub fn send(&mut self, number: u64) -> Told {
        let request = request_of(number);
        match self {
            Self::Http(client, to) => match client.export(*to, &request) {
                Ok(answer) => match answer.status {
                    200 => Told::Acknowledged,
                    503 => Told::Later,
                    status => panic!("status {status}"),
                },
                Err(_) => Told::Nothing,
            },
            Self::Grpc(client) => match client.export(&request) {
                Ok(tonic::Code::Ok) => Told::Acknowledged,
                Ok(tonic::Code::Unavailable) => Told::Later,
                Ok(code) => panic!("code {code:?}"),
                Err(_) => Told::Nothing,
            },
        }
    }
}

/// A numbered request holds spans of its own, always the same ones.
fn request_of(number: u64) -> ExportTraceServiceRequest {
    let now = i64::try_from(std::time::UNIX_EPOCH.elapsed().map_or(0, |now| now.as_millis())).unwrap_or(0);
    let spans = (0..SPANS_A_REQUEST)
        .map(|at| {
            let more = vec![spans::text(attribute::WORKER[0], "worker"), spans::text(attribute::SCREEN[0], "contacts")];
            spans::interaction(number * SPANS_A_REQUEST + at, "action", now - 1_000, now, more)
        })
        .collect();
    spans::request("ndelius", spans)
}

/// Holds a store that nobody writes to what was acknowledged: all of it is there, and nothing is there twice.
///
/// # Panics
/// When it is not so.
pub fn hold(program: &Program, store: &Path, acknowledged: &BTreeSet<u64>) {
    let csv = program.succeed([
        "sql",
        "--store",
        &store.to_string_lossy(),
        "--format",
        "csv",
        "SELECT encode(span_id, 'hex') AS id, count(*) AS times FROM spans WHERE system = 'ndelius' GROUP BY 1",
    ]);
    let stored: BTreeMap<&str, &str> = csv.lines().skip(1).filter_map(|line| line.split_once(',')).collect();
    let ids = |number: &u64| {
        let first = number * SPANS_A_REQUEST + 1;
        (first..first + SPANS_A_REQUEST).map(|id| format!("{id:016x}"))
    };
    let lost: Vec<_> = acknowledged.iter().flat_map(ids).filter(|id| !stored.contains_key(id.as_str())).collect();
    let doubled: Vec<_> = stored.iter().filter(|(_, times)| **times != "1").collect();
    assert!(lost.is_empty() && doubled.is_empty(), "lost {lost:?}, doubled {doubled:?}");
}
