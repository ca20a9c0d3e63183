//! The files of one log: its name, hashes and bundles, in a folder that is
//! named after its key.
//!
//! Absent: entries that are in no full bundle yet; those are in the store.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::feed::bundles::{Bundles, Coding, bundle};
use crate::feed::hashes::Hashes;
use crate::feed::tiles::TILE_WIDTH;

#[derive(Debug)]
pub struct LogFiles {
    dir: PathBuf,
    hashes: Hashes,
    bundles: [Bundles; 2],
}

impl LogFiles {
    /// Takes over what belongs to the first `size` entries.
    pub fn open(dir: &Path, size: u64) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        let hashes = Hashes::open(dir, size)?;
        let full = hashes.size() / TILE_WIDTH;
        let [zstd, gzip] = Coding::ALL.map(|coding| Bundles::open(dir, coding, full));
        Ok(Self { dir: dir.to_owned(), hashes, bundles: [zstd?, gzip?] })
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub fn hashes(&self) -> &Hashes {
        &self.hashes
    }

    /// How many full bundles there are in every coding.
    pub fn bundles_count(&self) -> u64 {
        self.bundles.iter().map(Bundles::count).min().unwrap_or(0)
    }

    pub fn append_bundle(&self, nth: u64, leaves: &[Vec<u8>]) -> io::Result<()> {
        let bundle = bundle(leaves);
        let mut behind = self.bundles.iter().filter(|bundles| bundles.count() == nth);
        behind.try_for_each(|bundles| bundles.append(&bundle))
    }

    /// A full bundle in a coding, as it was compressed.
    pub fn bundle(&self, nth: u64, coding: Coding) -> io::Result<Option<Vec<u8>>> {
        let bundles = self.bundles.iter().find(|bundles| bundles.coding() == coding);
        bundles.map_or(Ok(None), |bundles| bundles.read(nth))
    }

    pub fn sync(&self) -> io::Result<()> {
        self.hashes.sync()?;
        self.bundles.iter().try_for_each(Bundles::sync)?;
        fs::File::open(&self.dir)?.sync_all()
    }
}
