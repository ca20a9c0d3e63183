//! The log's hashes on disk, as the tiles of C2SP tlog-tiles: at level `L` the
//! hash of every complete subtree of 256^L leaves.
//!
//! One file for each level, to which hashes are only ever appended, so that
//! tile `N` of a level is a stretch of its file, and a partial tile the
//! beginning of that stretch: every partial tile that was ever signed is there
//! for nothing.
//!
//! The files follow from the log. A crash leaves them shorter than what was
//! appended, or with a torn end; what counts is what was there when they were
//! last synced, and `open` takes a size that is known to have been.
//!
//! Absent: entries, checkpoints, HTTP.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::feed::files;
use crate::feed::merkle::{Frontier, Hash, Subtree, join, root_of, subtrees};
use crate::feed::tiles::{TILE_LEVELS, TILE_WIDTH, hashes_at};

/// Enough for every size that a `u64` can tell.
const LEVELS: usize = 8;
const HASH_BYTES: u64 = 32;

#[derive(Debug)]
pub struct Hashes {
    levels: [File; LEVELS],
    /// Readers see what was appended once it is written.
    size: AtomicU64,
}

impl Hashes {
    /// Takes over the first `size` leaves of what is there, or fewer.
    pub fn open(dir: &Path, size: u64) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        let mut levels = Vec::with_capacity(LEVELS);
        let mut whole = size;
        for level in 0..LEVELS as u32 {
            let file = files::open(dir, &file_name(level))?;
            // So many leaves until this level would need one hash more.
            let hashes = u128::from(file.metadata()?.len() / HASH_BYTES);
            let leaves = ((hashes + 1) << (TILE_LEVELS * level)) - 1;
            whole = whole.min(u64::try_from(leaves).unwrap_or(u64::MAX));
            levels.push(file);
        }
        for (level, file) in levels.iter().enumerate() {
            file.set_len(hashes_at(level as u32, whole) * HASH_BYTES)?;
        }
        let levels = levels.try_into().expect("as many as were opened");
        Ok(Self { levels, size: AtomicU64::new(whole) })
    }

    /// How many leaves there are.
    pub fn size(&self) -> u64 {
        self.size.load(Ordering::Acquire)
    }

    /// Appends leaf hashes, and the hashes of the tiles that they fill. One
    /// caller at a time.
    pub fn append(&self, leaves: &[Hash]) -> io::Result<()> {
        let size = self.size() + leaves.len() as u64;
        let mut level = 0;
        let mut new = leaves.to_vec();
        while !new.is_empty() {
            let before = hashes_at(level, self.size());
            let bytes = new.as_flattened();
            self.levels[level as usize].write_all_at(bytes, before * HASH_BYTES)?;
            let filled = before / TILE_WIDTH..(before + new.len() as u64) / TILE_WIDTH;
            let tiles = filled.map(|tile| self.read(level, tile * TILE_WIDTH, TILE_WIDTH));
            new = tiles.map(|tile| tile.map(|tile| root_of(&tile))).collect::<Result<_, _>>()?;
            level += 1;
        }
        self.size.store(size, Ordering::Release);
        Ok(())
    }

    /// What was appended survives power loss from here on.
    pub fn sync(&self) -> io::Result<()> {
        self.levels.iter().try_for_each(File::sync_data)
    }

    /// The first `width` hashes of a tile, if there were as many when there
    /// were `size` leaves.
    pub fn tile(&self, level: u32, tile: u64, width: u64, size: u64) -> io::Result<Option<Vec<u8>>> {
        let first = tile.checked_mul(TILE_WIDTH);
        let end = first.and_then(|first| first.checked_add(width));
        match (first, end) {
            (Some(first), Some(end)) if end <= hashes_at(level, size.min(self.size())) => {
                Ok(Some(self.read(level, first, width)?.into_flattened()))
            }
            _ => Ok(None),
        }
    }

    /// The hashes of leaves that are there.
    pub fn leaves(&self, first: u64, end: u64) -> io::Result<Vec<Hash>> {
        self.read(0, first, end - first)
    }

    /// The hash of a stretch of leaves that are there.
    pub fn stretch(&self, leaves: &std::ops::Range<u64>) -> io::Result<Hash> {
        let hashes = subtrees(leaves).into_iter().map(|subtree| self.subtree(subtree));
        Ok(join(&hashes.collect::<io::Result<Vec<_>>>()?))
    }

    /// The root when there were `size` leaves, no more than there are.
    pub fn root(&self, size: u64) -> io::Result<Hash> {
        self.stretch(&(0..size))
    }

    /// The tree when there were `size` leaves, no more than there are.
    pub fn frontier(&self, size: u64) -> io::Result<Frontier> {
        let edge = subtrees(&(0..size)).into_iter().map(|subtree| self.subtree(subtree));
        let tree = Frontier::new(size, edge.collect::<io::Result<_>>()?);
        Ok(tree.expect("its edge has a hash for each of these subtrees"))
    }

    /// Whether these are as many as a log of this size and root has, and those
    /// in no full tile are its own. Of full tiles `damaged_from` tells.
    pub fn are(&self, size: u64, root: &Hash) -> io::Result<bool> {
        Ok(self.size() == size && self.root(size)? == *root)
    }

    /// A complete subtree is a part of a tile, hashed together.
    fn subtree(&self, Subtree { level, index }: Subtree) -> io::Result<Hash> {
        let (tile_level, within) = (level / TILE_LEVELS, level % TILE_LEVELS);
        Ok(root_of(&self.read(tile_level, index << within, 1 << within)?))
    }

    fn read(&self, level: u32, first: u64, count: u64) -> io::Result<Vec<Hash>> {
        read(&self.levels[level as usize], first, count)
    }
}

