//! All hash tiles: those of the leaves make those above, and the root.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use futures_util::{StreamExt, stream};

use crate::feed::audit::AuditError;
use crate::feed::checkpoint::Checkpoint;
use crate::feed::merkle::root_of;
use crate::feed::merkle::{Frontier, Hash};
use crate::feed::mirror::{Log, Phase, Progress, width};
use crate::feed::tiles::TILE_WIDTH;

const TILES_AHEAD: usize = 8;
const HASH_BYTES: u64 = 32;

/// The hashes of all leaves, known to be those that the checkpoint signs for.
#[derive(Debug)]
pub struct Leaves {
    pub size: u64,
    /// How many tiles were looked at.
    pub tiles: u64,
    file: File,
    scratch: PathBuf,
}

impl Leaves {
    pub fn hash(&self, seq: u64) -> Result<Hash, AuditError> {
        Ok(self.read(seq, 1)?[0])
    }

    /// The tree of the first `size` of them.
    pub fn tree(&self, size: u64) -> Result<Frontier, AuditError> {
        let mut tree = Frontier::default();
        for first in (0..size).step_by(TILE_WIDTH as usize) {
            let hashes = self.read(first, TILE_WIDTH.min(size - first))?;
            hashes.into_iter().for_each(|hash| tree.push(hash));
        }
        Ok(tree)
    }

    fn read(&self, first: u64, count: u64) -> Result<Vec<Hash>, AuditError> {
        let mut hashes = vec![Hash::default(); count as usize];
        let read = self.file.read_exact_at(hashes.as_flattened_mut(), first * HASH_BYTES);
        read.map_err(|source| AuditError::Scratch { path: self.scratch.clone(), source })?;
        Ok(hashes)
    }
}

pub async fn check(
    log: &Log,
    checkpoint: &Checkpoint,
    scratch: &Path,
    progress: &dyn Progress,
) -> Result<Leaves, AuditError> {
    let size = checkpoint.size;
    let failed = |source| AuditError::Scratch { path: scratch.to_owned(), source };
    let mut file = BufWriter::new(tempfile::tempfile_in(scratch).map_err(failed)?);
    let mut tree = Frontier::default();
    let mut above = Above { log, size, rows: Vec::new(), tiles: 0 };
    let fetches =
        (0..size.div_ceil(TILE_WIDTH)).map(|nth| async move { log.tile(0, nth, width(0, nth, size)).await });
    let mut fetched = stream::iter(fetches).buffered(TILES_AHEAD);
    while let Some(tile) = fetched.next().await {
        let tile = tile?;
        file.write_all(tile.as_flattened()).map_err(failed)?;
        tile.iter().for_each(|hash| tree.push(*hash));
        above.tiles += 1;
        if tile.len() as u64 == TILE_WIDTH {
            above.push(root_of(&tile)).await?;
        }
        progress.at(Phase::Tiles, tree.size(), size);
    }
    above.finish().await?;
    if tree.root() != checkpoint.root {
        return Err(AuditError::RootWrong { size });
    }
    let file = file.into_inner().map_err(|error| failed(error.into_error()))?;
    Ok(Leaves { size, tiles: above.tiles, file, scratch: scratch.to_owned() })
}

/// The levels above the leaves: of each the hashes of the tile that is filling.
struct Above<'a> {
    log: &'a Log,
    size: u64,
    rows: Vec<Row>,
    tiles: u64,
}

#[derive(Default)]
struct Row {
    nth: u64,
    hashes: Vec<Hash>,
}

impl Above<'_> {
    /// Takes the hash of a full tile of leaves, and compares what it fills.
    async fn push(&mut self, hash: Hash) -> Result<(), AuditError> {
        let mut carried = Some(hash);
        for at in 0.. {
            let Some(hash) = carried.take() else { break };
            if at == self.rows.len() {
                self.rows.push(Row::default());
            }
            self.rows[at].hashes.push(hash);
            if self.rows[at].hashes.len() as u64 == TILE_WIDTH {
                self.compare(at).await?;
                let row = &mut self.rows[at];
                carried = Some(root_of(&row.hashes));
                *row = Row { nth: row.nth + 1, hashes: Vec::new() };
            }
        }
        Ok(())
    }

    /// What is left are partial tiles.
    async fn finish(&mut self) -> Result<(), AuditError> {
        for at in 0..self.rows.len() {
            if !self.rows[at].hashes.is_empty() {
                self.compare(at).await?;
            }
        }
        Ok(())
    }

    async fn compare(&mut self, at: usize) -> Result<(), AuditError> {
        let (level, row) = (at as u32 + 1, &self.rows[at]);
        let tile = self.log.tile(level, row.nth, width(level, row.nth, self.size)).await?;
        if tile != row.hashes {
            return Err(AuditError::TileWrong { level, nth: row.nth });
        }
        self.tiles += 1;
        Ok(())
    }
}
