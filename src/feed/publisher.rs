//! Publishing: from entries that are durable to a checkpoint that all can see.
//!
//! One round goes through these steps, and each needs what the one before it
//! gives, so that they cannot be taken in another order. A crash leaves
//!
//! 1. while hashes and bundles are appended (`extend`): files that are longer
//!    than the last head says, perhaps with a torn end. Opening cuts them back
//!    to the head and appends again, from the same entries the same bytes;
//! 2. after they are synced, before the signature (`sign`): the same;
//! 3. after the signature, before the head is recorded (`record`): a signed
//!    checkpoint that nobody has seen. The next one may be larger. For one size
//!    there is one root, for entries never change;
//! 4. while it is recorded: the head in the store, or in the store and on the
//!    high-water mark, or in neither. A store behind its mark is not opened;
//! 5. after it is recorded, before it is shown (`show`): a checkpoint that
//!    nobody has seen yet. Opening shows it, whatever else it publishes;
//! 6. after it is shown: nothing to do.
//!
//! Opening is a round like any other (`Feed::open`).
//!
//! Absent: who may see what; snapshots.

use std::fs::{self, File};
use std::io::Write;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::feed::checkpoint::Checkpoint;
use crate::feed::files::LogFiles;
use crate::feed::merkle::Hash;
use crate::feed::note::NoteSigner;
use crate::feed::tiles::TILE_WIDTH;
use crate::feed::{Feed, FeedError, Published, has};
use crate::store::{Changeset, LogHead, StoreError, Versioned};

/// Rivals for the head are other instances, which publish the same.
const TRIES_MAX: usize = 5;

/// Hashes and bundles are on disk up to a size.
#[derive(Debug)]
pub struct Extended {
    size: u64,
}

/// There is a signed checkpoint, which nobody may see yet.
#[derive(Debug)]
pub struct Signed(Published);

impl Signed {
    /// For who checks what was signed.
    pub fn note(&self) -> &str {
        &self.0.note
    }
}

/// The store and its mark know of the checkpoint.
#[derive(Debug)]
pub struct Recorded(Published);

impl Feed {
    /// One round: what is durable now can be seen when it returns. Returns the
    /// published size.
    pub async fn publish(&self) -> Result<u64, FeedError> {
        let _one_at_a_time = self.publishing.lock().await;
        self.catch_up().await?;
        if self.leads().await? && *self.store.log_size().borrow() > self.size() {
            let extended = self.extend().await?;
            let signed = self.sign(&extended)?;
            let recorded = self.record(signed).await?;
            self.show(recorded)?;
        }
        Ok(self.size())
    }

