//! At which sizes several instances make their snapshots. The one that
//! publishes decides; each makes them for itself, of the same bytes, so that a
//! download that one has begun can be gone on with at another.
//!
//! Absent: making them.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{KEPT, Log};
use crate::feed::checkpoint::Checkpoint;
use crate::feed::merkle::Hash;
use crate::feed::{Feed, FeedError};
use crate::store::{Changeset, Claim, StoreError, Versioned};

/// The row that the instances share: `size@time` for each, ascending.
const SHARED: &str = "snapshots";

/// A snapshot that every instance has or will have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agreed {
    pub size: u64,
    /// When it was decided on.
    pub at: Timestamp,
}

impl Feed {
    async fn known(&self) -> Result<Versioned<Claim>, StoreError> {
        let none = || Claim { name: SHARED.to_owned(), value: String::new(), expires_at: None };
        Ok(self.store.load::<Claim>(&SHARED.to_owned()).await?.unwrap_or_else(|| Versioned::new(none())))
    }
}

#[async_trait]
impl Log for Feed {
    fn checkpoint(&self) -> Checkpoint {
        self.newest().checkpoint
    }

    fn root_at(&self, size: u64) -> Result<Option<Hash>, FeedError> {
        Self::root_at(self, size)
    }

    async fn leaves(&self, first: u64, end: u64) -> Result<Vec<Vec<u8>>, FeedError> {
        Ok(Self::leaves(self, first, end).await?)
    }

    async fn agreed(&self) -> Result<Option<Vec<Agreed>>, FeedError> {
        if !self.has_others() {
            return Ok(None);
        }
        Ok(Some(read(&self.known().await?.value.value)?))
    }

    async fn agree(&self, next: Agreed) -> Result<(), FeedError> {
        let _one_at_a_time = self.publishing.lock().await;
        let (lease, version) = match self.fence().await {
            Ok(Some(lease)) => lease,
            // Not ours to decide.
            Ok(None) | Err(FeedError::Store(StoreError::Stale)) => return Ok(()),
            Err(error) => return Err(error),
        };
        let mut known = self.known().await?;
        let mut agreed = read(&known.value.value)?;
        if agreed.last().is_some_and(|last| last.size >= next.size) {
            return Ok(());
        }
        agreed.push(next);
        let first = agreed.len().saturating_sub(KEPT);
        let said: Vec<_> = agreed[first..].iter().map(|one| format!("{}@{}", one.size, one.at)).collect();
        known.value.value = said.join(" ");
        let mut changes = Changeset::default();
        changes.put(known);
        changes.expect(lease, version);
        match self.store.commit(changes).await {
            // Another one publishes now, and decides.
            Err(StoreError::Stale) => Ok(()),
            done => Ok(done.map(drop)?),
        }
    }
}

fn read(said: &str) -> Result<Vec<Agreed>, StoreError> {
    let one = |said: &str| {
        let (size, at) = said.split_once('@')?;
        Some(Agreed { size: size.parse().ok()?, at: at.parse().ok()? })
    };
    let agreed = said.split_whitespace().map(one).collect::<Option<_>>();
    agreed.ok_or_else(|| StoreError::Fatal(format!("the agreed snapshots do not parse: {said}")))
}
