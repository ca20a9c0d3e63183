//! Several instances on one database: one of them publishes, and all show
//! what it has published.
//!
//! **Who publishes** holds a lease: a row that it renews every `RENEW_EVERY`.
//! Another takes it when the row has stood still for `LEASE` by its own clock,
//! so clocks need not agree. The row's version goes into the commit that
//! records a head (`Feed::record`): whoever was paused and has lost the lease
//! records nothing, whatever it still believes; what it had signed was seen by
//! nobody.
//!
//! **What is shown** is the recorded head, one row, by every instance: the
//! signature follows from the key and the text (RFC 8032), so all show the
//! same bytes. It is looked for every `LOOK_EVERY`, and before anybody is told
//! that they are ahead.
//!
//! **The high-water mark** of an instance is the newest head that it has seen.
//! A database that is behind it was set back to an earlier day: nothing is
//! signed then. Without a mark nobody knows; the instance serves, and does not
//! sign until an operator has confirmed the head (`confirm`).
//!
//! A crash leaves a lease that stands still, and is taken.
//!
//! Absent: the steps of publishing (`publisher`), which are the same for one.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::env::clock::Clock;
use crate::feed::checkpoint::Checkpoint;
use crate::feed::note::NoteSigner;
use crate::feed::publisher::must_be_of;
use crate::feed::{Feed, FeedError, LogsDir, merkle};
use crate::store::mark::{self, Found, Mark, MarkFile};
use crate::store::{Changeset, Key, Lease, LogHead, Store, StoreError, Stored, Versioned};

const PUBLISHER: &str = "publisher";
/// What has stood still for so long is nobody's.
pub const LEASE: SignedDuration = SignedDuration::from_secs(6);
const RENEW_EVERY: SignedDuration = SignedDuration::from_secs(2);
/// How often the recorded head is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// One of several instances.
#[derive(Debug, Clone)]
pub struct Sharing {
    pub clock: Arc<dyn Clock>,
    /// Names this process, and no other that ever was.
    pub me: String,
}

/// How it stands with the others.
#[derive(Debug)]
pub(super) struct Standing {
    sharing: Sharing,
    lease: Mutex<Seen>,
    /// `None`: not confirmed.
    mark: Mutex<Option<MarkFile>>,
}

/// The lease as it was seen last.
#[derive(Debug, Default)]
struct Seen {
    version: u64,
    /// Since when it is at that version.
    since: Option<Timestamp>,
    /// When we took or renewed it last.
    renewed_at: Option<Timestamp>,
}

impl Standing {
    fn new(sharing: Sharing, mark: Option<MarkFile>) -> Self {
        Self { sharing, lease: Mutex::default(), mark: Mutex::new(mark) }
    }

    /// The lease at the version that what is done under it expects.
    async fn fence(&self, store: &dyn Store) -> Result<(Key, u64), StoreError> {
        let found = store.load::<Lease>(&PUBLISHER.to_owned()).await?;
        let mine = found.filter(|found| found.value.holder == self.sharing.me).ok_or(StoreError::Stale)?;
        Ok((mine.value.key(), mine.version))
    }

    /// Whether this instance holds the lease now: still, anew, or for the first
    /// time.
    async fn leads(&self, store: &dyn Store) -> Result<bool, StoreError> {
        let now = self.sharing.clock.now();
        let found = store.load::<Lease>(&PUBLISHER.to_owned()).await?;
        let mut lease = found.unwrap_or_else(|| Versioned::new(nobodys()));
        let is_mine = lease.value.holder == self.sharing.me;
        if is_mine && self.seen().is_fresh(now) {
            return Ok(true);
        }
        let is_free = is_mine || lease.value.holder.is_empty() || self.seen().is_over(lease.version, now);
        if !is_free {
            return Ok(false);
        }
        if is_mine {
            lease.value.renewals += 1;
        } else {
            let Lease { name, epoch, .. } = lease.value;
            lease.value = Lease { name, holder: self.sharing.me.clone(), epoch: epoch + 1, renewals: 0 };
            tracing::info!(epoch = epoch + 1, "this instance publishes from here on");
        }
        let mut changes = Changeset::default();
        changes.put(lease);
        match store.commit(changes).await {
            Err(StoreError::Stale) => Ok(false),
            done => {
                done?;
                self.seen().renewed_at = Some(now);
                Ok(true)
            }
        }
    }

