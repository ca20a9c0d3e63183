//! The feed: the log of corrections as providers see it, and what they say
//! back.
//!
//! The tree over the log is built when the feed is opened, and grows with the
//! store: every read first takes in what has become durable since, so that an
//! entry is there as soon as its commit has returned. What of the log may be
//! seen is decided in one place, `visible`.
//!
//! Absent: deciding what is corrected, writing entries (they come with their
//! decision's commit), words of HTTP, who may ask.

mod ack;
pub mod checkpoint;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod fake;
pub mod merkle;
pub mod note;
pub mod render;
pub mod tree;

pub use ack::{Acknowledgement, RefusedEntry};

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, RwLock, RwLockReadGuard};

use tokio::sync::Mutex;

use crate::domain::number::Number;
use crate::domain::refusal::Refusal;
use crate::feed::render::LeafMalformed;
use crate::feed::tree::{Hash, Tree, leaf_hash};
use crate::store::{LOG_ENTRIES_MAX, Store, StoreError};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FeedError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl FeedError {
    /// Whether the same call may succeed in a moment.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Store(StoreError::Busy(_) | StoreError::Stale))
    }
}

/// A stretch of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageOfEntries {
    /// The sequence number of the first leaf.
    pub first: u64,
    pub leaves: Vec<Vec<u8>>,
    /// How many entries somebody has who has these: the next cursor.
    pub next: u64,
    /// How many there are to be had.
    pub size: u64,
}

impl PageOfEntries {
    /// Each leaf with its number, as `render` takes them.
    pub fn entries(&self) -> Vec<(u64, &[u8])> {
        (self.first..).zip(self.leaves.iter().map(Vec::as_slice)).collect()
    }
}

pub struct Feed {
    store: Arc<dyn Store>,
    tree: RwLock<Tree>,
    /// Held by who reads the log into the tree: one at a time is enough.
    catching_up: Mutex<()>,
}

impl Feed {
    /// Reads the whole log, once.
    pub async fn open(store: Arc<dyn Store>) -> Result<Self, FeedError> {
        let feed = Self { store, tree: RwLock::default(), catching_up: Mutex::default() };
        feed.catch_up().await?;
        Ok(feed)
    }

    /// How many entries are there to be had.
    pub async fn size(&self) -> Result<u64, FeedError> {
        self.catch_up().await?;
        Ok(self.visible())
    }

    /// Entries before this one are no longer kept.
    pub fn oldest(&self) -> u64 {
        0
    }

    /// The log's root when it had `size` entries; `None` for what cannot be
    /// seen yet.
    pub async fn root_at(&self, size: u64) -> Result<Option<Hash>, FeedError> {
        let visible = self.size().await?;
        Ok(if size <= visible { self.tree().root_at(size) } else { None })
    }

    /// At most `limit` entries for somebody who has `after` of them.
    pub async fn page(&self, after: u64, limit: usize) -> Result<PageOfEntries, FeedError> {
        let size = self.size().await?;
        within(after, self.oldest(), size)?;
        let end = size.min(after.saturating_add(limit as u64));
        let leaves = self.leaves(after, end).await?;
        let next = after + leaves.len() as u64;
        Ok(PageOfEntries { first: after, leaves, next, size })
    }

    /// Returns the size once it is beyond `size`, or when `enough` ends first:
    /// a time-out, a shutdown, or both.
    pub async fn wait_beyond(&self, size: u64, enough: impl Future<Output = ()>) -> Result<u64, FeedError> {
        let mut durable = self.store.log_size();
        let mut enough = pin!(enough);
        loop {
            // Marked as seen before it is looked at: no growth slips between.
            durable.borrow_and_update();
            let now = self.size().await?;
            if now > size {
                return Ok(now);
            }
            tokio::select! {
                () = &mut enough => return Ok(now),
                // Where the store has ended this branch drops out.
                Ok(()) = durable.changed() => {}
            }
        }
    }

    /// One entry's leaf, if it can be seen and is still kept.
    pub async fn entry(&self, seq: u64) -> Result<Option<Vec<u8>>, FeedError> {
        if seq < self.oldest() || seq >= self.size().await? {
            return Ok(None);
        }
        self.leaf(seq).await.map(Some)
    }

    /// The correction in force for a number: its newest entry that can be
    /// seen, unless that one withdraws.
    pub async fn correction_of(&self, number: Number) -> Result<Option<(u64, Vec<u8>)>, FeedError> {
        let newest = self.store.newest_entry(number).await?;
        if let Some(seq) = newest {
            // It may have been committed and not be durable yet: one flush.
            let mut durable = self.store.log_size();
            let ended = |_| StoreError::Fatal("the store ended before a commit was durable".into());
            durable.wait_for(|size| *size > seq).await.map_err(ended)?;
        }
        let visible = self.size().await?;
        self.newest_below(visible, newest).await
    }

    /// Walks back over what a number's entries supersede.
    async fn newest_below(
        &self,
        visible: u64,
        mut newest: Option<u64>,
    ) -> Result<Option<(u64, Vec<u8>)>, FeedError> {
        while let Some(seq) = newest {
            let leaf = self.leaf(seq).await?;
            let entry = render::entry(seq, &leaf)?;
            if seq < visible {
                return Ok((!entry.withdrawn).then_some((seq, leaf)));
            }
            newest = entry.supersedes;
        }
        Ok(None)
    }

    /// What of the log is published: all that is durable and in the tree.
    fn visible(&self) -> u64 {
        self.tree().size()
    }

    fn tree(&self) -> RwLockReadGuard<'_, Tree> {
        self.tree.read().expect("nobody panics while growing the tree")
    }

    /// Takes into the tree what has become durable since the last time.
    async fn catch_up(&self) -> Result<(), FeedError> {
        let durable = *self.store.log_size().borrow();
        if self.tree().size() >= durable {
            return Ok(());
        }
        let _one_at_a_time = self.catching_up.lock().await;
        loop {
            let size = self.tree().size();
            if size >= durable {
                return Ok(());
            }
            // Hashed before the tree is locked, for others are reading it.
            let leaves = self.leaves(size, durable).await?;
            let hashes: Vec<Hash> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
            let mut tree = self.tree.write().expect("nobody panics while growing the tree");
            hashes.into_iter().for_each(|hash| tree.push(hash));
        }
    }

    /// Durable leaves from `first` up to `end`: some of them, and none only
    /// where there are none.
    async fn leaves(&self, first: u64, end: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        let count = end.saturating_sub(first).min(LOG_ENTRIES_MAX as u64) as usize;
        if count == 0 {
            return Ok(Vec::new());
        }
        let leaves = self.store.log(first, count).await?;
        if leaves.is_empty() || leaves.len() > count {
            return Err(StoreError::Fatal(format!("{} instead of {count} entries at {first}", leaves.len())));
        }
        Ok(leaves)
    }

    async fn leaf(&self, seq: u64) -> Result<Vec<u8>, FeedError> {
        let mut leaves = self.leaves(seq, seq + 1).await?;
        Ok(leaves.pop().expect("asked for one, got one"))
    }
}

/// A cursor that cannot be served is refused, never moved.
fn within(after: u64, oldest: u64, size: u64) -> Result<(), Refusal> {
    if after > size {
        Err(Refusal::CursorAhead { size })
    } else if after < oldest {
        Err(Refusal::CursorExpired { oldest })
    } else {
        Ok(())
    }
}

impl From<LeafMalformed> for FeedError {
    fn from(damage: LeafMalformed) -> Self {
        Self::Store(StoreError::Fatal(damage.to_string()))
    }
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed").field("tree", &self.tree).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
