//! The files of one log: its name, hashes, entries and bundles, in a folder
//! that is named after its key.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};

use crate::feed::bundles::{Bundles, Coding, bundle};
use crate::feed::entries::Entries;
use crate::feed::hashes::{self, Hashes};
use crate::feed::merkle::{Hash, leaf_hash};
use crate::feed::note::NoteVerifier;
use crate::feed::tiles::TILE_WIDTH;

/// One to read from and append to, made where it is missing.
pub fn open(dir: &Path, name: &str) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(dir.join(name))
}

/// The folder in which each log's files have one of their own. What is hashed
/// there can be checked while other things start.
#[derive(Debug)]
pub struct LogsDir {
    path: PathBuf,
    damaged_from: Option<JoinHandle<io::Result<u64>>>,
}

impl LogsDir {
    /// Begins to check the hashes of this key's log.
    pub fn checking(path: &Path, verifier: &NoteVerifier) -> Self {
        let dir = path.join(verifier.id());
        let damaged_from = Some(thread::spawn(move || hashes::damaged_from(&dir)));
        Self { path: path.to_owned(), damaged_from }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The smallest size of a log that has a damaged tile in a folder here.
    pub fn damaged_from(&mut self, dir: &Path) -> io::Result<u64> {
        match self.damaged_from.take() {
            Some(begun) => begun.join().expect("it does not panic"),
            None => hashes::damaged_from(dir),
        }
    }
}

impl<P: AsRef<Path> + ?Sized> From<&P> for LogsDir {
    fn from(path: &P) -> Self {
        Self { path: path.as_ref().to_owned(), damaged_from: None }
    }
}

#[derive(Debug)]
pub struct LogFiles {
    dir: PathBuf,
    hashes: Hashes,
    entries: Entries,
    bundles: [Bundles; 2],
}

impl LogFiles {
    /// Takes over what belongs to the first `size` entries.
    pub fn open(dir: &Path, size: u64) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        let hashes = Hashes::open(dir, size)?;
        let is_hashed =
            |seq, leaf: &[u8]| hashes.leaves(seq, seq + 1).is_ok_and(|hashes| hashes == [leaf_hash(leaf)]);
        let entries = Entries::open(dir, hashes.size(), is_hashed)?;
        let full = hashes.size() / TILE_WIDTH;
        let [zstd, gzip] = Coding::ALL.map(|coding| Bundles::open(dir, coding, full));
        Ok(Self { dir: dir.to_owned(), hashes, entries, bundles: [zstd?, gzip?] })
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub fn hashes(&self) -> &Hashes {
        &self.hashes
    }

    /// How many leaves are in both, the hashes and the entries.
    pub fn size(&self) -> u64 {
        self.hashes.size().min(self.entries.count())
    }

    /// Takes leaves from `first` on, which is the size. One caller at a time.
    pub fn append(&self, first: u64, leaves: &[Vec<u8>]) -> io::Result<()> {
        let beyond = |count: u64| leaves.get((count - first) as usize..).unwrap_or_default();
        let hashes: Vec<Hash> = beyond(self.hashes.size()).iter().map(|leaf| leaf_hash(leaf)).collect();
        self.hashes.append(&hashes)?;
        self.entries.append(beyond(self.entries.count()))
    }

    /// Leaves from `first` up to `end`, each as it was hashed; `None` where
    /// they are not all here.
    pub fn leaves(&self, first: u64, end: u64) -> io::Result<Option<Vec<Vec<u8>>>> {
        if end > self.size() {
            return Ok(None);
        }
        let leaves = self.entries.read(first, end)?;
        if !leaves.iter().map(|leaf| leaf_hash(leaf)).eq(self.hashes.leaves(first, end)?) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "an entry is not the one that was hashed",
            ));
        }
        Ok(Some(leaves))
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
        self.entries.sync()?;
        self.bundles.iter().try_for_each(Bundles::sync)?;
        File::open(&self.dir)?.sync_all()
    }
}
