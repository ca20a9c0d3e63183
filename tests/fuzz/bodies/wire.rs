//! A log that is whatever the bytes say: what a mirror may be answered.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, stream};
use zhengming::feed::mirror::{Log, Phase, Progress, Source, SourceError};
use zhengming::feed::note::{NoteSigner, NoteVerifier};

/// Of all logs here.
pub fn signer() -> NoteSigner {
    crate::support::app::signer()
}

/// Answers every path alike.
#[derive(Debug)]
pub struct Answers {
    pub body: Vec<u8>,
    pub location: String,
    /// How much of it comes at once.
    pub piece: usize,
}

impl Answers {
    pub fn log(self, verifier: &NoteVerifier) -> Log {
        Log { source: Arc::new(self), verifier: verifier.clone() }
    }
}

#[async_trait]
impl Source for Answers {
    async fn get(&self, path: &str, bytes_max: usize) -> Result<Vec<u8>, SourceError> {
        if self.body.len() > bytes_max {
            return Err(SourceError::Strange { path: path.to_owned(), why: "it is too long".to_owned() });
        }
        Ok(self.body.clone())
    }

    async fn stream(
        &self,
        _: &str,
        from: u64,
    ) -> Result<stream::BoxStream<'static, Result<Bytes, SourceError>>, SourceError> {
        let rest = self.body.get(from as usize..).unwrap_or_default();
        let pieces: Vec<_> = rest.chunks(self.piece).map(Bytes::copy_from_slice).map(Ok).collect();
        Ok(stream::iter(pieces).boxed())
    }

    async fn location(&self, _: &str, _: &str) -> Result<String, SourceError> {
        Ok(self.location.clone())
    }

    async fn put(&self, _: &str, _: Vec<u8>) -> Result<(), SourceError> {
        Ok(())
    }
}

#[derive(Debug)]
pub struct Silent;

impl Progress for Silent {
    fn at(&self, _: Phase, _: u64, _: u64) {}
}

/// Nothing here waits for anything.
pub fn at_once<T>(work: impl Future<Output = T>) -> T {
    work.now_or_never().expect("every answer is at hand")
}
