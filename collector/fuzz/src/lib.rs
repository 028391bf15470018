//! The decoder's own sources, and what is checked of any bytes. The collector's tests replay the corpus through the same
//! checks: see docs/testing.md.

/// The very files of the collector.
#[path = "../../src"]
mod collector {
    #[allow(dead_code, unused_imports, reason = "the gate and receiving, which use the rest, are not built here")]
    pub mod decode;
}

pub mod checks;
pub use collector::decode;
