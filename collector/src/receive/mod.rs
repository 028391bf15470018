//! Where exports come in: over HTTP, over gRPC, and from files. All hand what they read to the same gate.
//!
//! ```text
//! connection ─▶ http ─┐ head, body                        ┌─▶ http: status and google.rpc.Status
//! (or TLS)   ─▶ grpc ─┴─▶ export: who? ─▶ read ─▶ work ───┴─▶ grpc: trailers
//! ```
//! [`export`] knows no transport: `http` and `grpc` are thin edges that take a request apart and write its answer down.
//!
//! Bounds, and what happens at each, lie in three places: [`connections`] (how many, how slow, how large a head),
//! [`room`] (memory, shared by all requests, of which no sender can take all: [`share`](crate::share)) and `decode` (what
//! one request may hold). Where the log takes nothing, or much that a sender sent before still waits to be stored, a request is
//! refused by its head: nothing of its body is read.

mod behind;
mod body;
mod compression;
mod connections;
mod export;
pub mod files;
pub mod grpc;
pub mod http;
mod metrics;
mod refusal;
mod room;
pub mod tls;

pub(crate) use self::compression::Compression;
pub use self::export::Receiver;