/// The smallest size of a log that has a damaged tile in this folder: each full
/// tile's hash is in the level above it. Reads only, and before `open` takes
/// over what counts.
pub fn damaged_from(dir: &Path) -> io::Result<u64> {
    let mut least = u64::MAX;
    let mut below = level_to_read(dir, 0)?;
    for level in 1..LEVELS as u32 {
        let above = level_to_read(dir, level)?;
        let (Some(tiles), Some(hashes)) = (&below, &above) else { break };
        let count = hashes.metadata()?.len() / HASH_BYTES;
        let full = tiles.metadata()?.len() / (HASH_BYTES * TILE_WIDTH);
        for tile in 0..count.min(full) {
            let hash = root_of(&read(tiles, tile * TILE_WIDTH, TILE_WIDTH)?);
            if read(hashes, tile, 1)? != [hash] {
                least = least.min((tile + 1) << (TILE_LEVELS * level));
                break;
            }
        }
        below = above;
    }
    Ok(least)
}

/// `None`: nothing was kept there yet.
fn level_to_read(dir: &Path, level: u32) -> io::Result<Option<File>> {
    match File::open(dir.join(file_name(level))) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        opened => opened.map(Some),
    }
}

fn file_name(level: u32) -> String {
    format!("hashes-{level}")
}