    /// Gives the lease up, if it is ours: the next one need not wait.
    async fn resign(&self, store: &dyn Store) -> Result<(), StoreError> {
        let Some(mut lease) = store.load::<Lease>(&PUBLISHER.to_owned()).await? else { return Ok(()) };
        if lease.value.holder != self.sharing.me {
            return Ok(());
        }
        lease.value.holder = String::new();
        let mut changes = Changeset::default();
        changes.put(lease);
        match store.commit(changes).await {
            // It was taken from us meanwhile.
            Err(StoreError::Stale) => Ok(()),
            done => done.map(drop),
        }
    }

    /// Whether it is known that the database is the newest one.
    fn is_confirmed(&self) -> bool {
        self.mark().is_some()
    }

    /// Remembers a head, before anybody is shown it.
    pub(super) fn saw(&self, head: &LogHead) -> Result<(), FeedError> {
        match self.mark().as_mut() {
            Some(kept) if signed(kept) < head.size => Ok(kept.advance(mark_of(head))?),
            _ => Ok(()),
        }
    }

    /// The newest that this instance has seen.
    fn checkpoint(&self) -> Option<mark::Checkpoint> {
        self.mark().as_ref().and_then(|kept| kept.mark().checkpoint.clone())
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.lease.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn mark(&self) -> MutexGuard<'_, Option<MarkFile>> {
        self.mark.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn is_fresh(&self, now: Timestamp) -> bool {
        self.renewed_at.is_some_and(|at| at <= now && now.duration_since(at) < RENEW_EVERY)
    }

    /// Whether it has stood still for so long. A clock that was set back waits
    /// anew.
    fn is_over(&mut self, version: u64, now: Timestamp) -> bool {
        match self.since {
            Some(since) if self.version == version && since <= now => now.duration_since(since) >= LEASE,
            _ => {
                (self.version, self.since) = (version, Some(now));
                false
            }
        }
    }
}

impl Feed {
    /// The size of the newest checkpoint that this one of several instances has
    /// seen, by its high-water mark.
    pub fn high_water_mark(&self) -> Option<u64> {
        self.standing.as_ref().and_then(Standing::checkpoint).map(|checkpoint| checkpoint.size)
    }

    /// Takes up a log that others publish too: shows what is recorded, and
    /// publishes nothing yet.
    pub async fn open_shared(
        store: Arc<dyn Store>,
        dir: impl Into<LogsDir>,
        signer: NoteSigner,
        sharing: Sharing,
    ) -> Result<Self, FeedError> {
        let mut feed = Self::take_up(store, dir.into(), signer).await?;
        let head = feed.head_of_all().await?;
        let mark = open_mark(&feed.mark_path(), &head, *feed.store.log_size().borrow())?;
        feed.standing = Some(Standing::new(sharing, mark));
        feed.leading = false.into();
        feed.catch_up().await?;
        let seen = feed.standing.as_ref().and_then(Standing::checkpoint);
        if let Some(mark::Checkpoint { size, root }) = seen {
            feed.must_have(size, &root)?;
        }
        Ok(feed)
    }

    /// An operator vouches for the database: from now on this instance signs.
    pub fn confirm(&self) -> Result<(), FeedError> {
        let Some(standing) = &self.standing else { return Ok(()) };
        let Checkpoint { size, root } = self.newest().checkpoint;
        let head = LogHead { verifier: self.verifier().to_string(), size, root };
        let mut kept = MarkFile::create(&self.mark_path(), Mark::default())?;
        kept.advance(mark_of(&head))?;
        *standing.mark() = Some(kept);
        Ok(())
    }

    /// Beside the log's files: it is about this log.
    fn mark_path(&self) -> PathBuf {
        self.files.dir().join("high-water-mark")
    }

    /// The head; the first instance of all records that there is nothing, and
    /// thereby under whose key.
    async fn head_of_all(&self) -> Result<LogHead, FeedError> {
        if let Some(head) = self.store.load::<LogHead>(&()).await? {
            return Ok(head.value);
        }
        let verifier = self.verifier().to_string();
        let head = LogHead { verifier, size: 0, root: merkle::empty_root() };
        let mut changes = Changeset::default();
        changes.put_new(head);
        match self.store.commit(changes).await {
            Err(StoreError::Stale) => {}
            done => drop(done?),
        }
        let head = self.store.load::<LogHead>(&()).await?;
        let head = head.ok_or_else(|| StoreError::Fatal("the log's head is gone".to_owned()))?;
        must_be_of(&self.signer, &head.value)?;
        Ok(head.value)
    }

    /// Whether it is known that this database is the newest one. Until then
    /// this instance signs nothing.
    pub fn is_confirmed(&self) -> bool {
        self.standing.as_ref().is_none_or(Standing::is_confirmed)
    }

