//! How fast bytes become columns, beside `prost`, which is what a receiver would take by default: spans a second of one
//! thread, in turns within one run. `docs/benchmarks.md` says how to run it; nothing is asserted.
//!
//! Requests are put together from files of exports as `gilbreth simulate --out` writes them: exports one after another
//! are one export, which is how protocol buffers are merged.

use std::{hint::black_box, time::Instant};

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use gilbreth_collector::{
    config::Config,
    decode::{Encoding, Signal, decode},
    gate::{self, Names, Policy, Source},
    key::StoreKey,
};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;

/// An export of the simulation that is smaller goes with the next.
const SPANS_OF_REQUEST: usize = 500;
/// As many as fit into a cache: what was just received lies there.
const REQUESTS: usize = 2;
const REPEATS: usize = 30;
const ROUNDS: usize = 25;

/// What is timed; says whether the request was taken.
type Work<'a> = dyn Fn(&Bytes) -> bool + 'a;

/// Measures and prints.
pub(crate) fn run() -> anyhow::Result<()> {
    let files: Vec<_> = std::env::args_os().skip(1).filter(|argument| argument != "--bench").collect();
    ensure!(!files.is_empty(), "name files of exports, as `gilbreth simulate --out` writes them");
    let (requests, spans) = requests(&files)?;
    let bytes: usize = requests.iter().map(Bytes::len).sum();
    println!("{} requests, {spans} spans, {} bytes a span", requests.len(), bytes / spans);

    let (key, config) = (StoreKey::new([1; 32]), Config { replay: true, ..Config::default() });
    let columns = |request: &Bytes| decode(Signal::Traces, Encoding::Protobuf, request);
    let prost = |request: &Bytes| ExportTraceServiceRequest::decode(request.as_ref()).is_ok();
    let decoding = |request: &Bytes| columns(request).is_ok();
    // The same requests come again and again: a gate that remembers nothing of them makes each hash anew.
    let admitting = |request: &Bytes| {
        let (policy, names) = (Policy::new(&key, &config), Names::default());
        columns(request).is_ok_and(|decoded| gate::admit(&decoded, &policy, Source::File, 0, &names).is_ok())
    };
    let of_all: [(&str, &Work<'_>); 3] = [
        ("prost, to its messages", &prost),
        ("to columns", &decoding),
        ("to columns and through the gate", &admitting),
    ];
    let mut rates = [const { Vec::new() }; 3];
    for _ in 0..ROUNDS {
        for ((_, work), rates) in of_all.iter().zip(&mut rates) {
            let started = Instant::now();
            let done = (0..REPEATS).all(|_| requests.iter().all(|request| black_box(work(request))));
            ensure!(done, "a request is refused");
            rates.push((REPEATS * spans) as f64 / started.elapsed().as_secs_f64());
        }
    }
    let beside: Vec<f64> = rates[0].clone();
    for ((what, _), rates) in of_all.iter().zip(rates) {
        let times = median(rates.iter().zip(&beside).map(|(rate, prost)| rate / prost).collect());
        println!("{what:<32} {:>10.0} spans/s {times:>6.2} times prost", median(rates));
    }
    Ok(())
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of[of.len() / 2]
}

/// Requests of at least so many spans, and how many spans there are.
fn requests(files: &[std::ffi::OsString]) -> anyhow::Result<(Vec<Bytes>, usize)> {
    let (mut requests, mut all, mut request, mut spans) = (Vec::new(), 0, Vec::new(), 0);
    for file in files {
        let bytes = std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
        let mut rest = bytes.as_slice();
        while !rest.is_empty() && requests.len() < REQUESTS {
            let export = ExportTraceServiceRequest::decode_length_delimited(&mut rest)
                .with_context(|| format!("{} is no file of exports", file.display()))?;
            spans +=
                export.resource_spans.iter().flat_map(|of| &of.scope_spans).map(|of| of.spans.len()).sum::<usize>();
            export.encode(&mut request)?;
            if spans >= SPANS_OF_REQUEST {
                requests.push(Bytes::from(std::mem::take(&mut request)));
                all += std::mem::take(&mut spans);
            }
        }
    }
    ensure!(!requests.is_empty(), "there are fewer than {SPANS_OF_REQUEST} spans in the files");
    Ok((requests, all))
}
