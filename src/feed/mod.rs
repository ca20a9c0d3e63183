//! The feed: the log of corrections as providers see it, and what they say
//! back.
//!
//! An entry can be seen once it is under a signed checkpoint (`publisher`).
//! What is published is decided in one place, `newest`, and nothing beyond
//! it is ever served.
//!
//! Absent: deciding what is corrected, writing entries (they come with their
//! decision's commit), words of HTTP, who may ask.

mod ack;
pub mod audit;
mod bundles;
pub mod checkpoint;
mod entries;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod fake;
mod files;
mod former;
mod hashes;
mod kept;
mod lag;
pub mod merkle;
mod meters;
pub mod mirror;
pub mod note;
mod pages;
mod publisher;
pub mod receipt;
pub mod render;
pub mod shared;
pub mod snapshot;
pub mod tiles;
pub mod zms;

pub use ack::{Acknowledgement, RefusedEntry};
pub use bundles::Coding;
pub use files::LogsDir;
pub use former::FormerLog;
pub use kept::Body;
pub use lag::Lag;
pub use meters::Backlog;
pub use pages::PageOfEntries;
use publisher::must_be_of;
pub use publisher::{Extended, Recorded, Signed};

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};

use tokio::sync::{Mutex, watch};

use crate::domain::number::Number;
use crate::domain::refusal::Refusal;
use crate::feed::checkpoint::Checkpoint;
use crate::feed::files::LogFiles;
use crate::feed::kept::Kept;
use crate::feed::merkle::{Hash, leaf_hash};
use crate::feed::meters::Meters;
use crate::feed::note::{NoteSigner, NoteVerifier};
use crate::feed::render::LeafMalformed;
use crate::feed::shared::Standing;
use crate::feed::snapshot::Horizon;
use crate::store::{LOG_ENTRIES_MAX, LogHead, Store, StoreError};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FeedError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The disk is full, or ails. Nothing is lost: the files follow from the log.
    #[error("the log's files: {0}")]
    Files(String),
    #[error("the log in this store is that of {signed_by}, and the key and origin here make it {ours}")]
    OtherLog { signed_by: String, ours: String },
    #[error(
        "this instance has seen a signed checkpoint of {signed} entries (by its high-water mark {path}), and the \
         database knows of one of {known}: it was set back to an earlier day"
    )]
    SetBack { signed: u64, known: u64, path: PathBuf },
    /// The process has to end.
    #[error("the log cannot be published: {0}")]
    Fatal(String),
}

impl FeedError {
    /// Whether the same call may succeed in a moment.
    pub fn is_passing(&self) -> bool {
        use StoreError::{Busy, Stale, Unsure};
        matches!(self, Self::Store(Busy(_) | Stale | Unsure) | Self::Files(_))
    }
}

/// A checkpoint that all can see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    pub checkpoint: Checkpoint,
    /// The signed note, byte for byte.
    pub note: Arc<str>,
}

impl Published {
    fn sign(checkpoint: Checkpoint, signer: &NoteSigner) -> Self {
        let note = checkpoint.sign(signer).into();
        Self { checkpoint, note }
    }
}

/// So many leaves are read at once without further ado.
const FEW_LEAVES: u64 = 8;

pub struct Feed {
    store: Arc<dyn Store>,
    signer: NoteSigner,
    files: Arc<LogFiles>,
    former: BTreeMap<String, FormerLog>,
    newest: RwLock<Published>,
    /// Word of its size.
    published: watch::Sender<u64>,
    /// Held by who publishes: one at a time.
    publishing: Mutex<()>,
    /// With the other instances; `None`: there are no others.
    standing: Option<Standing>,
    /// The last round failed.
    failing: AtomicBool,
    /// This instance published in the last round, or would have.
    leading: AtomicBool,
    horizon: Horizon,
    kept: Kept,
    meters: Meters,
}

