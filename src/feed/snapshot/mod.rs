//! Snapshots: all corrections in force at the size of a checkpoint, for who
//! begins with the feed or has been away for long.
//!
//! Files of one folder, written once and never changed. `{size}.sum` is
//! signed and makes them a snapshot: one exists if and only if its sum does.
//! `{size}.checks` is for finding what the disk has not kept (`checks`).
//! Two are kept, so that a download that has begun can be gone on with.
//!
//! | a crash | leaves | which the next start |
//! |---|---|---|
//! | while scratch files are written | nothing: they have no name | |
//! | while drafts are written | `draft-….tmp` | removes |
//! | while forms get their names | forms of a size without a sum | removes |
//! | after the sum has its name | the snapshot, and one too many | retires the oldest |
//! | after the old sum has become `{size}.gone` | forms of a size without a sum | removes |
//!
//! `{size}.gone` says that there was a snapshot, to those who still ask.
//!
//! Absent: words of HTTP, what a provider's own copy does with a snapshot,
//! removing entries from the log: they are only refused, see `horizon`.

mod agreed;
mod build;
mod checks;
mod compact;
mod folder;
mod form;
mod horizon;
mod keeper;
mod lines;
mod merge;
mod pieces;
mod sum;
mod writing;

pub use agreed::Agreed;
pub use build::Portions;
pub use form::Form;
pub use horizon::Horizon;
pub use keeper::{Rhythm, due};
pub use pieces::SnapshotFile;
pub use sum::{KEY_NAME_SUFFIX, Said, Sum, SumError};

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

use async_trait::async_trait;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::feed::checkpoint::Checkpoint;
use crate::feed::merkle::Hash;
use crate::feed::note::{KeyNameMalformed, NoteSigner};
use crate::feed::render::LeafMalformed;
use crate::feed::zms::{Header, ZmsError};
use crate::feed::{Coding, Feed, FeedError};
use build::Build;
use checks::Checks;
use folder::Folder;
use pieces::Pieces;

/// How many snapshots are kept.
pub const KEPT: usize = 2;
/// Marks of snapshots that were; those of the smallest sizes go first.
const GONE_MAX: usize = 1_000;

/// What a snapshot is made of.
#[async_trait]
pub trait Log: Send + Sync {
    /// Size and root of what is published.
    fn checkpoint(&self) -> Checkpoint;

    /// The root at an earlier size.
    fn root_at(&self, size: u64) -> Result<Option<Hash>, FeedError>;

    /// Some leaves from `first` up to `end`; none only where there are none.
    async fn leaves(&self, first: u64, end: u64) -> Result<Vec<Vec<u8>>, FeedError>;

    /// At which sizes all instances make one, ascending; `None`: there is one
    /// instance, which decides by itself.
    async fn agreed(&self) -> Result<Option<Vec<Agreed>>, FeedError> {
        Ok(None)
    }

    /// Decides on one more, if that is this instance's to decide.
    async fn agree(&self, _: Agreed) -> Result<(), FeedError> {
        Ok(())
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    pub sum: Sum,
    /// The sum as it was signed.
    pub note: String,
    /// When making it began.
    pub at: Timestamp,
    /// What its files were when they were written.
    checks: Arc<Checks>,
}

/// What is known of a size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    Here(Arc<Snapshot>),
    /// There was one.
    Gone,
    Never,
}

