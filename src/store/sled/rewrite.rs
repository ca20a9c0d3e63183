//! A fresh database in the place of an old one: all that the old one holds,
//! and nothing that it held before. sled keeps what was replaced or deleted in
//! its files until it happens to write over it, which may be never.
//!
//! What is in the tree is copied pair by pair and as it is: counters, versions,
//! indexes and checksums too. So the high-water mark is right about either of
//! the two; a database that is filled by commits would begin to count anew, and
//! be behind its mark.
//!
//! | step | a crash during it leaves in the place | and beside it |
//! |---|---|---|
//! | a fresh database is made beside the old one, and filled | the old one | a part of a fresh one |
//! | its files and their names are synced | the old one | a fresh one, perhaps torn |
//! | the old one is closed, the fresh one is looked through and closed | the old one | the fresh one |
//! | the two change places in one step, and their folder is synced | the old one or the fresh one, whole | the other one |
//! | the old one is removed | the fresh one | a part of the old one |
//!
//! Whatever lies beside is removed by whoever opens the database next, be it to
//! serve or to rewrite it, and never looked at.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::store::mark::sync_parent;
use crate::store::sled::disk::Disk;
use crate::store::sled::open::{lock_db, open_db};
use crate::store::sled::{OpenError, SledOptions, SledStore};

/// Lies in a database that took another's place, and says since when.
const SINCE: &str = "rewritten";
/// Behind the folder's name: what lies beside the database.
const BESIDE: &str = ".rewriting";

#[derive(Debug, thiserror::Error)]
pub enum RewriteError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("the files of {dir}: {source}")]
    Files { dir: PathBuf, source: io::Error },
    #[error("another process has opened {dir} meanwhile")]
    Touched { dir: PathBuf },
    #[error("{dir} and {beside} cannot change places in one step: {source}")]
    Places { dir: PathBuf, beside: PathBuf, source: io::Error },
}

/// The old database, closed and kept from everybody, and the fresh one beside it.
#[derive(Debug)]
pub struct Rewriting {
    options: SledOptions,
    beside: PathBuf,
    /// Held to the end, each from when the database is closed.
    old: File,
    fresh: Option<File>,
}

impl Rewriting {
    /// Copies all that the store holds into a fresh database, durably; `told`
    /// hears how many pairs are in. Blocks.
    pub fn begin(
        store: SledStore,
        options: &SledOptions,
        at: Timestamp,
        told: &dyn Fn(u64),
    ) -> Result<Self, RewriteError> {
        let dir = options.dir.clone();
        let files = |source| RewriteError::Files { dir: dir.clone(), source };
        let beside = beside(&dir).map_err(files)?;
        let fresh = SledOptions { dir: beside.clone(), ..options.clone() };
        if let Err(error) = fill(&store, &dir, &fresh, at, told) {
            // If it cannot be removed, the next one who opens the database does.
            let _ = remove_leftover(&dir);
            return Err(error);
        }
        // From its closing until it is locked the database is anybody's. Who
        // opens it writes the mark.
        let marked = fs::read(&options.mark_path).map_err(files)?;
        drop(store);
        let old = lock_db(options)?;
        let rewriting = Self { options: options.clone(), beside, old, fresh: None };
        if fs::read(&options.mark_path).map_err(files)? != marked {
            rewriting.remove_other()?;
            return Err(RewriteError::Touched { dir });
        }
        Ok(rewriting)
    }

    /// The fresh one, to be looked through and closed. It opens only if it has
    /// all that the high-water mark knows of.
    pub fn fresh(&self) -> Result<SledStore, OpenError> {
        SledStore::open(&self.fresh_options())
    }

    /// Lets the two change places. Durable on return; an error leaves the old
    /// one where it was, or does not know.
    pub fn change_places(&mut self) -> Result<(), RewriteError> {
        let dir = &self.options.dir;
        // No thread of sled's writes to it any more, and what closing it wrote lasts.
        self.fresh = Some(lock_db(&self.fresh_options())?);
        let synced = Disk::open(&self.beside);
        synced.map_err(|source| RewriteError::Files { dir: dir.clone(), source })?;
        let place = fs::canonicalize(dir);
        let changed =
            place.and_then(|place| Ok(renameat_with(CWD, &self.beside, CWD, place, RenameFlags::EXCHANGE)?));
        changed.map_err(|source| RewriteError::Places {
            dir: dir.clone(),
            beside: self.beside.clone(),
            source,
        })?;
        sync_parent(&self.beside).map_err(|source| RewriteError::Files { dir: dir.clone(), source })
    }

    /// Removes what lies beside: the old one, once they have changed places,
    /// and the fresh one before.
    pub fn remove_other(self) -> Result<(), RewriteError> {
        let Self { options, beside: _, old, fresh } = self;
        let removed = remove_leftover(&options.dir);
        drop((old, fresh));
        removed.map_err(|source| RewriteError::Files { dir: options.dir, source })
    }

    fn fresh_options(&self) -> SledOptions {
        SledOptions { dir: self.beside.clone(), ..self.options.clone() }
    }
}

fn fill(
    store: &SledStore,
    of: &Path,
    options: &SledOptions,
    at: Timestamp,
    told: &dyn Fn(u64),
) -> Result<(), RewriteError> {
    let dir = || options.dir.clone();
    let sled = |source| OpenError::Sled { dir: dir(), source };
    let files = |source| RewriteError::Files { dir: dir(), source };
    let fresh = open_db(options)?;
    let private = fs::metadata(of).and_then(|of| fs::set_permissions(&options.dir, of.permissions()));
    private.map_err(files)?;
    for (copied, pair) in (1..).zip(store.shared.db.iter()) {
        let (key, value) = pair.map_err(sled)?;
        fresh.insert(key, value).map_err(sled)?;
        told(copied);
    }
    fs::write(options.dir.join(SINCE), format!("{at}\n")).map_err(files)?;
    let mut disk = Disk::open(&options.dir).map_err(files)?;
    disk.flush(&fresh).map_err(|source| OpenError::Store { dir: dir(), source })?;
    Ok(())
}

/// When a database took the place of the one before it; `None`: it never did,
/// or does not say.
pub fn rewritten_at(dir: &Path) -> Option<Timestamp> {
    fs::read_to_string(dir.join(SINCE)).ok()?.trim_end().parse().ok()
}

/// How many bytes its files have.
pub fn bytes_of(dir: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let found = entry.metadata()?;
        bytes += if found.is_dir() { bytes_of(&entry.path())? } else { found.len() };
    }
    Ok(bytes)
}

/// Removes what a rewriting left that was cut short, whichever of the two it is.
/// For who has the database to themselves.
pub fn remove_leftover(dir: &Path) -> io::Result<()> {
    let beside = beside(dir)?;
    if !beside.try_exists()? {
        return Ok(());
    }
    // They may just have changed places: first that has to last.
    sync_parent(&beside)?;
    fs::remove_dir_all(&beside)?;
    sync_parent(&beside)
}

/// In the same folder as the database itself, whatever leads to it.
fn beside(dir: &Path) -> io::Result<PathBuf> {
    let place = fs::canonicalize(dir)?;
    let mut name = place.file_name().unwrap_or_default().to_owned();
    name.push(BESIDE);
    Ok(place.with_file_name(name))
}