    pub(super) fn has_others(&self) -> bool {
        self.standing.is_some()
    }

    /// What a commit expects that is only for who publishes.
    pub(super) async fn fence(&self) -> Result<Option<(Key, u64)>, FeedError> {
        match &self.standing {
            None => Ok(None),
            Some(standing) => Ok(Some(standing.fence(self.store.as_ref()).await?)),
        }
    }

    /// Looks for what others have recorded, and shows it.
    pub(super) async fn look_again(&self) -> Result<(), FeedError> {
        if self.standing.is_none() {
            return Ok(());
        }
        let _one_at_a_time = self.publishing.lock().await;
        self.catch_up().await
    }

    /// Between two rounds: a long interval must not cost the lease.
    async fn tend(&self) -> Result<(), FeedError> {
        let _one_at_a_time = self.publishing.lock().await;
        self.catch_up().await?;
        self.leads().await.map(drop)
    }

    /// For who holds `publishing`.
    pub(super) async fn catch_up(&self) -> Result<(), FeedError> {
        let Some(standing) = &self.standing else { return Ok(()) };
        let Some(head) = self.store.load::<LogHead>(&()).await? else { return Ok(()) };
        let head = head.value;
        must_be_of(&self.signer, &head)?;
        let shown = self.newest().checkpoint;
        if head.size < shown.size {
            let why = format!(
                "the database was set back: {} entries were signed, and it knows of {}",
                shown.size, head.size
            );
            return Err(FeedError::Fatal(why));
        }
        if head.size > shown.size {
            self.extend_to(head.size).await?;
            self.must_have(head.size, &head.root)?;
            standing.saw(&head)?;
            self.show(self.recorded(Checkpoint { size: head.size, root: head.root }))?;
        }
        Ok(())
    }

    /// Whether this instance publishes. For one alone: always.
    pub(super) async fn leads(&self) -> Result<bool, FeedError> {
        match &self.standing {
            None => Ok(true),
            Some(standing) => {
                let leads = standing.is_confirmed() && standing.leads(self.store.as_ref()).await?;
                self.leading.store(leads, Ordering::Relaxed);
                Ok(leads)
            }
        }
    }

    /// Shows what is recorded, and publishes when it is this instance's turn,
    /// until it is told to stop.
    pub(super) async fn share_until(
        &self,
        stop: &CancellationToken,
        interval: Duration,
    ) -> Result<(), FeedError> {
        let pause = LOOK_EVERY.min(interval);
        let looks_per_round = (interval.as_millis() / pause.as_millis().max(1)).max(1);
        for nth in (0..looks_per_round).cycle() {
            let round = if nth == 0 { self.publish().await.map(drop) } else { self.tend().await };
            let pause = if self.passes(round)? { pause } else { interval };
            tokio::select! {
                () = stop.cancelled() => break,
                () = sleep(pause) => {}
            }
        }
        if let Some(standing) = &self.standing
            && let Err(error) = standing.resign(self.store.as_ref()).await
        {
            tracing::warn!(%error, "the others have to wait until the lease has run out");
        }
        Ok(())
    }
}

/// The mark, if there is one or nothing was ever signed.
fn open_mark(path: &Path, head: &LogHead, log_size: u64) -> Result<Option<MarkFile>, FeedError> {
    match MarkFile::open(path)? {
        Found::Whole(kept) if signed(&kept) > head.size => {
            Err(FeedError::SetBack { signed: signed(&kept), known: head.size, path: path.to_owned() })
        }
        Found::Whole(kept) => Ok(Some(kept)),
        Found::Missing if head.size == 0 && log_size == 0 => {
            let mut kept = MarkFile::create(path, Mark::default())?;
            kept.advance(mark_of(head))?;
            Ok(Some(kept))
        }
        Found::Missing | Found::Damaged => {
            tracing::warn!(
                path = %path.display(),
                "there is no high-water mark, so nobody knows whether this database is the newest one: serving \
                 without signing until `zhengming feed confirm-head`"
            );
            Ok(None)
        }
    }
}

fn signed(kept: &MarkFile) -> u64 {
    kept.mark().checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.size)
}

fn mark_of(head: &LogHead) -> Mark {
    Mark { log_size: head.size, checkpoint: Some(mark::Checkpoint::of(head)), ..Mark::default() }
}

fn nobodys() -> Lease {
    Lease { name: PUBLISHER.to_owned(), holder: String::new(), epoch: 0, renewals: 0 }
}