#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    #[error("snapshot files: {0}")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Log(#[from] FeedError),
    #[error(transparent)]
    KeyName(#[from] KeyNameMalformed),
    #[error(transparent)]
    Compact(#[from] ZmsError),
    #[error("the snapshot at {size} is not what was signed")]
    Damaged { size: u64 },
    #[error("stopped before the snapshot was finished")]
    Stopped,
}

#[derive(Debug)]
pub struct Snapshots {
    folder: Arc<Folder>,
    /// The log's name.
    origin: String,
    signer: NoteSigner,
    portions: Portions,
    horizon: Horizon,
    shelf: RwLock<Shelf>,
    pieces: Arc<Pieces>,
}

#[derive(Debug, Default)]
struct Shelf {
    /// Ascending by size.
    kept: Vec<Arc<Snapshot>>,
    gone: BTreeSet<u64>,
}

impl Snapshots {
    /// Takes up what lies in `dir` and is this log's, under its key. The
    /// feed's horizon moves with what is kept.
    pub async fn of(feed: &Feed, dir: &Path, disk_free_bytes_min: u64) -> Result<Self, SnapshotError> {
        Self::open(dir, disk_free_bytes_min, &feed.signer, feed, feed.horizon.clone()).await
    }

    async fn open(
        dir: &Path,
        disk_free_bytes_min: u64,
        signer: &NoteSigner,
        log: &dyn Log,
        horizon: Horizon,
    ) -> Result<Self, SnapshotError> {
        let (origin, signer) = (signer.verifier().name().to_owned(), signer.under(KEY_NAME_SUFFIX)?);
        let (folder, found) = Folder::open(dir, disk_free_bytes_min)?;
        let (folder, portions) = (Arc::new(folder), Portions::default());
        let shelf = RwLock::new(Shelf { kept: Vec::new(), gone: found.gone });
        let pieces = Arc::default();
        let snapshots = Self { folder, origin, signer, portions, horizon, shelf, pieces };
        for size in found.kept {
            match snapshots.read(size, log)? {
                Ok(snapshot) => snapshots.add(snapshot).await?,
                Err(why) => {
                    tracing::warn!(size, why, "a snapshot is not of use and was removed");
                    snapshots.folder.discard(size)?;
                }
            }
        }
        Ok(snapshots)
    }

    pub fn newest(&self) -> Option<Arc<Snapshot>> {
        self.shelf().kept.last().cloned()
    }

    pub fn find(&self, size: u64) -> Found {
        let shelf = self.shelf();
        match shelf.kept.iter().find(|kept| kept.sum.size == size) {
            Some(kept) => Found::Here(kept.clone()),
            None if shelf.gone.contains(&size) => Found::Gone,
            None => Found::Never,
        }
    }

    /// One of a snapshot's files; `NotFound` where it has been removed since
    /// it was found.
    pub async fn file(
        &self,
        snapshot: &Snapshot,
        form: Form,
        coding: Option<Coding>,
    ) -> io::Result<SnapshotFile> {
        let size = snapshot.sum.size;
        let file = tokio::fs::File::open(self.folder.path(size, form, coding)).await?.into_std().await;
        SnapshotFile::new(file, (size, form, coding), snapshot.checks.clone(), &self.pieces)
    }

    /// Makes the snapshot at a checkpoint beyond the newest one, and retires
    /// the oldest. For one caller at a time.
    async fn take(
        &self,
        log: &dyn Log,
        checkpoint: &Checkpoint,
        now: Timestamp,
        stop: &CancellationToken,
    ) -> Result<Arc<Snapshot>, SnapshotError> {
        let (size, root) = (checkpoint.size, checkpoint.root);
        let build = Arc::new(Build {
            folder: self.folder.clone(),
            portions: self.portions,
            header: Header { origin: self.origin.clone(), size, root },
            stop: stop.child_token(),
        });
        // Dropped in the middle, it does not leave its threads at work.
        let _ends_with_this = build.stop.clone().drop_guard();
        let previous = self.newest().map(|newest| newest.sum.clone());
        let mut written = build.clone().run(log, previous).await;
        if let Err(SnapshotError::Damaged { size }) = written {
            self.drop_damaged(size).await?;
            written = build.run(log, None).await;
        }
        let written = written?;
        let sum = Sum { size, root, count: written.count, digests: written.digests };
        let note = sum.sign(&self.signer);
        let (folder, text) = (self.folder.clone(), note.clone());
        let checks = blocking(move || folder.put(size, written.drafts, &text, now)).await?;
        self.add(Snapshot { sum, note, at: now, checks: Arc::new(checks) }).await?;
        Ok(self.newest().expect("one was added"))
    }

    /// The snapshot that lies under a size, or why it is none of ours.
    fn read(&self, size: u64, log: &dyn Log) -> Result<Result<Snapshot, String>, SnapshotError> {
        if !self.folder.is_whole(size) {
            return Ok(Err("a file of it is missing".to_owned()));
        }
        let (note, at) = match self.folder.sum(size) {
            Ok(read) => read,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let sum = match Sum::open(&note, self.signer.verifier()) {
            Ok(sum) => sum,
            Err(error) => return Ok(Err(error.to_string())),
        };
        if sum.size != size || log.root_at(size)? != Some(sum.root) {
            return Ok(Err("it is another log's".to_owned()));
        }
        match self.folder.checks(size) {
            Ok(checks) => Ok(Ok(Snapshot { sum, note, at, checks: Arc::new(checks) })),
            Err(error) => Ok(Err(error.to_string())),
        }
    }

    /// Puts a snapshot on the shelf and takes the oldest off it.
    async fn add(&self, snapshot: Snapshot) -> Result<(), SnapshotError> {
        let mut surplus = Vec::new();
        {
            let mut shelf = self.shelf_to_change();
            shelf.kept.push(Arc::new(snapshot));
            while shelf.kept.len() > KEPT {
                surplus.push(shelf.kept.remove(0).sum.size);
            }
        }
        self.retire(surplus).await
    }

    /// Takes a snapshot off the shelf that its disk has not kept as it was.
    pub async fn drop_damaged(&self, size: u64) -> Result<(), SnapshotError> {
        tracing::error!(size, "a snapshot is damaged: it is removed, and the next one begins from nothing");
        let damaged = self.shelf_to_change().kept.extract_if(.., |kept| kept.sum.size == size).count();
        // Several downloads may meet the same damage.
        if damaged == 0 { Ok(()) } else { self.retire(vec![size]).await }
    }

    /// Removes what is off the shelf, and the oldest of the marks.
    async fn retire(&self, sizes: Vec<u64>) -> Result<(), SnapshotError> {
        let mut forgotten = Vec::new();
        {
            let gone = &mut self.shelf_to_change().gone;
            gone.extend(&sizes);
            while gone.len() > GONE_MAX {
                forgotten.extend(gone.pop_first());
            }
        }
        let folder = self.folder.clone();
        blocking(move || {
            sizes.into_iter().try_for_each(|size| folder.retire(size))?;
            forgotten.into_iter().try_for_each(|size| folder.forget(size))
        })
        .await?;
        Ok(())
    }

    /// The size of the older one, where as many are kept as shall be.
    fn older_size(&self) -> Option<u64> {
        let shelf = self.shelf();
        (shelf.kept.len() == KEPT).then(|| shelf.kept[0].sum.size)
    }

    fn shelf_to_change(&self) -> RwLockWriteGuard<'_, Shelf> {
        self.shelf.write().expect("nobody panics while holding the shelf")
    }

    fn shelf(&self) -> RwLockReadGuard<'_, Shelf> {
        self.shelf.read().expect("nobody panics while holding the shelf")
    }
}

/// Away from the threads that answer.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|panicked| Err(io::Error::other(panicked)))
}

impl From<LeafMalformed> for SnapshotError {
    fn from(damage: LeafMalformed) -> Self {
        Self::Log(damage.into())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
