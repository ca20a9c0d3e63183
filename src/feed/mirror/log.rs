//! The log as it is on the wire: what lies at which path (C2SP tlog-tiles),
//! and how it is taken apart.
//!
//! Absent: whether any of it is true. Only a checkpoint is signed; everything
//! else has to add up to one, and whoever asks sees to that.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use crate::domain::correction::ENTRY_BYTES_MAX;
use crate::domain::progress::Stage;
use crate::feed::checkpoint::{Checkpoint, CheckpointError};
use crate::feed::merkle::Hash;
use crate::feed::mirror::SOFTWARE;
use crate::feed::mirror::error::MirrorError;
use crate::feed::mirror::source::{Source, SourceError};
use crate::feed::note::{NOTE_BYTES_MAX, NoteError, NoteVerifier};
use crate::feed::tiles::{TILE_WIDTH, TilePlace, hashes_at};

const HASH_BYTES: usize = 32;
const TILE_BYTES_MAX: usize = TILE_WIDTH as usize * HASH_BYTES;
const BUNDLE_BYTES_MAX: usize = TILE_WIDTH as usize * (2 + ENTRY_BYTES_MAX);
const NEWS_BYTES_MAX: usize = 64 * 1024;
const NEWS_WAIT_S: u64 = 30;

#[derive(Debug, Clone)]
pub struct Log {
    pub source: Arc<dyn Source>,
    pub verifier: NoteVerifier,
}

/// A checkpoint and the note that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    pub note: String,
    pub checkpoint: Checkpoint,
}

impl Log {
    pub async fn checkpoint(&self) -> Result<Signed, MirrorError> {
        let note = self.note("/feed/v1/checkpoint").await?;
        let checkpoint = Checkpoint::open(&note, &self.verifier)?;
        Ok(Signed { note, checkpoint })
    }

    /// A text that somebody should have signed.
    pub async fn note(&self, path: &str) -> Result<String, MirrorError> {
        let note = self.source.get(path, NOTE_BYTES_MAX).await?;
        Ok(String::from_utf8(note).map_err(|_| CheckpointError::Note(NoteError::Malformed))?)
    }

    /// The entries of a bundle, taken apart by `leaves`.
    pub async fn bundle(&self, nth: u64, width: u64) -> Result<Vec<u8>, SourceError> {
        self.tile_file("/feed/v1/tile/entries", nth, width, BUNDLE_BYTES_MAX).await
    }

    /// The first `width` hashes of a tile.
    pub async fn tile(&self, level: u32, nth: u64, width: u64) -> Result<Vec<Hash>, SourceError> {
        let folder = format!("/feed/v1/tile/{level}");
        let bytes = self.tile_file(&folder, nth, width, TILE_BYTES_MAX).await?;
        let (hashes, rest) = bytes.as_chunks::<HASH_BYTES>();
        if !rest.is_empty() || (hashes.len() as u64) < width {
            let why = format!("{} bytes instead of {}", bytes.len(), width * HASH_BYTES as u64);
            return Err(SourceError::Strange { path: format!("{folder}/{}", TilePlace::full(nth)), why });
        }
        Ok(hashes[..width as usize].to_vec())
    }

    /// Returns once there may be more than `after` entries, or after a while.
    /// What it says is not looked at: only a checkpoint can be believed.
    pub async fn news(&self, after: u64) -> Result<(), SourceError> {
        let path = format!("/feed/v1/corrections?after={after}&limit=1&wait={NEWS_WAIT_S}");
        self.source.get(&path, NEWS_BYTES_MAX).await.map(|_| ())
    }

    pub async fn acknowledge(&self, size: u64, root: &Hash, stage: Stage) -> Result<(), SourceError> {
        #[derive(Serialize)]
        struct Ack<'a> {
            size: u64,
            root: String,
            stage: Stage,
            software: &'a str,
        }
        let ack = Ack { size, root: STANDARD.encode(root), stage, software: SOFTWARE };
        let ack = serde_json::to_vec(&ack).expect("strings and numbers always serialize");
        self.source.put("/feed/v1/ack", ack).await
    }

    /// A tile or bundle that is not full has another path, until it is full
    /// and the log perhaps keeps it no longer: then its beginning is the same.
    async fn tile_file(
        &self,
        folder: &str,
        nth: u64,
        width: u64,
        bytes_max: usize,
    ) -> Result<Vec<u8>, SourceError> {
        let full = format!("{folder}/{}", TilePlace::full(nth));
        if width < TILE_WIDTH {
            match self.source.get(&format!("{full}.p/{width}"), bytes_max).await {
                Err(error) if error.is_missing() => {}
                done => return done,
            }
        }
        self.source.get(&full, bytes_max).await
    }
}

/// The first `width` entries of a bundle, each behind two bytes that tell its
/// length. `None` if it has fewer, or is no bundle.
pub fn leaves(mut bundle: &[u8], width: u64) -> Option<Vec<&[u8]>> {
    let mut leaves = Vec::with_capacity(width as usize);
    while let Some((length, rest)) = bundle.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes(*length));
        let (leaf, rest) = rest.split_at_checked(length).filter(|_| length <= ENTRY_BYTES_MAX)?;
        leaves.push(leaf);
        bundle = rest;
    }
    let is_whole = bundle.is_empty() && leaves.len() as u64 >= width;
    leaves.truncate(width as usize);
    is_whole.then_some(leaves)
}

/// How many hashes tile `nth` of a level has when the log has `size` entries.
pub fn width(level: u32, nth: u64, size: u64) -> u64 {
    hashes_at(level, size).saturating_sub(nth.saturating_mul(TILE_WIDTH)).min(TILE_WIDTH)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn widths_follow_from_the_size() {
        for (level, nth, size, expected) in [
            (0, 273, 70_000, 112),
            (0, 272, 70_000, 256),
            (0, 274, 70_000, 0),
            (1, 1, 70_000, 17),
            (2, 0, 70_000, 1),
            (3, 0, 70_000, 0),
            (8, 0, u64::MAX, 0),
        ] {
            assert_eq!(width(level, nth, size), expected, "tile {level}/{nth}");
        }
    }

    #[test]
    fn a_bundle_comes_apart_as_it_was_made_or_not_at_all() {
        let bundle = b"\0\x03abc\0\0\0\x01x";
        assert_eq!(leaves(bundle, 3), Some(vec![&b"abc"[..], b"", b"x"]));
        assert_eq!(leaves(bundle, 2), Some(vec![&b"abc"[..], b""]));
        assert_eq!(leaves(bundle, 4), None);
        assert_eq!(leaves(b"", 0), Some(vec![]));
        for cut in 1..bundle.len() {
            assert!(leaves(&bundle[..cut], 3).is_none(), "cut at {cut}");
        }
        assert_eq!(leaves(&[&[4, 1], &[b'a'; 1025][..]].concat(), 1), None);
    }
}