fn read(file: &File, first: u64, count: u64) -> io::Result<Vec<Hash>> {
    let mut hashes = vec![Hash::default(); count as usize];
    file.read_exact_at(hashes.as_flattened_mut(), first * HASH_BYTES)?;
    Ok(hashes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;
    use tempfile::TempDir;

    use super::*;
    use crate::feed::merkle::leaf_hash;
    use crate::feed::merkle::tests::naive_root;

    fn leaves(range: std::ops::Range<u64>) -> Vec<Hash> {
        range.map(|seq| leaf_hash(&seq.to_be_bytes())).collect()
    }

    fn filled(size: u64) -> (TempDir, Hashes) {
        let dir = tempfile::tempdir().unwrap();
        let hashes = Hashes::open(dir.path(), 0).unwrap();
        hashes.append(&leaves(0..size)).unwrap();
        (dir, hashes)
    }

    #[test]
    fn the_tiles_of_seventy_thousand_leaves() {
        let (_dir, hashes) = filled(70_000);
        let there = |level, tile, width| hashes.tile(level, tile, width, 70_000).unwrap().is_some();
        assert!(there(0, 272, 256) && there(0, 273, 112) && !there(0, 273, 113) && !there(0, 274, 1));
        assert!(there(1, 0, 256) && there(1, 1, 17) && !there(1, 1, 18));
        assert!(there(2, 0, 1) && !there(2, 0, 2) && !there(3, 0, 1));
        assert!(!there(7, u64::MAX, 256));
        assert_eq!(hashes.tile(0, 273, 112, 69_999).unwrap(), None, "not at that size");
        let leaves = leaves(0..70_000);
        let tile = |from: usize, leaves_each: usize, count: usize| {
            let hash = |nth| naive_root(&leaves[from + nth * leaves_each..from + (nth + 1) * leaves_each]);
            (0..count).flat_map(hash).collect::<Vec<u8>>()
        };
        assert_eq!(hashes.tile(0, 273, 112, 70_000).unwrap().unwrap(), tile(273 * 256, 1, 112));
        assert_eq!(hashes.tile(1, 1, 17, 70_000).unwrap().unwrap(), tile(65_536, 256, 17));
        assert_eq!(hashes.tile(2, 0, 1, 70_000).unwrap().unwrap(), tile(0, 65_536, 1));
        for size in [0, 1, 255, 256, 257, 65_535, 65_536, 65_537, 69_999, 70_000] {
            assert_eq!(hashes.root(size).unwrap(), naive_root(&leaves[..size as usize]), "at {size}");
        }
    }

    /// Whatever a crash has left of the files, what is taken over is right.
    #[test]
    fn shortened_files_are_taken_over_as_far_as_they_go() {
        for (level, bytes) in [(0, 0), (0, 31), (0, 8_192), (0, 20_001), (1, 0), (1, 32), (1, 70)] {
            let (dir, hashes) = filled(900);
            drop(hashes);
            let file = File::options().write(true).open(dir.path().join(format!("hashes-{level}")));
            file.unwrap().set_len(bytes).unwrap();
            let hashes = Hashes::open(dir.path(), 900).unwrap();
            let size = hashes.size();
            assert!(size < 900);
            hashes.append(&leaves(size..900)).unwrap();
            assert_eq!(hashes.root(900).unwrap(), naive_root(&leaves(0..900)), "level {level} at {bytes}");
        }
    }

    #[test]
    fn a_flipped_bit_is_found_wherever_it_is() {
        const SIZE: u64 = 66_000;
        let (dir, hashes) = filled(SIZE);
        let root = hashes.root(SIZE).unwrap();
        assert!(hashes.are(SIZE, &root).unwrap());
        assert!(!hashes.are(SIZE - 1, &root).unwrap() && !hashes.are(SIZE, &[0; 32]).unwrap());
        let damaged_from = || damaged_from(dir.path()).unwrap();
        for (level, hash, from) in [
            (0, 0, 256),
            (0, 65_535, 65_536),
            (0, 65_536, 65_792),
            (0, SIZE - 1, u64::MAX),
            (1, 0, 256),
            (1, 255, 65_536),
            (1, 256, 65_792),
            (2, 0, 65_536),
        ] {
            let flip = || {
                let mut byte = [0];
                hashes.levels[level].read_exact_at(&mut byte, hash * HASH_BYTES).unwrap();
                hashes.levels[level].write_all_at(&[byte[0] ^ 1], hash * HASH_BYTES).unwrap();
            };
            flip();
            assert_eq!(damaged_from(), from, "hash {hash} of level {level}");
            assert!(from < SIZE || !hashes.are(SIZE, &root).unwrap(), "hash {hash} of level {level}");
            flip();
        }
        assert_eq!(damaged_from(), u64::MAX);
        assert!(hashes.are(SIZE, &root).unwrap());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        #[test]
        fn in_whatever_steps_it_grows_it_is_the_same_tree(
            steps in prop::collection::vec((0..400u64, any::<bool>(), 0..400u64), 1..6),
        ) {
            let dir = tempfile::tempdir().unwrap();
            let mut hashes = Hashes::open(dir.path(), 0).unwrap();
            let mut frontier = Frontier::default();
            for (more, reopens, lost) in steps {
                let size = hashes.size();
                hashes.append(&leaves(size..size + more)).unwrap();
                if reopens {
                    let kept = hashes.size().saturating_sub(lost);
                    hashes = Hashes::open(dir.path(), kept).unwrap();
                    prop_assert_eq!(hashes.size(), kept);
                }
            }
            let leaves = leaves(0..hashes.size());
            for (size, leaf) in (0..).zip(&leaves) {
                prop_assert_eq!(hashes.root(size).unwrap(), frontier.root());
                prop_assert_eq!(&hashes.frontier(size).unwrap(), &frontier);
                frontier.push(*leaf);
            }
            let top = hashes.size();
            prop_assert_eq!(hashes.root(top).unwrap(), frontier.root());
        }
    }
}
