//! Where the log is read from: four things that can be done with a path.
//!
//! Absent: what the paths are (`log`), HTTP (`http`).

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;

pub type ByteStream = BoxStream<'static, Result<Bytes, SourceError>>;

/// Paths begin with `/feed/v1`.
#[async_trait]
pub trait Source: fmt::Debug + Send + Sync {
    /// All of a body, decompressed, if it has at most so many bytes.
    async fn get(&self, path: &str, bytes_max: usize) -> Result<Vec<u8>, SourceError>;

    /// A body from one of its bytes on, as it arrives. It may break off.
    async fn stream(&self, path: &str, from: u64) -> Result<ByteStream, SourceError>;

    /// Where a path redirects to, for who accepts this media type.
    async fn location(&self, path: &str, accept: &str) -> Result<String, SourceError>;

    async fn put(&self, path: &str, json: Vec<u8>) -> Result<(), SourceError>;
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    #[error("{path}: {why}")]
    Unreachable { path: String, why: String },
    #[error("{path}: the service is busy ({status})")]
    Busy { path: String, status: u16, retry_after_s: Option<u64> },
    #[error(
        "{path}: the service does not take the key ({status}): is it a provider's, whole and not revoked?"
    )]
    KeyRefused { path: String, status: u16 },
    #[error("{path}: the service said {status} {code}")]
    Refused { path: String, status: u16, code: String },
    #[error("{path}: the answer is not what belongs there: {why}")]
    Strange { path: String, why: String },
}

impl SourceError {
    pub fn is_gone(&self) -> bool {
        matches!(self, Self::Refused { status: 410, .. })
    }

    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Refused { status: 404, .. })
    }
}
