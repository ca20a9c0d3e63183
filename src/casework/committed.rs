//! From a commit to its publication in the log: which request's entries they
//! were. In memory only: after a restart the entries' numbers, which are in both
//! lines, still tell.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::casework::{Casework, Result};
use crate::env::correlation;
use crate::store::{Changeset, Receipt};

/// Commits with entries that wait to be published. What is beyond is published
/// all the same, without a line of its own.
const WAITING_MAX: usize = 10_000;

/// By their first entries.
#[derive(Debug, Default)]
pub(super) struct Committed(Mutex<BTreeMap<u64, Commit>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Commit {
    entries: usize,
    request_id: Uuid,
    at: Timestamp,
}

impl Committed {
    fn note(&self, first_seq: u64, commit: Commit) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < WAITING_MAX {
            waiting.insert(first_seq, commit);
        }
    }

    /// Those that are below the size of what is published.
    fn take_below(&self, size: u64) -> BTreeMap<u64, Commit> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let later = waiting.split_off(&size);
        std::mem::replace(&mut waiting, later)
    }
}

impl Casework {
    pub(super) async fn commit(&self, changeset: Changeset) -> Result<()> {
        let (at, entries) = (self.now(), changeset.entries.len());
        let Receipt { first_seq } = self.store().commit(changeset).await?;
        let duration_ms = self.ms_since(at);
        let Some(first_seq) = first_seq else {
            tracing::debug!(duration_ms, "committed");
            return Ok(());
        };
        tracing::info!(first_seq, entries, duration_ms, "committed");
        if let Some(request_id) = correlation::current() {
            self.committed.note(first_seq, Commit { entries, request_id, at });
        }
        Ok(())
    }

    /// Says of each request's entries that they are published, until told to
    /// stop.
    pub async fn follow_publication(&self, mut published: watch::Receiver<u64>, stop: &CancellationToken) {
        loop {
            let size = *published.borrow_and_update();
            for (first_seq, Commit { entries, request_id, at }) in self.committed.take_below(size) {
                let waited_ms = self.ms_since(at);
                tracing::info_span!("publication", %request_id)
                    .in_scope(|| tracing::info!(first_seq, entries, size, waited_ms, "published"));
            }
            tokio::select! {
                // What is published by the end is said.
                biased;
                Ok(()) = published.changed() => {}
                () = stop.cancelled() => return,
            }
        }
    }

    pub(super) fn ms_since(&self, began: Timestamp) -> u64 {
        // A clock that was set back says nothing.
        u64::try_from(self.now().duration_since(began).as_millis()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_published_is_said_once_and_no_more_is_kept_than_so_many() {
        let committed = Committed::default();
        let commit = |nth: u64| Commit {
            entries: 1,
            request_id: Uuid::from_u128(nth.into()),
            at: Timestamp::UNIX_EPOCH,
        };
        for nth in 0..5 {
            committed.note(nth, commit(nth));
        }
        assert_eq!(committed.take_below(3).into_keys().collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(committed.take_below(3), BTreeMap::new());
        assert_eq!(committed.take_below(5), [(3, commit(3)), (4, commit(4))].into());
        for nth in 0..WAITING_MAX as u64 + 5 {
            committed.note(nth, commit(nth));
        }
        assert_eq!(committed.take_below(u64::MAX).len(), WAITING_MAX);
    }
}
