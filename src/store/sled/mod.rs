//! The embedded default: one sled tree, one writer thread, group commit.
//!
//! The writer takes what waits in a bounded queue as one group and goes
//! through these steps; a crash leaves
//!
//! 1. before it has planned: nothing;
//! 2. while it plans each changeset on top of those before it, and applies them
//!    as one sled batch, or a few where they are large: a prefix of the group's
//!    changesets, each whole or absent, none acknowledged;
//! 3. after `flush`, before the sync: the same after power loss, all of the
//!    group after a mere kill;
//! 4. after the sync, before the mark: all of the group. The database is ahead
//!    of the mark, which is fine;
//! 5. after the mark, before the answers: all of the group; the callers do not
//!    know and ask again.
//!
//! Whatever a crash left is made durable at `open`, before anybody reads it.
//!
//! sled can lose a flushed tail without a word when its file is damaged. Hence
//! the mark outside of it (`mark`): a database behind it is not opened.
//! Refusals wait for the group's sync too, for they may rest on a write of it.
//! After any error of sled or of a file nothing more is written, and `failed`
//! tells, for sled keeps failing in the same process: it has to end.
//!
//! Banned here: sled's transactions (one lock for all), `flush_async` (hangs),
//! `generate_id` (jumps), several trees (one batch is one tree's).

mod disk;
mod open;
pub mod rewrite;
mod writer;

pub use open::{OpenError, SledOptions};

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use async_trait::async_trait;
use tokio::sync::{oneshot, watch};

use crate::domain::number::Number;
use crate::store::embedded::walk::Walk;
use crate::store::embedded::{Lookup, Pair, Space, read};
use crate::store::failure::Failure;
use crate::store::mark::Mark;
use crate::store::queue::{Commit, Queue, gone};
use crate::store::sled::writer::Request;
use crate::store::{AuditLine, Changeset, Cursor, Everything, Extent, Key, Listing, Meters, Page, Piece};
use crate::store::{Receipt, Record, Store, StoreError, Versioned};

/// So many neighbours are found as one record is.
const FEW_ENTRIES: usize = 8;

/// Dropping it waits until all that was queued is written.
#[derive(Debug)]
pub struct SledStore {
    shared: Arc<Shared>,
    /// `None` only while dropping.
    queue: Option<Queue<Request>>,
    writer: Option<JoinHandle<()>>,
}

/// What readers and the writer have in common.
#[derive(Debug)]
struct Shared {
    db: sled::Db,
    log_size: watch::Sender<u64>,
    /// How many audit lines are durable.
    audit_size: AtomicU64,
    mark: Mutex<Mark>,
    failure: Failure,
    meters: Meters,
}

impl SledStore {
    /// Becomes true when the store has failed and the process has to end.
    pub fn failed(&self) -> watch::Receiver<bool> {
        self.shared.failure.failed()
    }

    fn queue(&self) -> &Queue<Request> {
        self.queue.as_ref().expect("the queue is there until the store is dropped")
    }

    fn writer_gone(&self) -> StoreError {
        self.shared.failure.note(gone())
    }

    /// A few pages at most: on the caller's thread.
    fn find<T>(&self, read: impl FnOnce(&Shared) -> Result<T, StoreError>) -> Result<T, StoreError> {
        read(&self.shared).map_err(|error| self.shared.failure.note(error))
    }

    async fn scan<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Shared) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        scan(&self.shared, read).await
    }
}

/// Scans read a lot, and perhaps from disk: not on the caller's thread.
async fn scan<T: Send + 'static>(
    shared: &Arc<Shared>,
    read: impl FnOnce(&Shared) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let reading = Arc::clone(shared);
    let found = tokio::task::spawn_blocking(move || read(&reading)).await;
    let found = found.unwrap_or_else(|error| Err(StoreError::Fatal(format!("a read ended: {error}"))));
    found.map_err(|error| shared.failure.note(error))
}

#[derive(Debug)]
struct SledEverything {
    shared: Arc<Shared>,
    extent: Extent,
    /// `None` after a read that was cut short: nobody knows how far it came.
    walk: Option<Walk>,
}

#[async_trait]
impl Everything for SledEverything {
    fn extent(&self) -> &Extent {
        &self.extent
    }

