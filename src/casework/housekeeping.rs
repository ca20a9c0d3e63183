//! What the worker does besides its tasks: forgets what has run out, and
//! removes what uploads left behind.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::casework::{Casework, Error, Result};
use crate::domain::id::BatchId;
use crate::store::{Batch, BatchState, Changeset, Listing, TaskKind};

/// A code or token that has run out is still told from one that never was.
const KEPT_AFTER_EXPIRY_HOURS: i64 = 24;
/// No upload takes longer.
const UPLOAD_HOURS_MAX: i64 = 24;
/// Of one commit; the rest is for the next turn.
const PURGED_AT_ONCE_MAX: usize = 200;

impl Casework {
    /// Deletes records whose time has been over for a day. Returns whether
    /// there may be more.
    pub async fn purge(&self) -> Result<bool> {
        self.lookups.purge(self.now());
        // One of them may be renewed meanwhile: that is no reason to keep the others.
        let purged = self.retrying(|| self.purge_some()).await;
        let deleted = purged.as_ref().map(|(deleted, _)| *deleted).map_err(Clone::clone);
        self.meters.purge(&deleted, self.now());
        purged.map(|(_, is_more)| is_more)
    }

    /// How many were deleted, and whether there may be more.
    async fn purge_some(&self) -> Result<(u64, bool)> {
        let kept = SignedDuration::from_hours(KEPT_AFTER_EXPIRY_HOURS);
        let until = self.now().checked_sub(kept).unwrap_or(Timestamp::MIN);
        let listing = Listing::Expired { until };
        let page = self.store().list(&listing, None, PURGED_AT_ONCE_MAX).await?;
        if page.records.is_empty() {
            return Ok((0, false));
        }
        let deleted = page.records.len() as u64;
        let deletes = page.records.iter().map(|found| (found.value.key(), found.version)).collect();
        self.commit(Changeset { deletes, ..Changeset::default() }).await?;
        Ok((deleted, page.next.is_some()))
    }

    /// What a crash left of uploads. For the start, before anybody can send
    /// one: those that were being applied are taken up at once, and the files
    /// of those that are done, or were never named, are removed.
    pub async fn take_up_uploads(&self) -> Result<()> {
        if self.has_others {
            // Whose they are is not known; their tasks come up by themselves.
            return self.sweep_old_uploads().await;
        }
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

    /// What is left of uploads that ended long ago and were not removed then:
    /// of instances that died, and of disks that were full.
    pub(super) async fn sweep_old_uploads(&self) -> Result<()> {
        let batches = self.store().all::<Batch>(&Listing::OpenBatches).await?;
        let open = batches.into_iter().map(|batch| batch.value.id.to_string()).collect();
        let age = SignedDuration::from_hours(UPLOAD_HOURS_MAX);
        let end = self.now().checked_sub(age).unwrap_or(Timestamp::MIN);
        self.parts.staging.remove_older(&open, end).await
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
