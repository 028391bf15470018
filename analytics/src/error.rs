//! What can go wrong between a question and its answer.

use datafusion::error::DataFusionError;
use gilbreth_collector::ErrorKind;

/// Why there is no answer. [`Error::kind`] says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] gilbreth_collector::Error),
    /// What was asked for makes no sense as it is.
    #[error("{0}")]
    Invalid(String),
    /// The SQL is wrong, or could not be run.
    #[error("the query failed")]
    Query(#[source] Box<DataFusionError>),
    /// The SQL is wrong at a place that is known: line and column, from 1.
    #[error("the query failed at line {line}, column {column}")]
    QueryAt {
        /// The line.
        line: u64,
        /// The column, in characters.
        column: u64,
        /// What is wrong.
        #[source]
        source: Box<DataFusionError>,
    },
    /// A file of ours could not be read, or is not what it should be.
    #[error("{path} {problem}")]
    File {
        /// The file.
        path: String,
        /// What is wrong with it.
        problem: &'static str,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A result could not be written.
    #[error("the result could not be written")]
    Output(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A promise of our own was broken.
    #[error("{0}")]
    Internal(String),
}

impl Error {
    /// What to do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Store(error) => error.kind(),
            Self::Invalid(_) | Self::File { .. } => ErrorKind::Invalid,
            Self::Query(error) | Self::QueryAt { source: error, .. } => match error.find_root() {
                DataFusionError::SQL(..)
                | DataFusionError::Plan(_)
                | DataFusionError::SchemaError(..)
                | DataFusionError::NotImplemented(_)
                | DataFusionError::ArrowError(..)
                | DataFusionError::Execution(_) => ErrorKind::Invalid,
                DataFusionError::ResourcesExhausted(_) => ErrorKind::Overloaded,
                DataFusionError::IoError(_) | DataFusionError::ObjectStore(_) => ErrorKind::Unavailable,
                _ => ErrorKind::Internal,
            },
            Self::Output(_) => ErrorKind::Unavailable,
            Self::Internal(_) => ErrorKind::Internal,
        }
    }
}

impl From<DataFusionError> for Error {
    fn from(error: DataFusionError) -> Self {
        let place = error.diagnostic().and_then(|diagnostic| diagnostic.span).map(|span| span.start);
        let source = Box::new(error);
        match place {
            Some(place) => Self::QueryAt { line: place.line, column: place.column, source },
            None => Self::Query(source),
        }
    }
}

impl From<arrow::error::ArrowError> for Error {
    fn from(error: arrow::error::ArrowError) -> Self {
        Self::Query(Box::new(error.into()))
    }
}
