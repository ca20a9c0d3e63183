//! The files of a sled database, and making them durable.
//!
//! sled's flush on Linux is `sync_file_range`, which power loss does not
//! respect, so the database file is synced over a handle of our own. A page of
//! many large records is put by sled into a file of its own below `blobs`,
//! which it never syncs; such files are found by name, for they are numbered
//! upward and never written twice.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::store::StoreError;
use crate::store::mark::sync_parent;
use crate::store::sled::unwell;

#[derive(Debug)]
pub struct Disk {
    dir: PathBuf,
    db: File,
    /// Blobs up to this number are durable.
    blobs_synced: Option<u64>,
}

impl Disk {
    /// Syncs all that is there. `dir` holds an open database.
    pub fn open(dir: &Path) -> io::Result<Self> {
        let mut disk = Self { dir: dir.to_owned(), db: File::open(dir.join("db"))?, blobs_synced: None };
        for file in fs::read_dir(dir)? {
            sync_if_there(&file?.path())?;
        }
        disk.sync_blobs()?;
        sync(dir)?;
        sync_parent(dir)?;
        Ok(disk)
    }

    /// What was applied survives power loss from here on.
    pub fn flush(&mut self, db: &sled::Db) -> Result<(), StoreError> {
        db.flush().map_err(unwell)?;
        let synced = self.sync_blobs().and_then(|()| self.db.sync_data());
        synced.map_err(|error| StoreError::Fatal(format!("the database cannot be synced: {error}")))
    }

    /// What may still be written to the disk.
    pub fn free_bytes(&self) -> Result<u64, StoreError> {
        let stat = rustix::fs::fstatvfs(&self.db);
        let stat = stat.map_err(|error| StoreError::Fatal(format!("free space is not known: {error}")))?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    fn sync_blobs(&mut self) -> io::Result<()> {
        let blobs = self.dir.join("blobs");
        let mut newest = self.blobs_synced;
        for file in fs::read_dir(&blobs)? {
            let file = file?;
            let id: Option<u64> = file.file_name().to_str().and_then(|name| name.parse().ok());
            if id.is_some() && id > self.blobs_synced {
                sync_if_there(&file.path())?;
                newest = newest.max(id);
            }
        }
        if newest != self.blobs_synced {
            sync(&blobs)?;
            self.blobs_synced = newest;
        }
        Ok(())
    }
}

/// Makes a file, or the names in a folder, durable.
pub fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// sled removes files when it no longer needs them.
fn sync_if_there(path: &Path) -> io::Result<()> {
    match sync(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        synced => synced,
    }
}
