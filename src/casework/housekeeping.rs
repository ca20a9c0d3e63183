//! What the worker does besides its tasks: forgets what has run out, and
//! removes what uploads left behind.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::casework::{Casework, Error, Result};
use crate::domain::id::BatchId;
use crate::store::{Batch, BatchState, Changeset, Listing, TaskKind};

/// A code or token that has run out is still told from one that never was.
const KEPT_AFTER_EXPIRY_HOURS: i64 = 24;
/// Of one commit; the rest is for the next turn.
const PURGED_AT_ONCE_MAX: usize = 200;

/// How many messages the whole service has sent in the present minute: they
/// cost money. In memory, for a restart is no way to send many.
#[derive(Debug, Default)]
pub(super) struct Sending(Mutex<(i64, u32)>);

impl Sending {
    /// Takes a place in this minute, or says when the next one begins.
    pub(super) fn take(&self, now: Timestamp, per_minute: u32) -> std::result::Result<(), Timestamp> {
        let minute = now.as_second().div_euclid(60);
        let mut sent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if sent.0 != minute {
            *sent = (minute, 0);
        }
        if per_minute != 0 && sent.1 >= per_minute {
            return Err(Timestamp::from_second((minute + 1) * 60).unwrap_or(Timestamp::MAX));
        }
        sent.1 += 1;
        Ok(())
    }
}

impl Casework {
    /// Deletes records whose time has been over for a day. Returns whether
    /// there may be more.
    pub async fn purge(&self) -> Result<bool> {
        self.lookups.purge(self.now());
        let kept = SignedDuration::from_hours(KEPT_AFTER_EXPIRY_HOURS);
        let until = self.now().checked_sub(kept).unwrap_or(Timestamp::MIN);
        let listing = Listing::Expired { until };
        let page = self.store().list(&listing, None, PURGED_AT_ONCE_MAX).await?;
        if page.records.is_empty() {
            return Ok(false);
        }
        let deletes = page.records.iter().map(|found| (found.value.key(), found.version)).collect();
        self.commit(Changeset { deletes, ..Changeset::default() }).await?;
        Ok(page.next.is_some())
    }

    /// What a crash left of uploads. For the start, before anybody can send
    /// one: those that were being applied are taken up at once, and the files
    /// of those that are done, or were never named, are removed.
    pub async fn take_up_uploads(&self) -> Result<()> {
        let mut open = BTreeSet::new();
        for batch in self.store().all::<Batch>(&Listing::OpenBatches).await? {
            let Batch { id, state, .. } = batch.value;
            open.insert(id.to_string());
            if matches!(state, BatchState::Applying | BatchState::Releasing) {
                self.apply_now(id).await?;
            }
        }
        self.parts.staging.keep_only(&open).await
    }

    async fn apply_now(&self, id: BatchId) -> Result<()> {
        let mut changeset = Changeset::default();
        self.schedule(&mut changeset, TaskKind::Apply(id), self.now()).await?;
        match self.commit(changeset).await {
            // Then it is done when its request would have given up.
            Err(Error::Busy(_) | Error::Stale) => Ok(()),
            done => done,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_has_so_many_messages_and_the_next_one_has_them_anew() {
        let sending = Sending::default();
        let now: Timestamp = "2026-11-23T03:04:59Z".parse().unwrap();
        assert_eq!(sending.take(now, 2), Ok(()));
        assert_eq!(sending.take(now, 2), Ok(()));
        let next: Timestamp = "2026-11-23T03:05:00Z".parse().unwrap();
        assert_eq!(sending.take(now, 2), Err(next));
        assert_eq!(sending.take(next, 2), Ok(()));
        assert_eq!(sending.take(now, 0), Ok(()), "0 switches it off");
    }
}
