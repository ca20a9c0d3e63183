//! How many labels a provider may put or change in a day. An arriving label
//! that rests on marks from before a proven tenure is corrected at once, so
//! that whoever invents labels learns from the feed which numbers were
//! released: the quota bounds how much. What is only sent again costs nothing,
//! nor does what the owner loads.
//!
//! Kept in the store, and counted in the commit that takes the labels. A day
//! begins with the first label that counts, and lasts 24 hours.

use jiff::SignedDuration;

use crate::casework::actors::ProviderActor;
use crate::casework::{Casework, Result};
use crate::domain::day::later;
use crate::domain::id::ProviderId;
use crate::domain::refusal::Refusal;
use crate::store::{Changeset, LabelCount, Versioned};

const DAY_HOURS: i64 = 24;

/// What is left of a provider's day, in one commit.
#[derive(Debug)]
pub(super) struct LabelQuota {
    /// `None`: there is no limit.
    count: Option<(Versioned<LabelCount>, u64)>,
    left: u64,
}

impl Casework {
    /// Refuses who has nothing left, before an upload is read.
    pub(super) async fn may_upload_labels(&self, provider: &ProviderActor) -> Result<()> {
        let quota = self.label_quota(provider.id(), provider.is_owner()).await?;
        let Some((count, _)) = quota.count.filter(|_| quota.left == 0) else { return Ok(()) };
        let wait = count.value.expires_at.duration_since(self.now());
        let retry_after_s = u64::try_from(wait.as_secs()).unwrap_or_default() + 1;
        Err(Refusal::TooMany { what: "labels", retry_after_s }.into())
    }

    pub(super) async fn label_quota(&self, provider: &ProviderId, is_owner: bool) -> Result<LabelQuota> {
        let most = self.parts.settings.labels_per_provider_per_day;
        if most == 0 || is_owner {
            return Ok(LabelQuota { count: None, left: u64::MAX });
        }
        let now = self.now();
        let day_ends = later(now, SignedDuration::from_hours(DAY_HOURS));
        let new = LabelCount { provider: provider.clone(), taken: 0, expires_at: day_ends };
        let found = self.store().load::<LabelCount>(provider).await?;
        let mut count = found.unwrap_or_else(|| Versioned::new(new.clone()));
        if count.value.expires_at <= now {
            count.value = new;
        }
        let left = most.saturating_sub(count.value.taken);
        Ok(LabelQuota { count: Some((count, left)), left })
    }
}

impl LabelQuota {
    /// Takes one label, if the day has one left.
    pub(super) fn take(&mut self) -> bool {
        let has_left = self.left > 0;
        self.left = self.left.saturating_sub(1);
        has_left
    }

    /// Counts what was taken.
    pub(super) fn count(self, changeset: &mut Changeset) {
        if let Some((mut count, left_before)) = self.count
            && self.left < left_before
        {
            count.value.taken += left_before - self.left;
            changeset.put(count);
        }
    }
}
