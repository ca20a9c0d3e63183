//! A log's source for whoever looks at all of it: where the service says how
//! long it wants to be left alone, that is waited for. A log of any size has
//! more tiles than one address may take at once.

use std::time::Duration;

use async_trait::async_trait;
use tokio::time::sleep;

use crate::feed::mirror::{ByteStream, Source, SourceError};

/// In a row, for one path.
const PAUSES_MAX: u32 = 10;
const PAUSE_S_MAX: u64 = 60;

#[derive(Debug)]
pub struct Patient<S>(pub S);

async fn patiently<T, F>(mut ask: impl FnMut() -> F) -> Result<T, SourceError>
where
    F: Future<Output = Result<T, SourceError>>,
{
    for _ in 0..PAUSES_MAX {
        match ask().await {
            Err(SourceError::Busy { retry_after_s: Some(pause_s), .. }) => {
                sleep(Duration::from_secs(pause_s.clamp(1, PAUSE_S_MAX))).await;
            }
            done => return done,
        }
    }
    ask().await
}

#[async_trait]
impl<S: Source> Source for Patient<S> {
    async fn get(&self, path: &str, bytes_max: usize) -> Result<Vec<u8>, SourceError> {
        patiently(|| self.0.get(path, bytes_max)).await
    }

    async fn stream(&self, path: &str, from: u64) -> Result<ByteStream, SourceError> {
        patiently(|| self.0.stream(path, from)).await
    }

    async fn location(&self, path: &str, accept: &str) -> Result<String, SourceError> {
        patiently(|| self.0.location(path, accept)).await
    }

    async fn put(&self, path: &str, json: Vec<u8>) -> Result<(), SourceError> {
        patiently(|| self.0.put(path, json.clone())).await
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::time::timeout;

    use super::*;

    /// Says so often that it is busy.
    #[derive(Debug)]
    struct Busy(AtomicU32, Option<u64>);

    #[async_trait]
    impl Source for Busy {
        async fn get(&self, path: &str, _: usize) -> Result<Vec<u8>, SourceError> {
            let left = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
            let busy = SourceError::Busy { path: path.to_owned(), status: 429, retry_after_s: self.1 };
            if left.is_ok() { Err(busy) } else { Ok(Vec::new()) }
        }

        async fn stream(&self, _: &str, _: u64) -> Result<ByteStream, SourceError> {
            unreachable!("nobody asks")
        }

        async fn location(&self, _: &str, _: &str) -> Result<String, SourceError> {
            unreachable!("nobody asks")
        }

        async fn put(&self, _: &str, _: Vec<u8>) -> Result<(), SourceError> {
            unreachable!("nobody asks")
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_comes_back_when_it_is_told_to_and_not_for_ever() {
        for (times, retry_after_s, is_ok, waited_s) in [
            (0, Some(3), true, 0),
            (2, Some(3), true, 6),
            (10, Some(1), true, 10),
            (11, Some(1), false, 10),
            (1, Some(u64::MAX), true, 60),
            (1, None, false, 0),
        ] {
            let within = async |ms: u64| {
                let source = Patient(Busy(AtomicU32::new(times), retry_after_s));
                timeout(Duration::from_millis(ms), source.get("/x", 1)).await.map(|got| got.is_ok())
            };
            assert_eq!(within(waited_s * 1_000 + 500).await, Ok(is_ok), "{times} {retry_after_s:?}");
            assert_eq!(within((waited_s * 1_000).saturating_sub(500)).await.is_err(), waited_s > 0);
        }
    }
}
