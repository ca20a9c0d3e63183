//! A store with which its process dies, in the midst of a publisher's step.

use std::sync::Mutex;

use async_trait::async_trait;
use rustix::process::{Signal, getpid, kill_process};
use tokio::sync::watch;
use zhengming::domain::number::Number;
use zhengming::store::sled::SledStore;
use zhengming::store::{AuditLine, Changeset, Cursor, Everything, Key, Listing, Page, Receipt, Record};
use zhengming::store::{Store, StoreError, Versioned};

/// Entries that one call returns: the publisher takes a log in small pieces.
const PAGE: usize = 37;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// When entries are read, after so many times.
    Reading(u64),
    /// When the head is about to be committed.
    BeforeHead,
    /// When it is durable and nobody knows yet.
    AfterHead,
}

#[derive(Debug)]
pub struct DyingStore {
    inner: SledStore,
    dies: Mutex<Option<Moment>>,
}

/// SIGKILL: nothing is flushed, nothing is dropped.
pub fn die() -> ! {
    kill_process(getpid(), Signal::KILL).unwrap();
    loop {
        std::thread::park();
    }
}

impl DyingStore {
    pub fn over(inner: SledStore) -> Self {
        Self { inner, dies: Mutex::new(None) }
    }

    pub fn dies_at(&self, moment: Moment) {
        *self.dies.lock().unwrap() = Some(moment);
    }

    fn comes_to(&self, moment: Moment) {
        let mut dies = self.dies.lock().unwrap();
        match (*dies, moment) {
            (Some(Moment::Reading(left)), Moment::Reading(_)) if left > 0 => {
                *dies = Some(Moment::Reading(left - 1));
            }
            (planned, _) if planned == Some(moment) => die(),
            _ => {}
        }
    }
}

#[async_trait]
impl Store for DyingStore {
    async fn get(&self, key: &Key) -> Result<Option<Versioned<Record>>, StoreError> {
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
        self.comes_to(Moment::Reading(0));
        self.inner.log(after, limit.min(PAGE)).await
    }

    fn log_size(&self) -> watch::Receiver<u64> {
        self.inner.log_size()
    }

    async fn newest_entry(&self, number: Number) -> Result<Option<u64>, StoreError> {
        self.inner.newest_entry(number).await
    }

    async fn audit(&self, after: u64, limit: usize) -> Result<Vec<AuditLine>, StoreError> {
        self.inner.audit(after, limit).await
    }

    async fn everything(&self) -> Result<Box<dyn Everything>, StoreError> {
        self.inner.everything().await
    }

    async fn commit(&self, changeset: Changeset) -> Result<Receipt, StoreError> {
        let is_head = changeset.log_head().is_some();
        if is_head {
            self.comes_to(Moment::BeforeHead);
        }
        let done = self.inner.commit(changeset).await;
        if is_head {
            self.comes_to(Moment::AfterHead);
        }
        done
    }
}