    async fn next(&mut self) -> Result<Vec<Piece>, StoreError> {
        let mut walk = self.walk.take().ok_or(StoreError::Lapsed("a read was cut short"))?;
        let (walk, pieces) = scan(&self.shared, move |shared| {
            let pieces = walk.next(&shared.db)?;
            Ok((walk, pieces))
        })
        .await?;
        self.walk = Some(walk);
        Ok(pieces)
    }
}

impl Drop for SledStore {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(writer) = self.writer.take() {
            // A panic there was told through `failed`.
            let _ = writer.join();
        }
    }
}

#[async_trait]
impl Store for SledStore {
    async fn get(&self, key: &Key) -> Result<Option<Versioned<Record>>, StoreError> {
        self.find(|shared| read::get(&shared.db, key))
    }

    async fn list(
        &self,
        listing: &Listing,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        if listing.is_short() {
            return self.find(|shared| read::list(&shared.db, listing, after, limit));
        }
        let (listing, after) = (listing.clone(), after.cloned());
        self.scan(move |shared| read::list(&shared.db, &listing, after.as_ref(), limit)).await
    }

    async fn log(&self, after: u64, limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        let log = move |shared: &Shared| read::log(&shared.db, after, limit, shared.durable_log());
        if limit <= FEW_ENTRIES {
            return self.find(log);
        }
        self.scan(log).await
    }

    fn log_size(&self) -> watch::Receiver<u64> {
        self.shared.log_size.subscribe()
    }

    async fn newest_entry(&self, number: Number) -> Result<Option<u64>, StoreError> {
        self.find(|shared| read::newest_entry(&shared.db, number, shared.durable_log()))
    }

    async fn audit(&self, after: u64, limit: usize) -> Result<Vec<AuditLine>, StoreError> {
        self.scan(move |shared| read::audit(&shared.db, after, limit, shared.durable_audit())).await
    }

    async fn everything(&self) -> Result<Box<dyn Everything>, StoreError> {
        self.shared.failure.check()?;
        let (reply, answer) = oneshot::channel();
        self.queue().send(Request::Everything(reply))?;
        let walk = answer.await.unwrap_or_else(|_| Err(self.writer_gone()))?;
        let extent = walk.extent().clone();
        Ok(Box::new(SledEverything { shared: Arc::clone(&self.shared), extent, walk: Some(walk) }))
    }

    /// A caller that goes away meanwhile does not take its changeset back.
    async fn commit(&self, changeset: Changeset) -> Result<Receipt, StoreError> {
        self.shared.failure.check()?;
        let (commit, answer) = Commit::new(changeset);
        let queued = self.queue().send(Request::Commit(commit));
        queued.map_err(|error| self.shared.meters.refused(error))?;
        answer.await.unwrap_or_else(|_| Err(self.writer_gone()))
    }

    fn mark(&self) -> Option<Mark> {
        Some(self.shared.mark().clone())
    }
}

impl Shared {
    fn mark(&self) -> MutexGuard<'_, Mark> {
        // Whole marks only are put there.
        self.mark.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn durable_log(&self) -> u64 {
        *self.log_size.borrow()
    }

    fn durable_audit(&self) -> u64 {
        self.audit_size.load(Ordering::Acquire)
    }
}

impl Lookup for sled::Db {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let found = sled::Tree::get(self, key).map_err(unwell)?;
        Ok(found.map(|value| value.to_vec()))
    }
}

impl Space for sled::Db {
    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Pair>, StoreError> {
        if from >= to {
            return Ok(Vec::new());
        }
        let pairs = self.range(from..to).take(limit);
        pairs.map(|pair| pair.map(|(key, value)| (key.to_vec(), value.to_vec())).map_err(unwell)).collect()
    }
}

#[allow(clippy::needless_pass_by_value)] // for `map_err`
fn unwell(error: sled::Error) -> StoreError {
    let remedy = match error {
        sled::Error::Corruption { .. } => {
            ": the disk has not kept the database as it was; bring back the newest copy that is whole, by \
             `zhengming store import` into an empty store"
        }
        _ => "",
    };
    StoreError::Fatal(format!("sled: {error}{remedy}"))
}
