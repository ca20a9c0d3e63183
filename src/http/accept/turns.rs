//! Whose turn it is: so many requests that change something are worked on at
//! once. The others wait for theirs, in the order in which they came, and are
//! sent away where that takes long.
//!
//! All of them at once would take no less time for each, and whatever else the
//! process has to do would come behind thousands of them. Reads wait for
//! nobody: a disk or a database that stands still keeps writes, and the turns
//! that these have, but no reader.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// Somebody else's once it is dropped. Reads have none.
pub(super) type Turn = Option<OwnedSemaphorePermit>;

/// It was not had in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooMany;

pub(super) struct Turns {
    free: Arc<Semaphore>,
    patience: Duration,
}

impl Turns {
    pub(super) fn new(at_once_max: usize, patience: Duration) -> Self {
        Self { free: Arc::new(Semaphore::new(at_once_max)), patience }
    }

    pub(super) async fn next(&self, method: &Method) -> Result<Turn, TooMany> {
        if method.is_safe() {
            return Ok(None);
        }
        let turn = timeout(self.patience, Arc::clone(&self.free).acquire_owned()).await;
        turn.map(|turn| Some(turn.expect("the semaphore is never closed"))).map_err(|_| TooMany)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_waits_too_long_is_sent_away_and_readers_never_wait() {
        let turns = Turns::new(1, Duration::from_secs(3));
        let first = turns.next(&Method::POST).await.unwrap();
        assert!(first.is_some());
        assert!(turns.next(&Method::GET).await.unwrap().is_none());
        assert_eq!(turns.next(&Method::PUT).await.unwrap_err(), TooMany);
        drop(first);
        assert!(turns.next(&Method::POST).await.unwrap().is_some());
    }
}
