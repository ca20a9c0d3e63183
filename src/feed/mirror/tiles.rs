//! The beginnings of a log, proved with its hash tiles.
//!
//! Whoever has the root of a log has, with a few tiles, the root of every
//! earlier size: enough to see that a snapshot belongs to the log, that what
//! one holds is still its beginning, or to stop for a rest on a long way.
//!
//! Absent: entries.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::feed::checkpoint::Checkpoint;
use crate::feed::merkle::{
    Frontier, Hash, Subtree, consistency, join, proves_consistency, root_of, subtrees,
};
use crate::feed::mirror::error::MirrorError;
use crate::feed::mirror::log::{Log, width};
use crate::feed::mirror::source::SourceError;
use crate::feed::tiles::{TILE_LEVELS, TILE_WIDTH};

/// The tiles of a log as large as a checkpoint says, those kept that were
/// fetched: each proof needs but the right edge of a tree.
#[derive(Debug)]
pub struct Tiles<'a> {
    log: &'a Log,
    checkpoint: &'a Checkpoint,
    fetched: BTreeMap<(u32, u64), Vec<Hash>>,
}

impl<'a> Tiles<'a> {
    pub fn of(log: &'a Log, checkpoint: &'a Checkpoint) -> Self {
        Self { log, checkpoint, fetched: BTreeMap::new() }
    }

    /// The tree of the first `size` entries, no more than there are, once it
    /// is proved to be the beginning of what the checkpoint signs for.
    pub async fn beginning(&mut self, size: u64) -> Result<Frontier, MirrorError> {
        if size == 0 {
            return Ok(Frontier::default());
        }
        let edge = self.hashes(&(0..size)).await?;
        let mut proof = Vec::new();
        for stretch in consistency(size, self.checkpoint.size) {
            proof.push(join(&self.hashes(&stretch).await?));
        }
        let Checkpoint { size: whole, root } = self.checkpoint;
        Frontier::new(size, edge)
            .filter(|tree| proves_consistency(size, &tree.root(), *whole, root, &proof))
            .ok_or(MirrorError::TilesWrong { size: *whole })
    }

    /// Those of the complete subtrees that a stretch of leaves consists of.
    async fn hashes(&mut self, leaves: &Range<u64>) -> Result<Vec<Hash>, SourceError> {
        let mut hashes = Vec::new();
        for subtree in subtrees(leaves) {
            hashes.push(self.subtree(subtree).await?);
        }
        Ok(hashes)
    }

    /// A complete subtree is a part of one tile, hashed together.
    async fn subtree(&mut self, Subtree { level, index }: Subtree) -> Result<Hash, SourceError> {
        let (tile_level, within) = (level / TILE_LEVELS, level % TILE_LEVELS);
        let first = index << within;
        let (nth, from) = (first / TILE_WIDTH, (first % TILE_WIDTH) as usize);
        if !self.fetched.contains_key(&(tile_level, nth)) {
            let width = width(tile_level, nth, self.checkpoint.size);
            let tile = self.log.tile(tile_level, nth, width).await?;
            self.fetched.insert((tile_level, nth), tile);
        }
        let tile = &self.fetched[&(tile_level, nth)];
        Ok(root_of(&tile[from..from + (1 << within)]))
    }
}
