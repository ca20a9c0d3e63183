//! Why a round came to nothing. Whatever it is, the data in the folder stays
//! what it was: that of the last round that was right.
//!
//! Absent: what to do next (`follow`).

use std::path::{Path, PathBuf};

use crate::feed::checkpoint::CheckpointError;
use crate::feed::mirror::source::SourceError;

#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A wrong signature, or the checkpoint of something else.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error(
        "the log has shrunk: we hold {have} entries, its checkpoint signs for {size}. Where an old checkpoint \
         came out of a cache this passes; where it stays, ask the service's operator whether the log was \
         restored from a backup. After a new log was begun, mirror it with its verifier key into a new --out"
    )]
    Shrunken { have: u64, size: u64 },
    #[error(
        "the log has forked: its first {size} entries are no longer those that we hold and that it had signed. \
         The signed statements that contradict each other are in {}. Ask the service's operator; after a new \
         log was begun, mirror it with its verifier key into a new --out", evidence.display()
    )]
    Forked { size: u64, evidence: PathBuf },
    #[error("the log's hash tiles do not add up to its checkpoint of {size} entries")]
    TilesWrong { size: u64 },
    /// Truncated, changed on the way, or not those of the log.
    #[error("the entries from {first} up to {end} are not those that the checkpoint signs for: {why}")]
    EntriesWrong { first: u64, end: u64, why: String },
    /// Signed and in the log, but not for us.
    #[error("entry {seq} of the log cannot be followed: {why}")]
    EntryUnknown { seq: u64, why: String },
    #[error("the snapshot at {size} entries is not to be trusted: {why}")]
    SnapshotWrong { size: u64, why: String },
    #[error(
        "entries that we need are no longer kept, and the newest snapshot, at {size}, is not beyond our {have}"
    )]
    SnapshotOld { have: u64, size: u64 },

    #[error("{}: another mirror works in this folder", dir.display())]
    InUse { dir: PathBuf },
    #[error("{} holds a mirror of {theirs}, and the verifier key is that of {ours}: take a new --out", dir.display())]
    OtherLog { dir: PathBuf, theirs: String, ours: String },
    #[error("{} holds {found}: take another --out for another --format", dir.display())]
    OtherFormat { dir: PathBuf, found: String },
    #[error("{}: the disk is full", path.display())]
    DiskFull { path: PathBuf },
    #[error("{}: {why}", path.display())]
    Output { path: PathBuf, why: String },
    #[error("{}: it is damaged, or somebody has changed it; it is built anew", path.display())]
    Damaged { path: PathBuf },
}

impl MirrorError {
    pub fn io(path: &Path, error: &std::io::Error) -> Self {
        let path = path.to_owned();
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            _ => Self::Output { path, why: error.to_string() },
        }
    }

    /// Whether only other arguments can help.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::InUse { .. } | Self::OtherLog { .. } | Self::OtherFormat { .. })
    }

    /// The log no longer has entries that were asked for.
    pub fn is_expired(&self) -> bool {
        matches!(self, Self::Source(error) if error.is_gone())
    }

    /// How long the service wants to be left alone.
    pub fn retry_after_s(&self) -> Option<u64> {
        match self {
            Self::Source(SourceError::Busy { retry_after_s, .. }) => *retry_after_s,
            _ => None,
        }
    }
}
