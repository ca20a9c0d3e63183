//! Providers as moderators see them: who has a key, who was seen when, and how
//! many of their labels have come back.
//!
//! Absent: how far each is behind (`feed`).

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::casework::actors::ModeratorActor;
use crate::casework::{Casework, Result};
use crate::domain::id::ProviderId;
use crate::domain::label::Label;
use crate::store::{AccessKey, Cursor, Grant, Listing, PAGE_RECORDS_MAX, ProviderRefusal};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownProvider {
    pub id: ProviderId,
    /// One that has no key any more is known by what it acknowledged.
    pub has_key: bool,
    /// When its key was last used since the service has started.
    pub seen_at: Option<Timestamp>,
    /// Labels that have regressed; counted to `PAGE_RECORDS_MAX`.
    pub regressed: usize,
}

/// When each provider's key was last used. In memory: what has to outlast a
/// restart is in the acknowledgements. Only keys that are good get in, so that
/// there are no more of them than providers.
#[derive(Debug, Default)]
pub(super) struct Seen(Mutex<BTreeMap<ProviderId, Timestamp>>);

impl Seen {
    pub(super) fn note(&self, provider: &ProviderId, now: Timestamp) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match seen.get_mut(provider) {
            Some(at) => *at = now,
            None => drop(seen.insert(provider.clone(), now)),
        }
    }

    fn at(&self, provider: &ProviderId) -> Option<Timestamp> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(provider).copied()
    }
}

/// A correction that a provider would not follow.
pub type Refused = ProviderRefusal;

impl Casework {
    /// By the log's order; and after what the next page begins, which is opaque.
    pub async fn refusals_of(
        &self,
        _: &ModeratorActor,
        provider: &ProviderId,
        after: Option<Vec<u8>>,
        limit: usize,
    ) -> Result<(Vec<Refused>, Option<Vec<u8>>)> {
        let (listing, after) = (Listing::RefusalsOf(provider.clone()), after.map(Cursor));
        let (page, next) = self.store().page::<ProviderRefusal>(&listing, after.as_ref(), limit).await?;
        Ok((page.into_iter().map(|refusal| refusal.value).collect(), next.map(|Cursor(last)| last)))
    }

    /// Everybody who ever had a provider's key.
    pub async fn providers(&self, _: &ModeratorActor) -> Result<Vec<KnownProvider>> {
        let mut has_key: BTreeMap<ProviderId, bool> = BTreeMap::new();
        for key in self.store().all::<AccessKey>(&Listing::AccessKeys).await? {
            if let Grant::Provider(id) = key.value.grant.clone() {
                let is_good = key.value.is_good(self.now());
                *has_key.entry(id).or_default() |= is_good;
            }
        }
        let mut known = Vec::with_capacity(has_key.len());
        for (id, has_key) in has_key {
            let listing = Listing::Regressed { provider: Some(id.clone()) };
            let (regressed, _) = self.store().page::<Label>(&listing, None, PAGE_RECORDS_MAX).await?;
            known.push(KnownProvider { seen_at: self.seen.at(&id), regressed: regressed.len(), has_key, id });
        }
        Ok(known)
    }
}