    /// Publishes what there is to publish, at most once in an interval, until
    /// it is told to stop. What fails in passing is tried again.
    pub async fn publish_until(&self, stop: &CancellationToken, interval: Duration) -> Result<(), FeedError> {
        if self.standing.is_some() {
            return self.share_until(stop, interval).await;
        }
        let mut durable = self.store.log_size();
        loop {
            durable.borrow_and_update();
            if self.passes(self.publish().await.map(drop))? {
                tokio::select! {
                    () = stop.cancelled() => return Ok(()),
                    grown = durable.changed() => {
                        grown.map_err(|_| StoreError::Fatal("the store has ended".to_owned()))?;
                    }
                }
            }
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = sleep(interval) => {}
            }
        }
    }

    /// Whether a round went well. What fails in passing is said and noted.
    pub(super) fn passes(&self, round: Result<(), FeedError>) -> Result<bool, FeedError> {
        self.failing.store(round.is_err(), Ordering::Relaxed);
        match round {
            Ok(()) => Ok(true),
            Err(error) if error.is_passing() => {
                self.meters.failures.inc();
                tracing::error!(%error, "not published; trying again");
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Step 1: takes what is durable into the files, and syncs them.
    pub async fn extend(&self) -> Result<Extended, FeedError> {
        let size = *self.store.log_size().borrow();
        self.extend_to(size).await?;
        Ok(Extended { size })
    }

    /// The same for entries that are durable.
    pub(super) async fn extend_to(&self, size: u64) -> Result<(), FeedError> {
        while self.files.size() < size {
            let first = self.files.size();
            let leaves = self.stored(first, size).await?;
            self.on_files(move |files| files.append(first, &leaves)).await?;
        }
        for nth in self.files.bundles_count()..size / TILE_WIDTH {
            let leaves = self.all_leaves(nth * TILE_WIDTH, (nth + 1) * TILE_WIDTH).await?;
            self.on_files(move |files| files.append_bundle(nth, &leaves)).await?;
        }
        self.on_files(LogFiles::sync).await
    }

    /// Step 2.
    pub fn sign(&self, extended: &Extended) -> Result<Signed, FeedError> {
        let root = self.files.hashes().root(extended.size)?;
        Ok(Signed(Published::sign(Checkpoint { size: extended.size, root }, &self.signer)))
    }

    /// Step 3: from here on no other root is ever signed for this size.
    pub async fn record(&self, signed: Signed) -> Result<Recorded, FeedError> {
        let Checkpoint { size, root } = signed.0.checkpoint;
        for _ in 0..TRIES_MAX {
            let known = self.store.load::<LogHead>(&()).await?;
            let version = known.as_ref().map_or(0, |known| known.version);
            match known {
                Some(known) => self.agrees(&known.value, size).await?,
                // Of nothing there is one root.
                None if size == 0 => return Ok(Recorded(signed.0)),
                None => {}
            }
            let head = LogHead { verifier: self.signer.verifier().to_string(), size, root };
            let mut changes = Changeset::default();
            changes.put(Versioned { version, value: head.clone() });
            if let Some((lease, version)) = self.fence().await? {
                changes.expect(lease, version);
            }
            match self.store.commit(changes).await {
                Err(StoreError::Stale) => continue,
                done => drop(done?),
            }
            if let Some(standing) = &self.standing {
                standing.saw(&head)?;
            }
            return Ok(Recorded(signed.0));
        }
        Err(StoreError::Stale.into())
    }

    /// Step 4.
    pub fn show(&self, recorded: Recorded) -> Result<(), FeedError> {
        let beside = self.files.dir().join("checkpoint.new");
        let mut file = File::create(&beside)?;
        file.write_all(recorded.0.note.as_bytes())?;
        // A log that has ended is read from these files alone.
        file.sync_data()?;
        fs::rename(&beside, self.files.dir().join("checkpoint"))?;
        let size = recorded.0.checkpoint.size;
        *self.newest.write().expect("nobody panics while replacing it") = recorded.0;
        self.meters.note_shown();
        self.published.send_replace(size);
        Ok(())
    }

    /// What was signed before must be the beginning of what will be.
    async fn agrees(&self, head: &LogHead, size: u64) -> Result<(), FeedError> {
        must_be_of(&self.signer, head)?;
        if head.size > size {
            if has(self.store.as_ref(), head.size).await? {
                // A rival was quicker. The next round begins with what it has.
                return Err(StoreError::Stale.into());
            }
            let why = format!("a checkpoint of {} entries is signed, and this one has {size}", head.size);
            return Err(FeedError::Fatal(why));
        }
        self.must_have(head.size, &head.root)
    }

    /// The entries here lead to what was signed.
    pub(super) fn must_have(&self, size: u64, root: &Hash) -> Result<(), FeedError> {
        if self.files.hashes().root(size)? != *root {
            return Err(FeedError::Fatal(format!(
                "another root is signed for {size} entries than the entries in this store have"
            )));
        }
        Ok(())
    }

    /// What another instance recorded; the bytes that it signed.
    pub(super) fn recorded(&self, checkpoint: Checkpoint) -> Recorded {
        Recorded(Published::sign(checkpoint, &self.signer))
    }

    pub(super) async fn on_files<T: Send + 'static>(
        &self,
        work: impl FnOnce(&LogFiles) -> std::io::Result<T> + Send + 'static,
    ) -> Result<T, FeedError> {
        let files = self.files.clone();
        let done = tokio::task::spawn_blocking(move || work(&files)).await;
        Ok(done.map_err(|error| FeedError::Fatal(format!("the log's files: {error}")))??)
    }
}

/// The head was signed by this key, under this name.
pub(super) fn must_be_of(signer: &NoteSigner, head: &LogHead) -> Result<(), FeedError> {
    let ours = signer.verifier().to_string();
    if head.verifier == ours {
        return Ok(());
    }
    Err(FeedError::OtherLog { signed_by: head.verifier.clone(), ours })
}
