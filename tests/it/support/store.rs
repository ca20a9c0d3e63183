//! The store in memory, and how often something was changed in it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use tokio::sync::watch;
use zhengming::domain::number::Number;
use zhengming::store::memory::MemoryStore;
use zhengming::store::{AuditLine, Changeset, Cursor, Everything, Key, Listing, Page, Receipt, Record};
use zhengming::store::{Store, StoreError, Versioned};

#[derive(Debug, Default)]
pub struct WatchedStore {
    inner: MemoryStore,
    changes: AtomicU64,
    is_flush_due: AtomicBool,
    leaves_after_change: AtomicBool,
    is_away: AtomicBool,
    is_log_slow: AtomicBool,
    is_outrun: AtomicBool,
    log_reads: AtomicU64,
}

impl WatchedStore {
    /// Changesets that were committed and were not empty.
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::SeqCst)
    }

    /// How often entries were read.
    pub fn log_reads(&self) -> u64 {
        self.log_reads.load(Ordering::SeqCst)
    }

    /// After the next change the store is away for whoever reads next.
    pub fn leave_after_change(&self) {
        self.leaves_after_change.store(true, Ordering::SeqCst);
    }

    /// Somebody else is faster than the next change, once.
    pub fn outrun_once(&self) {
        self.is_outrun.store(true, Ordering::SeqCst);
    }

    /// Whoever reads the log from now on is at it for ever.
    pub fn slow_log_down(&self) {
        self.is_log_slow.store(true, Ordering::SeqCst);
    }

    /// As if the next flush were under way: records of it can be read, entries
    /// cannot before somebody has waited for it.
    pub fn hold_flush(&self) {
        self.is_flush_due.store(true, Ordering::SeqCst);
    }
}

#[async_trait]
impl Store for WatchedStore {
    async fn get(&self, key: &Key) -> Result<Option<Versioned<Record>>, StoreError> {
        if self.is_away.swap(false, Ordering::SeqCst) {
            return Err(StoreError::Busy("away"));
        }
        self.inner.get(key).await
    }

    async fn list(
        &self,
        listing: &Listing,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        self.inner.list(listing, after, limit).await
    }

    async fn log(&self, after: u64, limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        self.log_reads.fetch_add(1, Ordering::SeqCst);
        if self.is_log_slow.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        self.inner.log(after, limit).await
    }

    fn log_size(&self) -> watch::Receiver<u64> {
        self.inner.log_size()
    }

    async fn newest_entry(&self, number: Number) -> Result<Option<u64>, StoreError> {
        if self.is_flush_due.load(Ordering::SeqCst) {
            return Ok(None);
        }
        self.inner.newest_entry(number).await
    }

    async fn audit(&self, after: u64, limit: usize) -> Result<Vec<AuditLine>, StoreError> {
        self.inner.audit(after, limit).await
    }

    async fn everything(&self) -> Result<Box<dyn Everything>, StoreError> {
        self.inner.everything().await
    }

    async fn commit(&self, changeset: Changeset) -> Result<Receipt, StoreError> {
        let is_change = changeset != Changeset::default();
        if is_change && self.is_outrun.swap(false, Ordering::SeqCst) {
            return Err(StoreError::Stale);
        }
        let receipt = self.inner.commit(changeset).await?;
        self.is_flush_due.store(false, Ordering::SeqCst);
        self.changes.fetch_add(u64::from(is_change), Ordering::SeqCst);
        if is_change && self.leaves_after_change.swap(false, Ordering::SeqCst) {
            self.is_away.store(true, Ordering::SeqCst);
        }
        Ok(receipt)
    }
}
