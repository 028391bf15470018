//! One error for the crate; its kind says what the caller should do.

/// What to do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The input is wrong and will never be accepted as it is.
    Invalid,
    /// Too much at once: send again later.
    Overloaded,
    /// Something outside is not there (disk full, store locked, port in use): mend it and try again.
    Unavailable,
    /// What is on the disk contradicts itself.
    Corrupt,
    /// A broken promise of our own.
    Internal,
}

/// Why the collector could not do as asked. The message names the thing and the values, never what a user typed.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: ErrorKind,
    message: String,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of a kind with a message.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// The same error with what caused it.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What to do about it.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }
}
