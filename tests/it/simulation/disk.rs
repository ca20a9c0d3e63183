//! A store that can be cut off at any call: whoever called is gone, or the
//! whole process is, before or after what it asked for was done.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tokio::sync::{Notify, watch};
use zhengming::domain::number::Number;
use zhengming::store::memory::MemoryStore;
use zhengming::store::{AuditLine, Changeset, Cursor, Everything, Key, Listing, Page, Receipt, Record};
use zhengming::store::{Store, StoreError, Versioned};

/// How a use case ends early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Nobody waits for the answer any more; the process goes on.
    CallerGone,
    /// The process is killed before, or after, the store does what it asked.
    KilledBefore,
    KilledAfter,
}

/// What outlives a process.
#[derive(Debug, Default)]
pub struct Disk {
    pub memory: MemoryStore,
    fuse: Mutex<Option<Fuse>>,
    hanging: AtomicUsize,
    commits: AtomicU64,
}

#[derive(Debug)]
struct Fuse {
    calls_left: u32,
    how: How,
    bell: Arc<Notify>,
}

/// One process's way to the disk.
#[derive(Debug)]
pub struct Opened {
    disk: Arc<Disk>,
    killed: AtomicBool,
}

impl Disk {
    /// The bell rings when the fuse has blown.
    pub fn arm(&self, calls_left: u32, how: How) -> Arc<Notify> {
        let bell = Arc::new(Notify::new());
        *self.fuse.lock().unwrap() = Some(Fuse { calls_left, how, bell: bell.clone() });
        bell
    }

    pub fn disarm(&self) {
        *self.fuse.lock().unwrap() = None;
    }

    /// Calls of killed processes that nobody will ever answer.
    pub fn hanging(&self) -> usize {
        self.hanging.load(Ordering::SeqCst)
    }

    /// How often something may have changed.
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::SeqCst)
    }

    pub fn opened(self: &Arc<Self>) -> Arc<Opened> {
        Arc::new(Opened { disk: self.clone(), killed: AtomicBool::new(false) })
    }

    fn blown(&self) -> Option<(How, Arc<Notify>)> {
        let mut fuse = self.fuse.lock().unwrap();
        let armed = fuse.as_mut()?;
        if armed.calls_left > 0 {
            armed.calls_left -= 1;
            return None;
        }
        fuse.take().map(|fuse| (fuse.how, fuse.bell))
    }
}

impl Opened {
    pub fn kill(&self) {
        self.killed.store(true, Ordering::SeqCst);
    }

    /// Returns the bell to ring once the call is done.
    async fn before(&self) -> Option<Arc<Notify>> {
        if self.killed.load(Ordering::SeqCst) {
            self.hang().await;
        }
        let (how, bell) = self.disk.blown()?;
        match how {
            How::CallerGone => {
                bell.notify_one();
                tokio::task::yield_now().await;
                None
            }
            How::KilledBefore => {
                self.kill();
                bell.notify_one();
                self.hang().await;
                None
            }
            How::KilledAfter => Some(bell),
        }
    }

    async fn after(&self, bell: Option<Arc<Notify>>) {
        if let Some(bell) = bell {
            self.kill();
            bell.notify_one();
            self.hang().await;
        }
    }

    async fn hang(&self) {
        struct Hanging<'a>(&'a AtomicUsize);
        impl Drop for Hanging<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::SeqCst);
            }
        }
        self.disk.hanging.fetch_add(1, Ordering::SeqCst);
        let _hanging = Hanging(&self.disk.hanging);
        std::future::pending::<()>().await;
    }
}

#[async_trait]
impl Store for Opened {
    async fn get(&self, key: &Key) -> Result<Option<Versioned<Record>>, StoreError> {
        let bell = self.before().await;
        let found = self.disk.memory.get(key).await;
        self.after(bell).await;
        found
    }

    async fn list(
        &self,
        listing: &Listing,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        let bell = self.before().await;
        let page = self.disk.memory.list(listing, after, limit).await;
        self.after(bell).await;
        page
    }

    async fn log(&self, after: u64, limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        self.disk.memory.log(after, limit).await
    }

    fn log_size(&self) -> watch::Receiver<u64> {
        self.disk.memory.log_size()
    }

    async fn newest_entry(&self, number: Number) -> Result<Option<u64>, StoreError> {
        self.disk.memory.newest_entry(number).await
    }

    async fn audit(&self, after: u64, limit: usize) -> Result<Vec<AuditLine>, StoreError> {
        self.disk.memory.audit(after, limit).await
    }

    async fn everything(&self) -> Result<Box<dyn Everything>, StoreError> {
        self.disk.memory.everything().await
    }

    async fn commit(&self, changeset: Changeset) -> Result<Receipt, StoreError> {
        let bell = self.before().await;
        let done = self.disk.memory.commit(changeset).await;
        self.disk.commits.fetch_add(1, Ordering::SeqCst);
        self.after(bell).await;
        done
    }
}