impl Feed {
    /// Takes up the log where it was left, and publishes what is durable. Its
    /// files are in a folder of `dir` that is named after the key.
    pub async fn open(
        store: Arc<dyn Store>,
        dir: impl Into<LogsDir>,
        signer: NoteSigner,
    ) -> Result<Self, FeedError> {
        let feed = Self::take_up(store, dir.into(), signer).await?;
        let extended = feed.extend().await?;
        let recorded = feed.record(feed.sign(&extended)?).await?;
        feed.show(recorded)?;
        Ok(feed)
    }

    /// The log as it was left, with nothing published yet.
    async fn take_up(
        store: Arc<dyn Store>,
        mut logs: LogsDir,
        signer: NoteSigner,
    ) -> Result<Self, FeedError> {
        let head = store.load::<LogHead>(&()).await?.map(|known| known.value);
        let signed = head.as_ref().map_or(0, |head| head.size);
        let ours = signer.verifier().to_string();
        if let Some(head) = &head {
            must_be_of(&signer, head)?;
        }
        if !has(store.as_ref(), signed).await? {
            let why = format!("a checkpoint of {signed} entries is signed, and the store has fewer");
            return Err(FeedError::Fatal(why));
        }
        let id = signer.verifier().id();
        let dir = logs.path().join(&id);
        let is_whole = logs.damaged_from(&dir).is_ok_and(|damaged| signed < damaged);
        // What is beyond the head was perhaps never synced.
        let mut files = LogFiles::open(&dir, signed)?;
        let are_its = |head: LogHead| files.hashes().are(head.size, &head.root).unwrap_or(false);
        if head.is_some_and(|head| !is_whole || !are_its(head)) {
            tracing::warn!(dir = %dir.display(), "the log's files are missing or damaged; making them anew");
            files = LogFiles::open(&dir, 0)?;
        }
        let files = Arc::new(files);
        fs::write(dir.join("key"), format!("{ours}\n"))?;
        let former = former::all(logs.path(), &id)?;
        let none = Checkpoint { size: 0, root: merkle::empty_root() };
        let newest = RwLock::new(Published::sign(none, &signer));
        let published = watch::Sender::new(0);
        let (failing, leading) = (AtomicBool::new(false), AtomicBool::new(true));
        let (publishing, standing) = (Mutex::default(), None);
        let (horizon, kept, meters) = (Horizon::default(), Kept::default(), Meters::default());
        Ok(Self {
            store,
            signer,
            files,
            former,
            newest,
            published,
            publishing,
            standing,
            failing,
            leading,
            horizon,
            kept,
            meters,
        })
    }

    /// The key that checks what this log signs.
    pub fn verifier(&self) -> &NoteVerifier {
        self.signer.verifier()
    }

    /// The newest checkpoint.
    pub fn newest(&self) -> Published {
        self.newest.read().expect("nobody panics while replacing it").clone()
    }

    /// How many entries are published.
    pub fn size(&self) -> u64 {
        self.newest().checkpoint.size
    }

    /// The same, and word of every growth.
    pub fn published(&self) -> watch::Receiver<u64> {
        self.published.subscribe()
    }

    /// A log that was kept before this one, by its key's id.
    pub fn former(&self, id: &str) -> Option<&FormerLog> {
        self.former.get(id)
    }

    pub fn all_former(&self) -> impl Iterator<Item = &FormerLog> {
        self.former.values()
    }

    /// Whether what is committed becomes published.
    pub fn is_publishing(&self) -> bool {
        !self.failing.load(Ordering::Relaxed)
    }

    /// Whether this instance is the one that publishes.
    pub fn is_leading(&self) -> bool {
        self.leading.load(Ordering::Relaxed)
    }

    /// Entries before this one are no longer handed out.
    pub fn oldest(&self) -> u64 {
        self.horizon.oldest()
    }

    /// The log's root when it had `size` entries; `None` for what is not
    /// published yet.
    pub fn root_at(&self, size: u64) -> Result<Option<Hash>, FeedError> {
        let newest = self.newest().checkpoint;
        if size == newest.size {
            return Ok(Some(newest.root));
        }
        if size > newest.size {
            return Ok(None);
        }
        self.kept.root(size, || Ok(self.files.hashes().root(size)?)).map(Some)
    }

