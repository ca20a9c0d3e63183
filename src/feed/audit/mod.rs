//! The log looked at from outside, all of it, as anybody may who has its
//! verifier key: does everything that it serves add up?
//!
//! Without a provider's key that is its checkpoints and hash tiles; with one
//! its entries and its newest snapshot too.
//!
//! Absent: keeping anything, acting on it (`mirror` does both).

mod entries;
mod snapshot;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
mod tiles;

use std::path::Path;

use crate::feed::checkpoint::Checkpoint;
use crate::feed::mirror::{Log, MirrorError, Progress, SnapshotSum, SourceError, Tiles};

/// What was found in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub checkpoint: Checkpoint,
    /// Tiles of all levels, partial ones included.
    pub tiles: u64,
    /// With a key only.
    pub entries: Option<EntriesReport>,
    /// The size of the log at the end of the audit.
    pub later_size: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntriesReport {
    /// Those before it are no longer kept.
    pub first: u64,
    pub checked: u64,
    pub numbers: u64,
    /// Where there is one.
    pub snapshot: Option<SnapshotReport>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotReport {
    pub size: u64,
    pub count: u64,
    /// Its forms, whose bytes are those that were signed.
    pub forms: Vec<String>,
}

/// The first thing that is not in order.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    #[error(transparent)]
    Log(#[from] MirrorError),
    #[error("the leaf hashes make another root than the checkpoint of {size} entries signs for")]
    RootWrong { size: u64 },
    #[error("tile {level}/{nth} is not what the tiles below it make")]
    TileWrong { level: u32, nth: u64 },
    #[error("entry {seq}: {why}")]
    EntryWrong { seq: u64, why: String },
    #[error("the snapshot at {size}: {why}")]
    SnapshotWrong { size: u64, why: String },
    #[error("{path}: {source}", path = path.display())]
    Scratch { path: std::path::PathBuf, source: std::io::Error },
}

impl From<SourceError> for AuditError {
    fn from(error: SourceError) -> Self {
        Self::Log(error.into())
    }
}

/// Looks at everything once. Hashes and the snapshot pass through nameless
/// files in `scratch`, 32 bytes for each entry.
pub async fn audit(
    log: &Log,
    has_key: bool,
    scratch: &Path,
    progress: &dyn Progress,
) -> Result<Report, AuditError> {
    // Before the checkpoint, so that it is not ahead of it.
    let sum = if has_key { newest_snapshot(log).await? } else { None };
    let first = log.checkpoint().await?.checkpoint;
    let leaves = tiles::check(log, &first, scratch, progress).await?;
    let entries = match has_key {
        true => Some(entries::check(log, &leaves, sum, scratch, progress).await?),
        false => None,
    };
    let later = log.checkpoint().await?.checkpoint;
    continues(log, &first, &later).await?;
    Ok(Report { checkpoint: first, tiles: leaves.tiles, entries, later_size: later.size })
}

async fn newest_snapshot(log: &Log) -> Result<Option<SnapshotSum>, AuditError> {
    match SnapshotSum::newest(log).await {
        Ok(sum) => Ok(Some(sum)),
        Err(MirrorError::Source(error)) if error.is_missing() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn continues(log: &Log, first: &Checkpoint, later: &Checkpoint) -> Result<(), AuditError> {
    if later.size < first.size {
        return Err(MirrorError::Shrunken { have: first.size, size: later.size }.into());
    }
    if Tiles::of(log, later).beginning(first.size).await?.root() != first.root {
        return Err(AuditError::RootWrong { size: first.size });
    }
    Ok(())
}
