//! Bytes in, durable and private spans out.
//!
//! ```text
//! receive ─▶ decode ─▶ gate ─▶ pipeline ─▶ log ─▶ acknowledge
//!                                             └─▶ store (Delta table `spans`)
//! ```
pub mod config;
pub mod decode;
pub mod disk;
pub mod error;
pub mod gate;
pub mod import;
pub mod key;
mod log;
pub mod pipeline;
pub mod receive;
pub mod schema;
pub mod store;

pub use error::{Error, ErrorKind};
/// The kinds of interaction, for those who name one in a rule.
pub use gilbreth_conventions::kind::Kind;
