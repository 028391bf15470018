//! Bytes in, durable and private spans out.
//!
//! ```text
//! receive ─▶ decode ─▶ gate ─▶ pipeline ─▶ log ─▶ acknowledge
//! import, ingest ────────▶┘       └─▶ store (Delta table `spans`)
//! ```
//! - **Acknowledged means durable**: an answer is given after the log is synced, never before.
//! - **Who may send is asked first** ([`access`]), before anything of a body is read.
//! - **Only the gate makes what may be stored** ([`gate`]): identifiers leave it as keyed hashes, values as digests; the
//!   log takes nothing else.
//! - **One committer** writes tables: concurrent Delta commits of one table could double rows.
//! - **Everything is bounded**, and what happens at a bound is said where the bound is.
//!
//! Deliberately absent: values and names of people, and a way back from a hash; the key lies outside of the store
//! ([`key`]).

// The way of a span, in order.
pub mod receive;

pub mod access;

pub mod decode;

pub mod gate;

pub mod pipeline;

mod log;

pub mod store;

// What senders in pages load.
pub mod agent;

// Other ways in.
pub mod import;

// What all of them use.
pub mod config;
pub mod disk;
pub mod error;
pub mod key;
pub mod schema;
mod share;
pub mod telemetry;

pub use error::{Error, ErrorKind};
/// The kinds of interaction, for those who name one in a rule.
pub use gilbreth_conventions::kind::Kind;
pub use share::Sender;
