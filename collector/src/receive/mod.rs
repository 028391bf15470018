//! Where exports come in: over HTTP, and from files. Both hand what they read to the same gate.

mod compression;
pub mod files;
pub mod http;

pub(crate) use self::compression::Compression;