    /// The root that the log has or will have at a size that is durable, be it
    /// published or not; `None` beyond.
    async fn durable_root_at(&self, size: u64) -> Result<Option<Hash>, FeedError> {
        if size > *self.store.log_size().borrow() {
            return Ok(None);
        }
        let mut tree = self.files.hashes().frontier(self.size().min(size))?;
        while tree.size() < size {
            self.leaves(tree.size(), size).await?.iter().for_each(|leaf| tree.push(leaf_hash(leaf)));
        }
        Ok(Some(tree.root()))
    }

    /// Returns the size once it is beyond `size`, or when `enough` ends first:
    /// a time-out, a shutdown, or both.
    pub async fn wait_beyond(&self, size: u64, enough: impl Future<Output = ()>) -> u64 {
        let mut published = self.published();
        let grown = published.wait_for(|published| *published > size);
        tokio::select! {
            () = pin!(enough) => self.size(),
            Ok(published) = grown => *published,
        }
    }

    /// One entry's leaf, if it can be seen and is still kept.
    pub async fn entry(&self, seq: u64) -> Result<Option<Vec<u8>>, FeedError> {
        if seq < self.oldest() || seq >= self.size() {
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
        self.newest_below(self.size(), newest).await
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

    /// Durable leaves from `first` up to `end`: some of them, and none only
    /// where there are none.
    async fn leaves(&self, first: u64, end: u64) -> Result<Vec<Vec<u8>>, FeedError> {
        let end = end.min(first.saturating_add(LOG_ENTRIES_MAX as u64));
        let read = match end.saturating_sub(first) {
            0 => return Ok(Vec::new()),
            // Not worth another thread.
            1..=FEW_LEAVES => self.files.leaves(first, end).map_err(FeedError::from),
            _ => self.on_files(move |files| files.leaves(first, end)).await,
        };
        match read {
            Ok(Some(leaves)) => return Ok(leaves),
            Ok(None) => {}
            // They are made anew where they are missing at a start.
            Err(error) => tracing::error!(%error, first, "the log's file \"entries\" is damaged: remove it"),
        }
        Ok(self.stored(first, end).await?)
    }

    /// The same out of the store.
    async fn stored(&self, first: u64, end: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        let count = end.saturating_sub(first).min(LOG_ENTRIES_MAX as u64) as usize;
        let leaves = self.store.log(first, count).await?;
        if leaves.is_empty() || leaves.len() > count {
            return Err(StoreError::Fatal(format!("{} instead of {count} entries at {first}", leaves.len())));
        }
        Ok(leaves)
    }

    /// All leaves from `first` up to `end`, which is not far.
    async fn all_leaves(&self, first: u64, end: u64) -> Result<Vec<Vec<u8>>, FeedError> {
        let mut leaves = Vec::new();
        while first + (leaves.len() as u64) < end {
            leaves.extend(self.leaves(first + leaves.len() as u64, end).await?);
        }
        Ok(leaves)
    }

    async fn leaf(&self, seq: u64) -> Result<Vec<u8>, FeedError> {
        let mut leaves = self.leaves(seq, seq + 1).await?;
        Ok(leaves.pop().expect("asked for one, got one"))
    }
}

/// Whether so many entries are durable. Others may have committed them since
/// the store was looked at last.
async fn has(store: &dyn Store, size: u64) -> Result<bool, StoreError> {
    Ok(size == 0 || !store.log(size - 1, 1).await?.is_empty())
}

impl From<io::Error> for FeedError {
    fn from(error: io::Error) -> Self {
        Self::Files(error.to_string())
    }
}

impl From<LeafMalformed> for FeedError {
    fn from(damage: LeafMalformed) -> Self {
        Self::Store(StoreError::Fatal(damage.to_string()))
    }
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed").field("newest", &self.newest).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
